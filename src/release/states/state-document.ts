/**
 * `state-<revision>.json`: what became of a release after it was published, beside the release document, which never changes. Each change is
 * a new document under a new name: the highest revision holds. A release without one is published.
 */
import { z } from 'zod'
import { PitlaneError } from '../../errors.ts'
import { hex64, isoDate, versionName } from '../document.ts'
import { parseFormat } from '../format.ts'

/** Characters of a reason: a paragraph. What is longer belongs into the notes of the next release. */
export const REASON_LIMIT = 1000
export const MAX_REVISION = 9999

/** No line ends, no control characters, nothing that turns the direction of the text around it. */
const UNFIT = /[\p{Cc}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/u

/** Facts of a state; also in `index.json`, so that a document that is lost can be written again with the same bytes. */
export const StateFacts = {
  /** Counts up from 1. */
  revision: z.int().min(1).max(MAX_REVISION),
  /** SHA-256 of the revision before; null in the first one. */
  previous: hex64.nullable(),
  /** `published` again, after it was withdrawn. */
  state: z.enum(['published', 'withdrawn']),
  /** Since when it is in this state. */
  since: isoDate,
  /** When this revision was written. */
  date: isoDate,
  /** Why, in one line of plain text. */
  reason: z
    .string()
    .min(1)
    .max(REASON_LIMIT)
    .refine((text) => !UNFIT.test(text), 'is not one line of plain text'),
  /** The version to use instead; null where none was named. */
  supersededBy: versionName.nullable(),
  /** The name that git knows of whoever decided it. */
  actor: z.string(),
}

export const StateDocument = z.strictObject({
  format: z.literal('pitlane-state/1'),
  /** The project. */
  name: z.string(),
  version: versionName,
  ...StateFacts,
})
export type StateDocument = z.infer<typeof StateDocument>

/** A state with the SHA-256 of its document. */
export interface StoredState {
  readonly state: StateDocument
  readonly sha256: string
}

/** By version; a release without a state is published. */
export type States = ReadonlyMap<string, StoredState>

export function isWithdrawn(states: States, version: string): boolean {
  return states.get(version)?.state.state === 'withdrawn'
}

/** As it is stored and signed: two-space JSON in schema order, one final newline. */
export function encodeState(state: StateDocument): Buffer {
  return Buffer.from(`${JSON.stringify(StateDocument.parse(state), null, 2)}\n`)
}

/** Throws `STATE_NEWER`, and `VERIFICATION_FAILED` when it is not the state that its key says. */
export function parseState(
  bytes: Buffer,
  name: string,
  expected: { version: string; revision: number },
): StateDocument {
  const state = parseFormat(bytes, name, {
    format: 'pitlane-state/1',
    schema: StateDocument,
    what: 'the state of a release',
  })
  const { version, revision } = state
  if (version !== expected.version || revision !== expected.revision)
    throw new PitlaneError('VERIFICATION_FAILED', `${name} is state ${revision} of ${version}`)
  return state
}

/**
 * A reason as a person gave it, without space around it.
 * @throws PitlaneError `USAGE` when it is empty, too long, or more than one line of plain text
 */
export function checkReason(text: string): string {
  const reason = text.trim().normalize('NFC')
  const hint = `A reason is one line of plain text, at most ${REASON_LIMIT} characters; everyone will read it on the release page.`
  if (reason === '') throw new PitlaneError('USAGE', 'the reason is empty', { hint })
  if (reason.length > REASON_LIMIT)
    throw new PitlaneError('USAGE', `the reason has ${reason.length} characters`, { hint })
  const at = Array.from(reason).findIndex((character) => UNFIT.test(character) || /\p{Cs}/u.test(character))
  if (at !== -1)
    throw new PitlaneError('USAGE', `the reason has a control character or line end at ${at + 1}`, { hint })
  return reason
}

/** `withdrawn since 2026-11-24T10:00:00Z: loses data; use v1.2.1` */
export function stateWords({ state, since, reason, supersededBy }: Omit<StateDocument, 'format' | 'name'>): string {
  const instead = supersededBy === null ? '' : `; use ${supersededBy}`
  return `${state === 'withdrawn' ? 'withdrawn' : 'published again'} since ${since}: ${reason}${instead}`
}

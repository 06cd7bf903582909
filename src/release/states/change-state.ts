/**
 * Withdrawing a release, and putting it back: a new revision of its state, then the lists that follow from it. It is written down before
 * anything goes out; killed anywhere, the same call goes on, and lists computed by whoever comes next say the same.
 */
import {
  findBegunChange,
  finishStateChange,
  insertStateChange,
  type StateChangeRow,
  stateJournal,
} from '../../database/queries/state-changes.ts'
import { replaceOperations } from '../../database/queries/publications.ts'
import { sha256Of } from '../../bytes/digest.ts'
import { PitlaneError } from '../../errors.ts'
import { followPointer, planFollowing } from '../documentation/follow.ts'
import { nameOf } from '../lists/floating.ts'
import { announceChange } from '../lists/changing.ts'
import { carryOutEntry, type Journal, journalRows } from '../journal.ts'
import { findContradictions } from '../contradictions.ts'
import { putLists, reopenLost } from '../lists/listing.ts'
import type { ListParts } from '../lists/list-parts.ts'
import { readSite, type Site } from '../lists/read-site.ts'
import { staleKeys } from '../lists/lists.ts'
import { requireSameOwner } from '../owner.ts'
import { nextIndex } from '../lists/pointers.ts'
import { entryOf } from '../publication.ts'
import { noteDoubt, readStanding, settledStanding, type Standing } from '../lists/standing.ts'
import type { FloatingTag } from '../lists/site-index.ts'
import { encodeState, parseState, type StateDocument } from './state-document.ts'
import { stateOperations } from './state-operations.ts'
import { nextState, type StateRequest } from './next-state.ts'

/** What is asked for, told what there is; `begun` is a change of which the document is out already and perhaps not the lists. */
export type Decide = (site: Site, begun: StateDocument | null) => StateRequest | Promise<StateRequest>

export interface StateChange {
  readonly version: string
  /** The state that holds afterwards; null for a release that was never withdrawn. */
  readonly state: StateDocument | null
  /** Whether anything was, or would be, written. */
  readonly changed: boolean
  /** Pointers that move, by channel; null is no version. */
  readonly pointers: readonly { readonly channel: string; readonly from: string | null; readonly to: string | null }[]
  /** Whose documentation the site becomes; null where it stays what it is. */
  readonly documentation: { readonly path: string; readonly from: string | null; readonly to: string | null } | null
  /** Image tags that move, by name; null is no version. */
  readonly tags: readonly { readonly name: string; readonly from: string | null; readonly to: string | null }[]
}

/** What `changeState` would do. Nothing is written. */
export async function previewState(parts: ListParts, decide: Decide): Promise<StateChange> {
  const { change } = await consider(parts, await settledStanding(parts), decide)
  return change
}

/**
 * @param shown what a person was shown and agreed to; another outcome is refused. Null where nobody was asked.
 * @throws PitlaneError `NOT_FOUND` for an unknown version, `WITHDRAWN` when it is withdrawn for another reason, or its successor is
 */
export async function changeState(
  parts: ListParts,
  decide: Decide,
  shown: StateChange | null,
  stop: AbortSignal,
): Promise<StateChange> {
  return parts.exclusively(async () => {
    const standing = await readStanding(parts)
    noteDoubt(parts, standing)
    const considered = await consider(parts, standing, decide)
    if (shown !== null) requireSame(shown, considered.change)
    const { row } = considered
    if (row !== null) await carryOut(parts, row, considered, stop)
    return considered.change
  })
}

interface Considered {
  readonly change: StateChange
  /** Null when there is nothing to write. */
  readonly row: StateChangeRow | null
  readonly begun: StateChangeRow | null
  /** Whether the document of the one that was begun is in the bucket: then lists name it, whoever puts them. */
  readonly isOut: boolean
}

async function consider(parts: ListParts, standing: Standing, decide: Decide): Promise<Considered> {
  await requireSameOwner(parts, standing)
  const begun = (await findBegunChange(parts.writer.db, parts.place)) ?? null
  // One that died may have put its document without saying so: versions before this one did not.
  // And whoever puts the lists looks at the whole bucket, as a change is announced: what would stop them stops this, before anything is out.
  const site = await readSite(parts, standing, 'bucket')
  const started = begun === null ? null : stateOf(begun)
  const isOut = started !== null && site.states.get(started.version)?.sha256 === sha256Of(encodeState(started))
  const request = await decide(site, isOut ? started : null)
  const next = nextState(parts, site, started, request)
  const stored = next ?? site.states.get(request.version) ?? null
  // Also where the state is there already: the lists may not say so yet, as whoever wrote it did not come that far.
  const isListed = listedSha256(site, request.version) === stored?.sha256
  const row =
    stored === null || (next === null && isListed && begun?.version !== request.version)
      ? null
      : rowOf(parts, stored.state)
  const states = new Map(site.states)
  if (stored !== null) states.set(request.version, stored)
  // Refused here, before anything goes out, when the lists could not follow.
  const after = await nextIndex(parts, { ...site, states })
  const pointers = moved(
    new Map(Object.entries(standing.index?.pointers ?? {})),
    new Map(Object.entries(after.pointers)),
  ).map(({ name, ...move }) => ({ channel: name, ...move }))
  const versions = (tags: readonly FloatingTag[] = []) => new Map(tags.map((tag) => [nameOf(tag), tag.version]))
  const tags = moved(versions(standing.index?.floating), versions(after.floating))
  return {
    change: {
      version: request.version,
      state: stored?.state ?? null,
      changed: row !== null,
      pointers,
      tags,
      documentation: await documentationAfter(parts, { ...site, states }),
    },
    row,
    begun,
    isOut,
  }
}

async function documentationAfter(parts: ListParts, site: Site): Promise<StateChange['documentation']> {
  const next = (await planFollowing(parts, site))?.site
  const from = site.documentation?.site.version ?? null
  return next === undefined || next.version === from ? null : { path: next.path, from, to: next.version }
}

function moved(before: ReadonlyMap<string, string | null>, after: ReadonlyMap<string, string | null>) {
  return [...new Set([...before.keys(), ...after.keys()])]
    .map((name) => ({ name, from: before.get(name) ?? null, to: after.get(name) ?? null }))
    .filter(({ from, to }) => from !== to)
}

function listedSha256({ standing }: Site, version: string): string | undefined {
  return standing.index?.releases.find((release) => release.version === version)?.state?.document.sha256
}

function rowOf({ place }: ListParts, state: StateDocument): StateChangeRow {
  const { version, revision } = state
  return { bucket: place, version, revision, document: encodeState(state).toString('utf8'), state: 'prepared' }
}

function stateOf(row: StateChangeRow): StateDocument {
  return parseState(Buffer.from(row.document), `the change of ${row.version} that was begun`, row)
}

async function carryOut(
  parts: ListParts,
  row: StateChangeRow,
  { begun, isOut }: Pick<Considered, 'begun' | 'isOut'>,
  stop: AbortSignal,
): Promise<void> {
  const { writer, bucket, registry, metering, signer } = parts
  const state = stateOf(row)
  const operations = stateOperations(signer, state, 'documents')
  const verb = state.state === 'withdrawn' ? 'withdrawal' : 'restoring'
  const title = `the ${verb} of ${state.version}`
  const journal: Journal = { writer, bucket, registry, metering, version: stateJournal(row), title, stop }
  await findContradictions(parts, operations)
  if (begun?.document !== row.document) {
    await writer.write(async (trx) => {
      // The lists to come say of another one what is out. What is not is as if nobody had asked for it.
      if (begun !== null && isOut) await finishStateChange(trx, begun)
      await replaceOperations(trx, journal.version, 'documents', journalRows(operations))
      await insertStateChange(trx, row)
    })
  }
  const entry = entryOf('documents')
  await announceChange(bucket)
  await reopenLost(journal, entry, await staleKeys(parts, operations))
  await carryOutEntry(journal, entry, operations)
  // Before the lists, as in a release: they say whose documentation it is.
  if (parts.documentation !== null)
    await followPointer(parts, await readSite(parts, await readStanding(parts), 'changes'), stop)
  await putLists(parts, journal, Date.parse(state.date))
  await writer.write((trx) => finishStateChange(trx, row))
}

function requireSame(shown: StateChange, now: StateChange): void {
  const text = ({ state, pointers, tags }: StateChange) =>
    JSON.stringify([state?.version, state?.state, state?.reason, state?.supersededBy, pointers, tags])
  if (text(shown) === text(now)) return
  throw new PitlaneError('PLAN_CONTRADICTION', 'the releases have changed since this was shown', {
    hint: 'Somebody published or withdrew something meanwhile. Nothing was done: look at it again.',
  })
}

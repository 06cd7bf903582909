/** Reading the states of releases back from a bucket. One that readers were shown does not vanish: it holds until a later one takes its place. */
import type { Bucket } from '../../buckets/types.ts'
import { publishedChanges } from '../../database/queries/state-changes.ts'
import type { Reader } from '../../database/writer.ts'
import { sha256Of } from '../../bytes/digest.ts'
import { PitlaneError } from '../../errors.ts'
import { inParallel } from '../../parallel.ts'
import { KEYS } from '../../plan/keys.ts'
import type { ReleaseDocument } from '../document.ts'
import type { DocumentCheck } from '../documents.ts'
import { type Fetch, plainFetch } from '../fetch.ts'
import type { PublicKey } from '../keys/public-key.ts'
import { type IndexRelease, LIST_LIMIT, parseSiteIndex, type SiteIndex } from '../lists/site-index.ts'
import { encodeState, parseState, type StateDocument, type States, type StoredState } from './state-document.ts'
import { type Published, verifySigned } from '../verify/verify-document.ts'

/** Bytes; one has less than 6 KiB, as a reason is at most 1000 characters. */
export const STATE_LIMIT = 16 * 1024
/** How many releases are looked at at once. */
const PARALLEL = 16

type Read = Pick<Bucket, 'location' | 'read' | 'list'>
type Release = Pick<ReleaseDocument, 'name' | 'version'>

/** Where something is known of the bucket already. */
export interface StateReading {
  readonly fetch?: Fetch
  /** The highest revision that is there; 0 when there is none. */
  readonly newestOf?: (version: string) => Promise<number>
}

/** The highest revision that is there; 0 when there is none. */
export async function newestRevision(bucket: Pick<Bucket, 'list'>, version: string): Promise<number> {
  const prefix = KEYS.states(version)
  let newest = 0
  for await (const { key } of bucket.list(prefix)) newest = Math.max(newest, stateNumber(key.slice(prefix.length)))
  return newest
}

/** Of what follows `state-` in a name; 0 where it is no state. */
export function stateNumber(text: string): number {
  const [, digits] = /^([1-9][0-9]{0,3})\.json$/.exec(text) ?? []
  return Number(digits ?? 0)
}

/**
 * The state that the bucket has of a release, null when it has none.
 * @throws PitlaneError `VERIFICATION_FAILED` when it can't be trusted
 */
async function readState(
  bucket: Read,
  release: Release,
  check: DocumentCheck | null,
  { fetch = plainFetch(bucket), newestOf = (version) => newestRevision(bucket, version) }: StateReading,
): Promise<StoredState | null> {
  const revision = await newestOf(release.version)
  return revision === 0 ? null : readRevision(bucket, release, revision, check, fetch)
}

async function readRevision(
  bucket: Read,
  { name, version }: Release,
  revision: number,
  check: DocumentCheck | null,
  fetch: Fetch,
): Promise<StoredState | null> {
  const key = KEYS.state(version, revision)
  const fetched = await fetch(key, STATE_LIMIT)
  if (fetched === null) return null
  const { bytes } = fetched
  const where = `${bucket.location}/${key}`
  try {
    const state = parseState(bytes, where, { version, revision })
    if (state.name !== name) throw new PitlaneError('VERIFICATION_FAILED', `${where} is of the project ${state.name}`)
    if (check !== null && !fetched.isProven) {
      const minisig = await fetched.signature()
      if (minisig === null) throw new PitlaneError('VERIFICATION_FAILED', `${where}.minisig is missing`)
      check.verify(bytes, minisig.toString('utf8'), key, state)
    }
    fetched.proven()
    return { state, sha256: sha256Of(bytes) }
  } catch (error) {
    if (!(error instanceof PitlaneError) || error.code !== 'VERIFICATION_FAILED') throw error
    throw new PitlaneError(error.code, error.message, {
      hint: `Whether ${version} is withdrawn can't be told: put ${key} and its signatures back from a copy, or remove them when they are not yours.`,
      cause: error,
    })
  }
}

export interface FoundStates {
  readonly states: States
  /** Those that hold and whose documents are gone from the bucket. */
  readonly lost: readonly StoredState[]
}

/**
 * The states of these releases.
 * @param known states that readers were shown already, by version
 */
export async function readStates(
  bucket: Read,
  documents: readonly Release[],
  known: States,
  check: DocumentCheck | null,
  reading: StateReading = {},
): Promise<FoundStates> {
  const found = await inParallel(documents, PARALLEL, async (document) => {
    const there = await readState(bucket, document, check, reading)
    const shown = known.get(document.version) ?? null
    const isLost = shown !== null && (there === null || there.state.revision < shown.state.revision)
    return { version: document.version, stored: isLost ? shown : there, isLost }
  })
  const states = new Map<string, StoredState>()
  const lost: StoredState[] = []
  for (const { version, stored, isLost } of found) {
    if (stored === null) continue
    states.set(version, stored)
    if (isLost) lost.push(stored)
  }
  return { states, lost }
}

/** What readers were shown: by an index that is proven, or from here. */
export async function knownStates(db: Reader, place: string, name: string, index: SiteIndex | null): Promise<States> {
  const known = new Map<string, StoredState>()
  const add = (stored: StoredState) => {
    const { version, revision } = stored.state
    if ((known.get(version)?.state.revision ?? 0) < revision) known.set(version, stored)
  }
  for (const row of await publishedChanges(db, place)) {
    const bytes = Buffer.from(row.document)
    add({ state: parseState(bytes, `state ${row.revision} of ${row.version}`, row), sha256: sha256Of(bytes) })
  }
  for (const stored of listedStates(index, name).values()) add(stored)
  return known
}

/** The states that an index tells, which the caller has reason to believe. */
export function listedStates(index: SiteIndex | null, name: string): States {
  const found = (index?.releases ?? []).map((release) => listedState(release, name)).filter((stored) => stored !== null)
  return new Map(found.map((stored) => [stored.state.version, stored]))
}

/**
 * The same of the index that is in the bucket, for whoever only looks; none when it does not count.
 * @param key null where nothing is signed, or the key is not here: then it is taken as it is
 */
export async function shownStates(bucket: Read & Published, key: PublicKey | null, name: string): Promise<States> {
  try {
    const bytes = await bucket.read(KEYS.index, LIST_LIMIT)
    if (bytes === null) return new Map()
    const index = parseSiteIndex(bytes, KEYS.index)
    const signed = { name, version: `serial-${index.serial}`, path: KEYS.index }
    if (key !== null) await verifySigned(bucket, bytes, signed, key)
    return listedStates(index, name)
  } catch (error) {
    if (error instanceof PitlaneError && error.code === 'VERIFICATION_FAILED') return new Map()
    throw error
  }
}

/** The state as an index tells it, null when it tells none, or one that it can't have been written from. */
function listedState({ version, state: listed }: IndexRelease, name: string): StoredState | null {
  if (listed === undefined) return null
  const { document, ...facts } = listed
  const state: StateDocument = { format: 'pitlane-state/1', name, version, ...facts }
  return sha256Of(encodeState(state)) === document.sha256 ? { state, sha256: document.sha256 } : null
}

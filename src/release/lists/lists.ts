/** Page, lists, feeds and pointers: rendered from every document in the bucket, signed, and put in the order of `PUBLICATION`. */
import type { Bucket } from '../../buckets/types.ts'
import type { Clock } from '../../clock.ts'
import type { Writer } from '../../database/writer.ts'
import { PitlaneError } from '../../errors.ts'
import type { Registry } from '../../image/types.ts'
import { ahead, inParallel } from '../../parallel.ts'
import { STABLE } from '../../plan/channel.ts'
import type { DocumentationPlace } from '../../plan/documentation.ts'
import { KEYS } from '../../plan/keys.ts'
import { compareVersions } from '../../plan/version.ts'
import type { Metering } from '../../run/meter.ts'
import { bodyOf } from '../digest.ts'
import { documentedAt, type ReleaseDocument, revisionOf } from '../document.ts'
import type { DocumentCheck } from '../documents.ts'
import { isChanging } from './changing.ts'
import type { DocumentMemory } from './document-memory.ts'
import { readSiteNow, type StoredSite } from '../documentation/read-site.ts'
import { floatingOperations, refuseTagsBackwards } from './floating.ts'
import { projectChanged } from '../owner.ts'
import { isThere } from '../perform.ts'
import { listable } from './listable.ts'
import { lostReleases, refuseLost } from './lost-releases.ts'
import { type FoundReleases, readChanges, readListing } from './read-documents.ts'
import { signDocument } from '../put-operations.ts'
import { type Operation, operationFacts } from '../publication.ts'
import { listRetired, readRetired, type RetiredDocument, type RetiredListing } from '../retention/retired.ts'
import type { StoredDocument } from '../revisions.ts'
import type { Signer } from '../keys/sign.ts'
import { LIST_LIMIT, listedRevision, type SiteIndex } from './site-index.ts'
import type { Standing } from './standing.ts'
import type { Readers } from '../shown.ts'
import { stateOperations } from '../states/state-operations.ts'
import { isWithdrawn, type States, type StoredState } from '../states/state-document.ts'
import { type FoundStates, knownStates } from '../states/states.ts'

export interface SiteFile {
  readonly key: string
  readonly bytes: Buffer
  readonly contentType: string
  readonly cacheControl: string
  /** Where readers are sent on to. */
  readonly redirect?: string
}

/** Given by composition: `pages/site.ts`, which this room must not know. `index.json` comes last. */
export type RenderSite = (input: {
  readonly name: string
  readonly baseUrl: string
  readonly documents: readonly ReleaseDocument[]
  readonly states: States
  readonly documentation: StoredSite | null
  readonly documentSha256: (document: ReleaseDocument) => string
  readonly publicKey: { readonly minisign: string; readonly pem: string; readonly keyId: string } | null
  readonly serial: number
  readonly generatedAt: number
  readonly stableLinks: boolean
  readonly compare: (a: string, b: string) => number
}) => readonly SiteFile[]

export interface ListParts {
  readonly bucket: Bucket
  /** The bucket as `pitlane.yaml` names it: the same wherever the project lies. */
  readonly place: string
  /** Null where the project publishes no image. */
  readonly registry: Registry | null
  readonly signer: Signer | null
  readonly check: DocumentCheck | null
  readonly render: RenderSite
  readonly name: string
  readonly baseUrl: string
  /** Null where the project says nothing of documentation. */
  readonly documentation: DocumentationPlace | null
  /** Versions that may leave the lists because their documents are gone, and that pointers need not wait for. */
  readonly without?: ReadonlySet<string>
  /** Whether tags that move on are taken over where they name somebody else's image. */
  readonly takeTags?: boolean
  /**
   * Whether objects send readers on, tried once; absent for a bucket that has nothing of the kind. What could not be found out is as it was.
   * @param before what the lists that are there say
   */
  readonly sendsOn?: (before: boolean) => Promise<boolean>
  /** Told what was left out or does not count, and why. */
  readonly note: (message: string) => void
  readonly metering: Metering
  readonly clock: Clock
  /** Knows which lists were put out from here. */
  readonly writer: Writer
  /** What this machine remembers of the bucket's documents; without it all of them are read each time. */
  readonly memory?: DocumentMemory
  /** Does the work while nobody else publishes into the bucket. Not to be called within itself. */
  readonly exclusively: <T>(work: () => Promise<T>) => Promise<T>
}

/** Everything that lists are computed from, read once. */
export interface Site {
  readonly standing: Standing
  /** The releases that are listed. */
  readonly stored: readonly StoredDocument[]
  /** The releases that have left the lists and are still there. */
  readonly retired: readonly RetiredRelease[]
  /** What became of all of them. */
  readonly states: States
  /** States that hold and whose documents are gone: they are put again with the lists. */
  readonly lost: readonly StoredState[]
  /** What the documentation site holds; null where there is none. */
  readonly documentation: StoredSite | null
  /** Milliseconds since 1970: lists are not dated before the ones that they follow, nor before what they list. */
  readonly notBefore: number
  /** Whether addresses that stay lead to the newest stable release. */
  readonly stableLinks: boolean
  /** Whether somebody has announced documents that the lists may not name: over once lists made of this site are out. */
  readonly isChanging: boolean
}

/**
 * @param from `changes`: what this state's own lists name already is believed to be there; `bucket`: whatever the bucket shows, and nothing else
 * @param complete when everything is out that lists may name, for whoever is putting some of it, but no more documents: what is not listed yet is looked at then
 */
export async function readSite(
  parts: ListParts,
  standing: Standing,
  from: 'changes' | 'bucket',
  complete: Promise<void> = Promise.resolve(),
): Promise<Site> {
  const retiring = ahead(listRetired(parts.bucket))
  const documented = ahead(readSiteNow(parts.bucket, parts.name, parts.check))
  const changing = ahead(isChanging(parts.bucket))
  const own = from === 'changes' && standing.isOwn ? standing.index : null
  const found =
    own !== null && !(await changing)
      ? await readChanges(parts, own)
      : await readListing(parts, standing.proven ? standing.index : null)
  const { documents } = found
  const { present, retired, marks } = await withoutRetired(parts, documents, await retiring)
  refuseLost(parts, lostReleases(standing, documents), marks)
  await complete
  const { listed: stored, incomplete } = await listable(parts, present, standing.proven ? standing.index : null)
  for (const { version, lacks } of incomplete) parts.note(`${version} is not listed: it lacks ${lacks}`)
  const there = new Map(documents.map(({ document }) => [document.version, revisionOf(document)]))
  for (const listed of (standing.proven && standing.index?.releases) || []) {
    const { version } = listed
    const revision = there.get(version)
    if (revision !== undefined && revision < listedRevision(listed))
      throw revisionGone(parts.bucket, version, revision, listedRevision(listed))
  }
  const foreign = stored.find(({ document }) => document.name !== parts.name)
  if (foreign !== undefined) throw projectChanged(parts.bucket, foreign.document.name, parts.name)
  const everything = [...stored, ...retired.map((release) => release.stored)]
  const { states, lost } = await readSiteStates(parts, standing, found, everything)
  // A date that nobody signed is shown where it stands, and moves no other.
  const signed = [
    ...stored.map(({ document }) => documentedAt(document)),
    ...[...states.values()].map(({ state }) => state.date),
  ]
  const dates = parts.check === null ? [] : signed.map((date) => Date.parse(date))
  const notBefore = dates.reduce((a, b) => Math.max(a, b), standing.generatedAt)
  const stableLinks = parts.sendsOn !== undefined && standing.index?.stableLinks === true
  const documentation = await documented
  await parts.memory?.save()
  return { standing, stored, retired, states, lost, documentation, notBefore, stableLinks, isChanging: await changing }
}

/** Every release that there is, listed or not. */
export function releasesOf({ stored, retired }: Pick<Site, 'stored' | 'retired'>): readonly ReleaseDocument[] {
  return [...stored, ...retired.map((release) => release.stored)].map(({ document }) => document)
}

async function readSiteStates(
  parts: ListParts,
  standing: Standing,
  releases: FoundReleases,
  stored: readonly StoredDocument[],
): Promise<FoundStates> {
  // Where nothing is signed, the index is as good as the documents.
  const index = standing.proven || parts.signer === null ? standing.index : null
  const known = await knownStates(parts.writer.db, parts.place, parts.name, index)
  const found = await releases.statesOf(stored, known)
  for (const { state } of found.lost) {
    const key = KEYS.state(state.version, state.revision)
    parts.note(
      `${key} is gone from the bucket: readers were shown it, so that it holds, and it comes back with the lists`,
    )
  }
  return found
}

export interface RetiredRelease {
  readonly stored: StoredDocument
  readonly mark: RetiredDocument
}

/** A mark of another document than the one that is there says nothing of this one. */
async function withoutRetired(parts: ListParts, documents: readonly StoredDocument[], listing: RetiredListing) {
  const there = new Map(documents.map((stored) => [stored.document.version, stored]))
  const { marks, strays } = await readRetired(parts.bucket, listing, new Set(there.keys()), parts.check)
  for (const stray of strays) parts.note(stray)
  const retired: RetiredRelease[] = []
  for (const mark of marks) {
    const stored = there.get(mark.version)
    if (stored === undefined) continue
    if (stored.sha256 === mark.document) retired.push({ stored, mark })
    else parts.note(`${KEYS.retired(mark.version)} does not count: it is of another document of ${mark.version}`)
  }
  const gone = new Set(retired.map(({ stored }) => stored))
  return { present: documents.filter((stored) => !gone.has(stored)), retired, marks }
}

type Listed = Pick<Site, 'stored' | 'standing' | 'states' | 'documentation' | 'stableLinks'>

/** What the lists have to be with this serial and date, without signatures, the index last; refuses to move a pointer backwards. */
export function listFiles(
  parts: Omit<ListParts, 'exclusively'>,
  site: Listed,
  serial: number,
  generatedAt: number,
): readonly SiteFile[] {
  return listsOf(parts, site, serial, generatedAt).files
}

/** The same, and what the index among them says. */
function listsOf(
  parts: Omit<ListParts, 'exclusively'>,
  { stored, standing, states, documentation, stableLinks }: Listed,
  serial: number,
  generatedAt: number,
): { readonly files: readonly SiteFile[]; readonly index: SiteFile; readonly next: SiteIndex } {
  const documents = stored.map(({ document }) => document)
  const digests = new Map(stored.map(({ document, sha256 }) => [document, sha256]))
  const { name, baseUrl, signer } = parts
  const publicKey = signer === null ? null : signer.publicKey
  const documentSha256 = (document: ReleaseDocument) => {
    const sha256 = digests.get(document)
    if (sha256 === undefined) throw new PitlaneError('INTERNAL', `${document.version} was not read from the bucket`)
    return sha256
  }
  const files = rendered(parts.render, {
    name,
    baseUrl,
    documents,
    states,
    documentation,
    documentSha256,
    publicKey,
    serial,
    generatedAt,
    stableLinks,
    compare: compareVersions,
  })
  const index = files.at(-1)
  if (index?.key !== KEYS.index) throw new PitlaneError('INTERNAL', 'index.json has to be rendered last')
  // Rendered right here, and read as strangers read it when it is published.
  const next = JSON.parse(index.bytes.toString('utf8')) as SiteIndex
  const mayGo = (version: string) => isWithdrawn(states, version) || parts.without?.has(version) === true
  refuseBackwards(standing, mayGo, next)
  if (standing.proven) refuseTagsBackwards(standing.index?.floating, next.floating, mayGo)
  return { files, index, next }
}

/** @throws PitlaneError `PLAN_CONTRADICTION` where the lists would be longer than anybody reads */
function rendered(render: RenderSite, input: Parameters<RenderSite>[0]): readonly SiteFile[] {
  const refuse = (key: string, size: string, cause?: unknown) =>
    new PitlaneError(
      'PLAN_CONTRADICTION',
      `${key} would have ${size} bytes with ${input.documents.length} releases, more than the ${LIST_LIMIT} that are read`,
      {
        hint: 'Nothing was written. Let old releases go (`retention:` in pitlane.yaml), or move what nobody needs any more out of _releases/.',
        cause,
      },
    )
  try {
    const files = render(input)
    const large = files.find(({ bytes }) => bytes.length > LIST_LIMIT)
    if (large === undefined) return files
    throw refuse(large.key, String(large.bytes.length))
  } catch (error) {
    // No text of JavaScript has more than 512 MiB.
    if (error instanceof RangeError && /string length/.test(error.message)) throw refuse(KEYS.index, 'too many', error)
    throw error
  }
}

/** The same as operations, signed. */
export function listOperations(
  parts: ListParts,
  site: Pick<Site, 'stored' | 'retired' | 'standing' | 'states' | 'lost' | 'documentation' | 'stableLinks'>,
  serial: number,
  generatedAt: number,
): readonly Operation[] {
  const { name, signer } = parts
  const { files, index, next } = listsOf(parts, site, serial, generatedAt)
  // The signatures of the index go right before it: what they sign appears with the next operation.
  const signed = signer === null ? [] : signDocument(signer, name, `serial-${serial}`, KEYS.index, index.bytes)
  const known = releasesOf(site)
  const { floating = [] } = next
  return [
    ...site.lost.flatMap(({ state }) => stateOperations(signer, state, 'lists')),
    ...files.slice(0, -1).map(putFile),
    ...abandonedLinks(site, known, files).map((key): Operation => ({ to: 'removal', entry: 'lists', key })),
    ...(parts.registry === null ? [] : floatingOperations(parts.registry, floating, known, parts.takeTags === true)),
    ...signed.map((side) => putFile({ ...side, cacheControl: index.cacheControl })),
    putFile(index),
  ]
}

/** Addresses that once led to a release and have nowhere to lead now: whoever asks is told that there is nothing. */
function abandonedLinks(
  { standing, stableLinks }: Pick<Site, 'standing' | 'stableLinks'>,
  known: readonly ReleaseDocument[],
  files: readonly SiteFile[],
): readonly string[] {
  if (!stableLinks && standing.index?.stableLinks !== true) return []
  const kept = new Set(files.map(({ key }) => key))
  const all = known
    .filter(({ channel }) => channel === STABLE)
    .flatMap((document) => document.files.map(({ target, name }) => KEYS.stable(target, name)))
    .flatMap((key) => [key, `${key}.sha256`, `${key}.minisig`])
  return [...new Set(all)].filter((key) => !kept.has(key)).sort()
}

function putFile({ key, bytes, contentType, cacheControl, redirect }: SiteFile): Operation {
  const options = { contentType, cacheControl, exclusive: false, ...(redirect !== undefined && { redirect }) }
  return { to: 'bucket', entry: 'lists', key, body: bodyOf(bytes), options }
}

/** @param mayGo a version that is withdrawn, by a signed state, or given up by name: it no longer holds the pointer where it is */
function refuseBackwards(
  { stable, index, proven }: Standing,
  mayGo: (version: string) => boolean,
  next: Pick<SiteIndex, 'pointers'>,
): void {
  const after = next.pointers['stable']
  // What lacks targets was never pointed to.
  const listed = ((proven && index?.releases) || []).filter(
    ({ channel, withdrawn, byHand }) => channel === 'stable' && !withdrawn && !byHand?.missing.length,
  )
  const before = [stable, ...listed.map(({ version }) => version)]
    .filter((version) => version !== null)
    .filter((version) => !mayGo(version))
    .toSorted(compareVersions)
    .at(-1)
  if (before === undefined) return
  if (after !== undefined && compareVersions(after, before) >= 0) return
  throw new PitlaneError(
    'PLAN_CONTRADICTION',
    `the newest stable version would go back from ${before} to ${after ?? 'none'}`,
    {
      hint: `Pointers only move forward. ${KEYS.document(before)} is missing from the bucket: put its folder back, or the whole bucket as it was.`,
    },
  )
}

/** A release was listed with a later document than there is: readers would be shown an older one. */
function revisionGone({ location }: Bucket, version: string, there: number, listed: number): PitlaneError {
  return new PitlaneError(
    'PLAN_CONTRADICTION',
    `${version} would go back from revision ${listed} of its document to revision ${there}`,
    { hint: `${location}/${KEYS.document(version, listed)} is gone: put it back from a copy, with its signatures.` },
  )
}

async function exists(bucket: Readers['bucket'], key: string): Promise<boolean> {
  const there = await bucket.open(key)
  there?.destroy()
  return there !== null
}

/** How many objects are looked at at once. */
const PARALLEL = 16

/** Keys of these operations whose objects the bucket does not have with these bytes, and tags that do not lead where they should. */
export async function staleKeys(
  { bucket, registry }: Readers,
  operations: readonly Operation[],
): Promise<readonly string[]> {
  const isStale = async (operation: Operation): Promise<boolean> => {
    switch (operation.to) {
      case 'floating': {
        const { repository, tag, digest } = operation
        // Not every registry takes a tag away.
        if (digest === null || registry === null) return false
        return (await registry.resolveTag(repository, tag))?.digest !== digest
      }
      case 'removal':
        // Behind an address nobody asks for what is not there.
        return bucket.list !== undefined && (await exists(bucket, operation.key))
      default:
        return operation.to === 'bucket' && !(await isThere(bucket, operation))
    }
  }
  const stale = await inParallel(operations, PARALLEL, isStale)
  return operations.filter((_, at) => stale[at]).map((operation) => operationFacts(operation).destination)
}

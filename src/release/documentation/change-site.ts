/**
 * Changes the documentation site, while nobody else publishes: what left it long enough ago is removed, what will be there is announced, files are
 * put, and at last the document says what the site holds. Killed anywhere, the same call goes on, as does whoever comes next with another site.
 */
import { Readable } from 'node:stream'
import type { Body, Bucket } from '../../buckets/types.ts'
import { replaceOperations } from '../../database/queries/publications.ts'
import { PitlaneError } from '../../errors.ts'
import { inParallel } from '../../parallel.ts'
import { carryOutEntry, type Journal, journalRows } from '../journal.ts'
import type { ListParts } from '../lists/list-parts.ts'
import { type Operation, PUBLICATION } from '../publication.ts'
import { type Change, changeOf, filesOf, type SiteDocuments, type Wanted } from './difference.ts'
import type { DocumentationSite, SiteEntry } from './documents.ts'
import { changeOperations, SITE_ENTRIES } from './operations.ts'
import { readSiteNext, readSiteNow } from './read-site.ts'

/** Requests at once. */
const PARALLEL = 8

/** A site that is wanted, and where its bytes are. */
export interface Target extends Wanted {
  /** Throws `STORAGE_FAILED` when they are gone. Null where they are nowhere but in the site itself: it can then lose files, and get none. */
  readonly body: ((file: SiteEntry) => Promise<Body>) | null
}

export interface SiteChange extends Change {
  readonly operations: readonly Operation[]
}

type Parts = Pick<ListParts, 'bucket' | 'name' | 'check' | 'signer'>

export interface FoundDocuments extends SiteDocuments {
  /** Whether nothing of what goes with `now` is missing. */
  readonly isWhole: boolean
}

export async function readSiteDocuments({ bucket, name, check }: Parts): Promise<FoundDocuments> {
  const [now, next] = [await readSiteNow(bucket, name, check), await readSiteNext(bucket, name, check)]
  return { now: now?.site ?? null, next: next?.site ?? null, isWhole: now?.isWhole !== false }
}

/**
 * What has to be done; null when nothing has.
 * @param at milliseconds since 1970
 */
export async function planChange(
  parts: Parts,
  documents: FoundDocuments,
  target: Target,
  { at, grace }: { readonly at: number; readonly grace: number },
): Promise<SiteChange | null> {
  const bytesOf = target.body
  const there = bytesOf === null ? null : await sizes(parts.bucket, target)
  const change = changeOf(documents, target, { there, at, grace })
  if (change === null)
    return documents.now === null || documents.isWhole ? null : signedAgain(documents.now, parts.signer)
  const files = filesOf(change.put)
  const bodies = new Map<string, Body>()
  await inParallel(files, PARALLEL, async (file) => void (bytesOf && bodies.set(file.key, await bytesOf(file))))
  const bodyFor = (file: SiteEntry) => bodies.get(file.key) ?? noBytes(file)
  return { ...change, operations: changeOperations(change, parts.signer, bodyFor) }
}

/** Whoever put the document died before its last signature. */
function signedAgain(site: DocumentationSite, signer: Parts['signer']): SiteChange {
  const put = { assets: [], newPages: [], begunPages: [], changedPages: [], top: [] }
  const change: Change = { remove: [], announce: false, put, site }
  return { ...change, operations: changeOperations(change, signer, noBytes) }
}

function noBytes({ key }: SiteEntry): never {
  throw new PitlaneError('INTERNAL', `no bytes for ${key}`)
}

/** Bytes by key of what is there of a site: what somebody else has removed, or cut off, is put again. */
export async function sizes(
  bucket: Bucket,
  { path, files }: Pick<Wanted, 'path' | 'files'>,
): Promise<ReadonlyMap<string, number>> {
  const found = new Map<string, number>()
  if (path !== '') {
    for await (const { key, size } of bucket.list(path)) found.set(key, size)
    return found
  }
  // The top of the bucket holds everything else, too.
  await inParallel(files, PARALLEL, async ({ key }) => {
    const facts = await bucket.head(key)
    if (facts !== null) found.set(key, facts.size)
  })
  return found
}

/** Before the first entry: what is over is removed, what is to be done is written down. */
export async function beginChange(journal: Journal, change: SiteChange | null): Promise<void> {
  const { remove, operations } = change ?? { remove: [], operations: [] }
  const { bucket, writer, version } = journal
  if (bucket === null) throw new PitlaneError('INTERNAL', 'documentation without a bucket')
  for (const key of remove) {
    goOn(journal)
    await bucket.delete(key)
  }
  // Each of them finds out by itself whether it happened.
  await writer.write(async (trx) => {
    for (const entry of SITE_ENTRIES) {
      const own = operations.filter((operation) => operation.entry === entry)
      await replaceOperations(trx, version, entry, journalRows(own))
    }
  })
}

function goOn({ stop, title }: Journal): void {
  if (!stop.aborted) return
  throw new PitlaneError('INTERRUPTED', `${title} was stopped before it was complete`, {
    hint: 'Run the same command again: it goes on where it was.',
  })
}

export async function changeSite(journal: Journal, change: SiteChange): Promise<void> {
  await beginChange(journal, change)
  for (const entry of PUBLICATION)
    if (SITE_ENTRIES.includes(entry.id)) await carryOutEntry(journal, entry, change.operations)
}

/** The bytes of an object of the bucket, under another name. */
export function copyOf(bucket: Bucket, key: string, { size, sha256 }: Pick<SiteEntry, 'size' | 'sha256'>): Body {
  async function* bytes(): AsyncGenerator<Buffer> {
    const stream = await bucket.open(key)
    if (stream === null)
      throw new PitlaneError('STORAGE_FAILED', `${bucket.location}/${key} is gone`, {
        hint: 'It holds documentation under its version: put it back from a copy.',
      })
    yield* stream as AsyncIterable<Buffer>
  }
  return { size, sha256, open: () => Readable.from(bytes(), { objectMode: false }) }
}

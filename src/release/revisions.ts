/**
 * Revisions of a document: a release that is made by hand grows target by target, one that was adopted gets its digests, and each time there is a new
 * document under a new name, which names the one before by digest. `release.json` is revision 1 and stays as it is; whoever reads takes the newest, and believes no chain with a gap.
 */
import { sha256Of } from '../bytes/digest.ts'
import type { Bucket } from '../buckets/types.ts'
import { KEYS } from '../plan/keys.ts'
import { chainOf, isAdopted, MOST_REVISIONS, type ReleaseDocument, revisionOf } from './document.ts'
import { wrong } from './verify/findings.ts'
import { LIST_LIMIT, listedRevision, parseSiteIndex } from './lists/site-index.ts'

/** A document with the SHA-256 of the bytes it was read from: a later version may write the same facts differently. */
export interface StoredDocument<Document extends ReleaseDocument = ReleaseDocument> {
  readonly document: Document
  readonly sha256: string
}

/** Reads, parses and verifies the document under a key; null when there is none. */
export type ReadRevision = (
  key: string,
) => Promise<{ readonly document: ReleaseDocument; readonly bytes: Buffer } | null>

/**
 * From revision 1 on, each following the one before.
 * @param newest how far there have to be revisions, at least
 * @throws PitlaneError `VERIFICATION_FAILED` when one is missing or does not follow
 */
export async function followRevisions(
  version: string,
  read: ReadRevision,
  newestOf: (first: ReleaseDocument) => Promise<number>,
): Promise<StoredDocument | null> {
  const first = await read(KEYS.document(version))
  if (first === null) return null
  let stored = storedOf(first)
  requireNumber(stored.document, 1, KEYS.document(version))
  if (chainOf(first.document) === null) return stored
  const newest = await newestOf(first.document)
  for (let revision = 2; revision <= newest; revision += 1) {
    const key = KEYS.document(version, revision)
    const next = await read(key)
    if (next === null) throw wrong(`${key} is missing, and there is or was a revision ${newest} of ${version}`)
    requireNumber(next.document, revision, key)
    const previous = chainOf(next.document)?.previousSha256 ?? null
    if (previous !== stored.sha256)
      throw wrong(
        `${key} follows a revision with SHA-256 ${previous ?? 'none'}, and the one before it has ${stored.sha256}`,
      )
    if (isAdopted(next.document) !== isAdopted(stored.document))
      throw wrong(
        `${key} says that the release was ${isAdopted(next.document) ? '' : 'not '}adopted, and the one before it the opposite`,
      )
    stored = storedOf(next)
  }
  return stored
}

function storedOf({ document, bytes }: { readonly document: ReleaseDocument; readonly bytes: Buffer }): StoredDocument {
  return { document, sha256: sha256Of(bytes) }
}

function requireNumber(document: ReleaseDocument, revision: number, key: string): void {
  if (revisionOf(document) !== revision) throw wrong(`${key} says that it is revision ${revisionOf(document)}`)
  if (revision === 1 && (chainOf(document)?.previousSha256 ?? null) !== null)
    throw wrong(`${key} is the first revision and names one before it`)
}

/** The highest revision whose document is in the bucket; 1 where there is none but the first, or none at all. */
export async function newestInBucket(bucket: Pick<Bucket, 'list'>, version: string): Promise<number> {
  const prefix = `${KEYS.folder(version)}release.`
  let newest = 1
  for await (const { key } of bucket.list(prefix)) newest = Math.max(newest, revisionNumber(key.slice(prefix.length)))
  return newest
}

/** Of what follows `release.` in a name; 0 where it is no later revision. */
export function revisionNumber(text: string): number {
  const [, digits = '0'] = /^([1-9][0-9]{0,2})\.json$/.exec(text) ?? []
  return Number(digits) <= MOST_REVISIONS ? Number(digits) : 0
}

/**
 * The revision that the list of releases names: nobody else can be asked where a folder can't be listed. 1 without a list that can be read; a
 * list that is an old one names an old revision, which is told by its serial and expiry.
 */
export async function newestInIndex(bucket: Pick<Bucket, 'read'>, version: string): Promise<number> {
  const bytes = await bucket.read(KEYS.index, LIST_LIMIT)
  if (bytes === null) return 1
  try {
    const { releases } = parseSiteIndex(bytes, KEYS.index)
    const listed = releases.find((release) => release.version === version)
    return listed === undefined ? 1 : listedRevision(listed)
  } catch {
    // What is wrong with the list is found where it is verified.
    return 1
  }
}

/**
 * `_releases/_retired/<version>.json`: a small signed document which says that a version has left the lists, and what will be removed when.
 * Lists are computed from release documents without the retired ones. It names everything that goes with the version, and goes last
 * itself, so that whoever finds it can finish the removal.
 */
import { z } from 'zod'
import type { Bucket } from '../../buckets/types.ts'
import { PitlaneError } from '../../errors.ts'
import { inParallel } from '../../parallel.ts'
import { KEYS } from '../../plan/keys.ts'
import { imageTag } from '../../plan/version.ts'
import { hex64, imageDigest, isoDate, objectKey, versionName } from '../document.ts'
import { siteKey } from '../documentation/documents.ts'
import type { DocumentCheck } from '../documents.ts'
import { parseFormat } from '../format.ts'

/** Bytes. */
const RETIRED_LIMIT = 16 * 1024 * 1024
const SIGNATURE_LIMIT = 4096
const PARALLEL = 16
/** More than any project retires in the grace time of a version. */
const MOST_RETIRED = 100_000

const StoredObject = z.strictObject({ key: objectKey, size: z.int().nonnegative() })
const StoredContent = z.strictObject({ repository: z.string(), digest: imageDigest, size: z.int().nonnegative() })

/** Everything that goes with a version, each list in the order in which it is removed. Sizes are bytes, 0 for what was not there. */
const Contents = z.strictObject({
  /** The multi-platform one first. */
  tags: z.array(z.strictObject({ repository: z.string(), tag: z.string(), digest: imageDigest })).max(1000),
  /** Indexes before what they name. */
  manifests: z.array(StoredContent).max(10_000),
  blobs: z.array(StoredContent).max(10_000),
  /** All below the version's own folder; documents last, and of those the first revision of the release document first. */
  objects: z.array(StoredObject).max(10_000),
  /** Documentation that is kept under the version, pages first; absent where none is. */
  documentation: z
    .array(z.strictObject({ key: siteKey, size: z.int().nonnegative() }))
    .max(20_000)
    .optional(),
})
export type Contents = z.infer<typeof Contents>

export const RetiredDocument = z
  .strictObject({
    format: z.literal('pitlane-retired/1'),
    name: z.string(),
    version: versionName,
    channel: z.string(),
    /** SHA-256 of the release document: a mark speaks of exactly that one. */
    document: hex64,
    publishedAt: isoDate,
    retiredAt: isoDate,
    /** Before this nothing is removed. */
    removeAfter: isoDate,
    /** In words. */
    reason: z.string(),
    contents: Contents,
  })
  // Also without a signature nobody makes a mark remove what belongs to another version.
  .refine(
    ({ version, contents }) => contents.objects.every(({ key }) => key.startsWith(KEYS.folder(version))),
    'names other objects',
  )
  .refine(
    ({ version, contents }) => contents.documentation?.every(({ key }) => `/${key}`.includes(`/${version}/`)) ?? true,
    'names other documentation',
  )
  .refine(({ version, contents }) => contents.tags.every(({ tag }) => tag === imageTag(version)), 'names other images')
export type RetiredDocument = z.infer<typeof RetiredDocument>

/** `removeAfter` of a version whose document was lost: its mark keeps the name from being used again, for ever. */
export const NEVER = '9999-12-31T23:59:59Z'

/** Whether the mark takes this document off the lists. One that was given up and has come back, the same as it was, is as before. */
export function retires(mark: RetiredDocument, { sha256 }: { readonly sha256: string }): boolean {
  return mark.document === sha256 && mark.removeAfter !== NEVER
}

export function encodeRetired(retired: RetiredDocument): Buffer {
  return Buffer.from(`${JSON.stringify(RetiredDocument.parse(retired), null, 2)}\n`)
}

/** What lies below `_releases/_retired/`. */
export interface RetiredListing {
  /** Versions that have a mark. */
  readonly versions: readonly string[]
  /** Versions of which only signatures of a mark are left. */
  readonly remains: readonly string[]
}

/** @throws PitlaneError `STORAGE_FAILED` when there are more than any project has */
export async function listRetired(bucket: Bucket): Promise<RetiredListing> {
  const marked = new Set<string>()
  const signed = new Set<string>()
  let count = 0
  for await (const { key } of bucket.list(KEYS.retiredFolder)) {
    count += 1
    if (count > 3 * MOST_RETIRED)
      throw new PitlaneError(
        'STORAGE_FAILED',
        `${bucket.location}/${KEYS.retiredFolder} has more objects than are read`,
        {
          hint: 'Pitlane writes three for each retired version. Look at what they are.',
        },
      )
    const [, version, side] = /^([^/]+)\.json(\.minisig|\.sig)?$/.exec(key.slice(KEYS.retiredFolder.length)) ?? []
    if (version !== undefined) (side === undefined ? marked : signed).add(version)
  }
  return { versions: [...marked], remains: [...signed].filter((version) => !marked.has(version)) }
}

export interface Marks {
  readonly marks: readonly RetiredDocument[]
  /** Objects in the place of marks that are none, of versions without a document: they change nothing. Sentences. */
  readonly strays: readonly string[]
}

/**
 * @param listing which of them are asked for
 * @param documented versions that have a document: of those a mark decides whether they are listed
 * @throws PitlaneError `VERIFICATION_FAILED` for one of a documented version that the project has not signed
 */
export async function readRetired(
  bucket: Bucket,
  { versions }: RetiredListing,
  documented: ReadonlySet<string>,
  check: DocumentCheck | null,
): Promise<Marks> {
  const found = await inParallel(versions, PARALLEL, async (version) => {
    try {
      return await readMark(bucket, version, check)
    } catch (error) {
      const isBad = error instanceof PitlaneError && error.code === 'VERIFICATION_FAILED'
      if (!isBad || documented.has(version)) throw error
      return `${error.message}. There is no ${version}, so that it counts for nothing: remove it when it is not yours.`
    }
  })
  return {
    marks: found.filter((mark) => mark !== null && typeof mark !== 'string'),
    strays: found.filter((mark) => typeof mark === 'string'),
  }
}

/** Null where there is none. */
export async function readMark(
  bucket: Pick<Bucket, 'location' | 'read'>,
  version: string,
  check: DocumentCheck | null,
): Promise<RetiredDocument | null> {
  const key = KEYS.retired(version)
  const bytes = await bucket.read(key, RETIRED_LIMIT)
  if (bytes === null) return null
  const where = `${bucket.location}/${key}`
  const minisig = check === null ? null : await bucket.read(`${key}.minisig`, SIGNATURE_LIMIT)
  const refuse = (problem: string, cause?: unknown) =>
    new PitlaneError('VERIFICATION_FAILED', `${where} ${problem}`, {
      hint: `It would take ${version} off the lists, and is not as the project signed it: remove it when it is not yours.`,
      cause,
    })
  const retired = parseRetired(bytes, where, refuse)
  if (retired.version !== version) throw refuse(`is of ${retired.version}`)
  if (check === null) return retired
  if (minisig === null) throw refuse('has no signature')
  try {
    check.verify(bytes, minisig.toString('utf8'), key, retired)
  } catch (error) {
    if (error instanceof PitlaneError && error.code === 'VERIFICATION_FAILED') throw refuse(error.message, error)
    throw error
  }
  return retired
}

function parseRetired(
  bytes: Buffer,
  where: string,
  refuse: (problem: string, cause: unknown) => PitlaneError,
): RetiredDocument {
  try {
    const what = 'the mark of a retired version'
    return parseFormat(bytes, where, { format: 'pitlane-retired/1', schema: RetiredDocument, what })
  } catch (error) {
    if (!(error instanceof PitlaneError) || error.code !== 'VERIFICATION_FAILED') throw error
    throw refuse(error.message.slice(where.length + 1), error)
  }
}

/**
 * A version that is on its way out is not published beside that.
 * @throws PitlaneError `CONTRADICTION`
 */
export async function requireNotRetired(
  bucket: Pick<Bucket, 'location' | 'read'>,
  version: string,
  check: DocumentCheck | null,
): Promise<void> {
  const retired = await readMark(bucket, version, check)
  if (retired === null) return
  throw new PitlaneError('CONTRADICTION', `${version} was retired at ${retired.retiredAt}: ${retired.reason}`, {
    hint:
      retired.removeAfter === NEVER
        ? 'A name that readers were shown never gets other bytes: release under a new version.'
        : `Add it to retention.pins in pitlane.yaml and run \`pitlane retention apply\`: until ${retired.removeAfter} it comes back. Or release under a new version.`,
  })
}

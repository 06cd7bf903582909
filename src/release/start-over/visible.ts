/**
 * Whether anybody may have been told of a version: then it never gets other bytes. Everything that could tell is looked at, whoever wrote it and
 * whatever became of its signatures; what can't be read ends the work.
 */
import type { Reader } from '../../database/writer.ts'
import { findListing, ownListings } from '../../database/queries/listings.ts'
import { doneOperations, findPublication } from '../../database/queries/publications.ts'
import type { Registry } from '../../image/types.ts'
import { KEYS } from '../../plan/keys.ts'
import type { Plan } from '../../plan/plan.ts'
import { DOCUMENT_LIMIT } from '../documents.ts'
import { imageIn, type ReleaseDocument } from '../document.ts'
import { LIST_LIMIT } from '../lists/site-index.ts'
import type { ReleaseParts } from '../release.ts'

const LISTS = [
  KEYS.page,
  KEYS.garageList,
  KEYS.index,
  KEYS.atomAll,
  KEYS.atomStable,
  KEYS.installScript,
  // Pages of the site go out before the lists, once they are announced.
  KEYS.documentationNow,
  KEYS.documentationNext,
] as const
/** Put with the lists, and no list: keys, and a script that names only what is withdrawn or was made by hand. */
const NAMELESS: readonly string[] = [KEYS.publicKey, KEYS.publicKeyPem, KEYS.installScript]
/** Where pointers begin: `latest`, and `latest-` with a channel. */
const POINTERS = KEYS.latest

type Parts = Pick<ReleaseParts, 'bucket' | 'registry' | 'readers' | 'engine'> & {
  readonly lists: Pick<ReleaseParts['lists'], 'place'>
}

/**
 * What makes it visible, in words; null when nothing does.
 * @param document the one of it that is in the bucket, null when there is none
 */
export async function whatShows(parts: Parts, plan: Plan, document: ReleaseDocument | null): Promise<string | null> {
  const { bucket, registry, readers, engine } = parts
  const { version } = plan
  return (
    (await ownRows(engine.writer.db, parts.lists.place, version)) ??
    (await lists(bucket, version)) ??
    (await first(bucket.list(KEYS.states(version)), (key) => `${key} says what became of it`)) ??
    (await first(bucket.list(KEYS.retired(version)), (key) => `${key} says that it was retired`)) ??
    (registry === null ? null : await tags(registry, plan, document)) ??
    (document === null || readers.bucket === bucket ? null : await served(readers, version))
  )
}

/** What this state remembers of it, also where that was removed since. */
async function ownRows(db: Reader, place: string, version: string): Promise<string | null> {
  if ((await findPublication(db, version))?.state === 'published') return 'it was published from here'
  if ((await doneOperations(db, version, 'tags')).length > 0) return 'an image of it was tagged from here'
  if ((await doneOperations(db, version, 'site-announced')).length > 0)
    return 'its documentation was announced from here'
  const listed = (await doneOperations(db, version, 'lists')).find((key) => !NAMELESS.includes(key))
  if (listed !== undefined) return `${listed}, which names it, was put from here`
  if ((await findListing(db, version))?.state === 'published') return 'lists that name it were put from here'
  return (await ownListings(db, place)).stable === version ? 'lists from here pointed to it' : null
}

async function lists(bucket: Parts['bucket'], version: string): Promise<string | null> {
  for (const key of LISTS) {
    const text = (await bucket.read(key, LIST_LIMIT))?.toString('utf8')
    if (text !== undefined && names(text, version)) return `${key} names it`
  }
  for await (const { key } of bucket.list(POINTERS)) {
    if (key !== KEYS.latest && !key.startsWith(KEYS.latestOf(''))) continue
    const text = (await bucket.read(key, LIST_LIMIT))?.toString('utf8')
    if (text?.trim() === version) return `${key} points to it`
  }
  return null
}

/**
 * Whether a list tells of a version as lists do: by a path below its folder, its anchor on the page, or its name in JSON, in a case of a script.
 * What release notes of another version say in passing is no list's word.
 */
export function names(text: string, version: string): boolean {
  const folder = KEYS.folder(version)
  const encoded = KEYS.folder(encodeURIComponent(version))
  return (
    text.includes(folder) ||
    text.includes(encoded) ||
    [`"${version}"`, `#${version}"`, `#${version}<`, `'${version}')`, `    ${version}) sums=`].some((word) =>
      text.includes(word),
    )
  )
}

async function first(
  found: AsyncIterable<{ readonly key: string }>,
  words: (key: string) => string,
): Promise<string | null> {
  for await (const { key } of found) return words(key)
  return null
}

/** Under the names of the plan, and under those that its document gives: they may differ. */
async function tags(registry: Registry, { release }: Plan, document: ReleaseDocument | null): Promise<string | null> {
  const planned = release?.image ?? null
  const published = document === null ? null : imageIn(document)
  const moving = new Set<string>()
  const own = new Map<string, { readonly repository: string; readonly tag: string }>()
  for (const image of [planned, published]) {
    if (image === null) continue
    for (const repository of [image.repository, ...image.platforms.map((platform) => platform.repository)])
      own.set(`${repository}:${image.tag}`, { repository, tag: image.tag })
    for (const tag of image.floating ?? []) moving.add(`${image.repository}:${tag}`)
  }
  for (const [name, { repository, tag }] of own)
    if ((await registry.resolveTag(repository, tag)) !== null) return `the image ${name} is there`
  const digest = published?.digest
  for (const name of digest === undefined ? [] : moving) {
    const at = name.lastIndexOf(':')
    const there = await registry.resolveTag(name.slice(0, at), name.slice(at + 1))
    if (there?.digest === digest) return `the image ${name} is its own`
  }
  return null
}

/**
 * Its document is signed and names its bytes: where everybody can fetch it, it was said what the version is, and caches keep it for a year. It is
 * asked for only where it is in the bucket, so that nobody remembers that it was not there.
 */
async function served({ bucket }: Parts['readers'], version: string): Promise<string | null> {
  const there = await bucket.read(KEYS.document(version), DOCUMENT_LIMIT)
  return there === null ? null : `${bucket.location}/${KEYS.document(version)} is served to everybody`
}

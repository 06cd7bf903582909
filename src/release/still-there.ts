/** That a version is listed says that it was whole once. Whether it still is, by presence and size: the bytes are the matter of `verify`. */
import type { Bucket } from '../buckets/types.ts'
import { PitlaneError } from '../errors.ts'
import { inParallel } from '../parallel.ts'
import { KEYS } from '../plan/keys.ts'
import type { BuiltDocument } from './document.ts'
import { sizes } from './documentation/change-site.ts'
import { entriesBelow } from './documentation/documents.ts'
import { readFiles, readSiteNow } from './documentation/read-site.ts'
import type { ListParts } from './lists/list-parts.ts'
import { lackingImage, type ListableParts } from './lists/listable.ts'

type StillParts = ListableParts & Pick<ListParts, 'name' | 'check'>

/** Requests at once. */
const PARALLEL = 16

/** @throws PitlaneError `STORAGE_FAILED` that names the first thing that is missing */
export async function requireStillThere(parts: StillParts, document: BuiltDocument): Promise<void> {
  const { bucket } = parts
  const { version } = document
  const wrong = await inParallel(keysOf(document), PARALLEL, (expected) => whatIsWrong(bucket, expected))
  const first = wrong.find((found) => found !== null) ?? null
  if (first !== null)
    throw new PitlaneError('STORAGE_FAILED', `${version} is published, and ${bucket.location}/${first}`, {
      hint: 'Put it back from a copy; `pitlane verify` names everything that is missing. What is built again may have other bytes.',
    })
  await requireDocumentation(parts, document)
  const image = await lackingImage(parts.registry, document.image)
  if (image !== null)
    throw new PitlaneError('STORAGE_FAILED', `${version} is published, and ${image} is no longer what it published`, {
      hint: 'Put it back from a copy, by digest: `pitlane verify` says which one.',
    })
  // It is what the command sends people to.
  if ((await bucket.head(KEYS.page)) !== null) return
  throw new PitlaneError(
    'STORAGE_FAILED',
    `${version} is published, and ${bucket.location}/${KEYS.page} is no longer there`,
    { hint: 'Run `pitlane pages rebuild`: it computes page and lists from the documents again.' },
  )
}

/** What is kept under the version, and the site where it is of this version. */
async function requireDocumentation({ bucket, name, check }: StillParts, document: BuiltDocument): Promise<void> {
  const { version, documentation } = document
  if (documentation === undefined) return
  const { kept } = documentation
  const site = (await readSiteNow(bucket, name, check))?.site
  const files = kept === null ? [] : entriesBelow(kept, await readFiles(bucket, document))
  const sites = [
    ...(kept === null
      ? []
      : [{ path: kept, files, hint: 'Put it back from a copy: `pitlane verify` names everything.' }]),
    ...(site?.version !== version
      ? []
      : [{ ...site, hint: '`pitlane pages rebuild` puts it again, or says how it comes back.' }]),
  ]
  for (const { hint, ...place } of sites) {
    const there = await sizes(bucket, place)
    const lost = place.files.find(({ key, size }) => there.get(key) !== size)
    if (lost !== undefined)
      throw new PitlaneError(
        'STORAGE_FAILED',
        `${version} is published, and ${bucket.location}/${lost.key} of its documentation is no longer there`,
        { hint },
      )
  }
}

interface Expected {
  readonly key: string
  /** Bytes; null: any. */
  readonly size: number | null
}

function keysOf({ version, files, documentation, signing }: BuiltDocument): readonly Expected[] {
  const signed = signing.scheme === 'none' ? [] : ['.minisig', '.sig']
  const beside = (key: string, suffixes: readonly string[]) =>
    suffixes.map((suffix) => ({ key: `${key}${suffix}`, size: null }))
  return [
    ...files.map(({ path, size }) => ({ key: path, size })),
    ...files.flatMap(({ path }) => beside(path, ['.sha256', ...(signing.scheme === 'none' ? [] : ['.minisig'])])),
    ...(documentation === undefined ? [] : beside(KEYS.documentation(version), ['', ...signed])),
    ...beside(KEYS.sums(version), ['', ...signed]),
    ...beside(KEYS.document(version), signed),
  ]
}

async function whatIsWrong(bucket: Bucket, { key, size }: Expected): Promise<string | null> {
  const found = await bucket.head(key)
  if (found === null) return `${key} is no longer there`
  return size === null || found.size === size ? null : `${key} has ${found.size} bytes instead of ${size}`
}

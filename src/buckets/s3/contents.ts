/**
 * What lies in many folders of an S3 server. There is no way to ask for some names in each: everything below the prefix is listed, several stretches of
 * it at once, as one page names the next and a single row of pages would wait for every answer.
 */
import type { _Object } from '@aws-sdk/client-s3'
import { inParallel } from '../../parallel.ts'
import type { FoundObject } from '../types.ts'
import { type Listing, own, pages } from './listing.ts'

/** How many stretches are listed at once. */
const PARALLEL = 8
/** Folders: what a single page may well hold is not listed in several. */
const SHORTEST = 50
/** Milliseconds: two writes in the same tick of the server's clock may look the same, where its tags are made of dates. */
const SETTLED = 60_000

/**
 * @param names of the folders
 * @param now milliseconds since 1970
 */
export async function contentsBelow(
  listing: Listing,
  names: readonly string[],
  wanted: (name: string) => boolean,
  now: number,
): Promise<ReadonlyMap<string, readonly FoundObject[]>> {
  const found = new Map<string, FoundObject[]>(names.map((name) => [name, []]))
  const take = (object: _Object, key: string) => {
    const [folder = '', name, deeper] = key.slice(listing.prefix.length).split('/', 3)
    if (name === undefined || name === '' || deeper !== undefined || !wanted(name)) return
    const objects = found.get(folder) ?? []
    if (objects.length === 0) found.set(folder, objects)
    objects.push({ name, stamp: stampOf(object, now) })
  }
  const stretches = stretchesOf(names.map((name) => `${listing.prefix}${name}/`))
  const whole = await inParallel(stretches, PARALLEL, (stretch) => listStretch(listing, stretch, take))
  if (whole.every(Boolean)) return found
  for (const objects of found.values()) objects.length = 0
  await listStretch(listing, {}, take)
  return found
}

interface Stretch {
  /** Keys behind this one; absent: from the beginning. */
  readonly after?: string
  /** Keys before this one; absent: to the end. */
  readonly before?: string
}

function stretchesOf(folders: readonly string[]): readonly Stretch[] {
  const length = Math.max(SHORTEST, Math.ceil(folders.length / (4 * PARALLEL)))
  const sorted = folders
    .map((folder) => Buffer.from(folder))
    .sort((a, b) => a.compare(b))
    .map(String)
  const cuts = sorted.filter((_, at) => at > 0 && at % length === 0)
  // A folder itself is no object, so that "behind its name" leaves nothing out.
  return [...cuts, undefined].map((before, at) => ({
    ...(at > 0 && { after: cuts[at - 1] }),
    ...(before !== undefined && { before }),
  }))
}

/** @returns false when the server has listed from somewhere else than it was asked to */
async function listStretch(
  listing: Listing,
  { after, before }: Stretch,
  take: (object: _Object, key: string) => void,
): Promise<boolean> {
  const from = after === undefined ? null : Buffer.from(after)
  const to = before === undefined ? null : Buffer.from(before)
  for await (const { Contents } of pages(listing, after === undefined ? {} : { after })) {
    for (const object of Contents ?? []) {
      const key = own(listing, object.Key)
      const bytes = Buffer.from(key)
      if (from !== null && bytes.compare(from) <= 0) return false
      if (to !== null && bytes.compare(to) >= 0) return true
      take(object, key)
    }
  }
  return true
}

/** Tags that are compared weakly promise nothing of bytes, and some servers have none. */
function stampOf({ ETag, Size, LastModified }: _Object, now: number): string | null {
  const [, tag] = /^"?((?!W\/)[^"\s]+)"?$/.exec(ETag ?? '') ?? []
  const written = LastModified?.getTime() ?? Number.NaN
  if (tag === undefined || Size === undefined || Number.isNaN(written)) return null
  // A digest, or a number that was never given before. Anything else may be made of size and date.
  const isUnique = /^[0-9a-f]{32}$/i.test(tag)
  return isUnique || written < now - SETTLED ? `${tag} ${Size} ${written}` : null
}

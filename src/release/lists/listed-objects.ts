import type { Bucket, ListedObject } from '../../buckets/types.ts'
import { PitlaneError } from '../../errors.ts'

/** What is held in memory at once; some hundred thousand releases have as many. */
const MOST = 2_000_000

/** By key. @throws PitlaneError `STORAGE_FAILED` for more than any bucket of releases has */
export async function listedObjects(
  { bucket }: { readonly bucket: Pick<Bucket, 'location' | 'list'> },
  prefix: string,
): Promise<ReadonlyMap<string, ListedObject>> {
  const objects = new Map<string, ListedObject>()
  for await (const object of bucket.list(prefix)) {
    if (objects.size >= MOST)
      throw new PitlaneError('STORAGE_FAILED', `${bucket.location} lists more than ${MOST} objects below ${prefix}`, {
        hint: 'Does the listing come to an end? Nothing was changed.',
      })
    objects.set(object.key, object)
  }
  return objects
}

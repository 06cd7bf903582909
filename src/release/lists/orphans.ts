/** What a publication left whose state was lost in its middle. */
import type { Bucket } from '../../buckets/types.ts'
import { KEYS } from '../../plan/keys.ts'
import { measureThere } from '../digest.ts'
import type { Operation } from '../publication.ts'

/**
 * The signatures of a document go out before it. Where it never followed, they sign what nobody can read any more: nobody could take the version for
 * published, and they would only stand in the way of the next try, which has another date. Signatures that still fit stay.
 *
 * @returns the keys that were removed
 */
export async function removeOrphans(
  bucket: Bucket,
  version: string,
  operations: readonly Operation[],
): Promise<readonly string[]> {
  const document = KEYS.document(version)
  if ((await bucket.head(document)) !== null) return []
  const removed: string[] = []
  for (const operation of operations) {
    if (operation.to !== 'bucket' || ![`${document}.minisig`, `${document}.sig`].includes(operation.key)) continue
    const there = await measureThere(await bucket.open(operation.key))
    if (there === null || there.sha256 === operation.body.sha256) continue
    await bucket.delete(operation.key)
    removed.push(operation.key)
  }
  return removed
}

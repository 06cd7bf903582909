/** What a publication left whose state was lost in its middle. */
import type { Bucket } from '../../buckets/types.ts'
import { inParallel } from '../../parallel.ts'
import { KEYS } from '../../plan/keys.ts'
import { measureThere } from '../digest.ts'
import { type Operation, operationFacts } from '../publication.ts'

/** The operations that put signatures of the document: those of which an earlier try may have left others. */
export function signaturesOf(version: string, operations: readonly Operation[]): readonly Operation[] {
  const document = KEYS.document(version)
  return operations.filter(
    (operation) => operation.to === 'bucket' && [`${document}.minisig`, `${document}.sig`].includes(operation.key),
  )
}

/**
 * The signatures of a document go out before it. Where it never followed, they sign what nobody can read any more: nobody could take the version for
 * published, and they would only stand in the way of the next try, which has another date. Signatures that still fit stay.
 *
 * @param signatures of a document that is not there
 * @returns the keys that were removed
 */
export async function removeOrphans(bucket: Bucket, signatures: readonly Operation[]): Promise<readonly string[]> {
  const removed = await inParallel(signatures, signatures.length, async (operation) => {
    const { destination: key, sha256 } = operationFacts(operation)
    const there = await measureThere(await bucket.open(key))
    if (there === null || there.sha256 === sha256) return []
    await bucket.delete(key)
    return [key]
  })
  return removed.flat()
}

/** Proves that page, lists, feeds and pointers are a pure function of the documents in the bucket, and heals them where they are not. */
import { listOperations, readIndex, staleOperations, type ListParts } from './lists.ts'

/**
 * Keys whose objects are not what the documents say, in the order they have to be written. With `write` they are written, under the next
 * serial; without, nothing is.
 */
export async function rebuildPages(
  parts: ListParts,
  options: { readonly now: number; readonly write: boolean },
): Promise<readonly string[]> {
  const index = await readIndex(parts.bucket)
  if (index !== null) {
    // With the serial and date they carry, the lists are either exactly right or not.
    const same = await listOperations(parts, index, index.serial, Date.parse(index.generatedAt))
    const stale = await staleOperations(parts.bucket, same)
    if (stale.length === 0) return []
    if (!options.write) return stale.map((operation) => (operation.to === 'bucket' ? operation.key : ''))
  }
  const generatedAt = Math.max(options.now, index === null ? 0 : Date.parse(index.generatedAt))
  const operations = await listOperations(parts, index, (index?.serial ?? 0) + 1, generatedAt)
  const stale = await staleOperations(parts.bucket, operations)
  const keys: string[] = []
  for (const operation of stale) {
    if (operation.to !== 'bucket') continue
    if (options.write) await parts.bucket.put(operation.key, operation.body, operation.options)
    keys.push(operation.key)
  }
  return keys
}

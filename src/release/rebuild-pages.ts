/** Proves that page, lists, feeds and pointers are a pure function of the documents in the bucket, and heals them where they are not. */
import { PitlaneError } from '../errors.ts'
import { lastSerial } from './last-serial.ts'
import { compareOwner, listOperations, readIndex, staleOperations, type ListParts } from './lists.ts'
import { parsePublicKey } from './public-key.ts'
import type { SiteIndex } from './site-index.ts'

/**
 * Keys whose objects are not what the documents say, in the order they have to be written. With `write` they are written, under the next
 * serial, and an index that is more than half way to its expiry is renewed; without, nothing is.
 * @throws PitlaneError `INTERRUPTED`, `PROJECT_CHANGED`, `KEY_CHANGED`, `VERIFICATION_FAILED` when a document can't be trusted
 */
export async function rebuildPages(
  parts: ListParts,
  options: { readonly now: number; readonly write: boolean; readonly stop: AbortSignal },
): Promise<readonly string[]> {
  const index = await soundIndex(parts)
  compareOwner(parts, index)
  if (index !== null) {
    // With the serial and date they carry, the lists are either exactly right or not.
    const same = await listOperations(parts, index.serial, Date.parse(index.generatedAt), index)
    const stale = await staleOperations(parts.bucket, same)
    if (stale.length === 0 && !isDue(index, options)) return []
    if (!options.write && stale.length > 0)
      return stale.map((operation) => (operation.to === 'bucket' ? operation.key : ''))
  }
  const generatedAt = Math.max(options.now, index === null ? 0 : Date.parse(index.generatedAt))
  const operations = await listOperations(parts, (index?.serial ?? (await serialBefore(parts))) + 1, generatedAt, index)
  const stale = await staleOperations(parts.bucket, operations)
  // Before the first write or not at all: in between, the signature would be that of an index that is still to come.
  if (options.stop.aborted) {
    throw new PitlaneError('INTERRUPTED', 'stopped before the lists were written', {
      hint: 'Nothing was changed: run the same command again.',
    })
  }
  const keys: string[] = []
  for (const operation of stale) {
    if (operation.to !== 'bucket') continue
    if (options.write) await parts.bucket.put(operation.key, operation.body, operation.options)
    keys.push(operation.key)
  }
  return keys
}

/** Null as well when there is something that is no index: that is to be healed, too. */
async function soundIndex({ bucket }: ListParts): Promise<SiteIndex | null> {
  try {
    return await readIndex(bucket)
  } catch (error) {
    if (error instanceof PitlaneError && error.code === 'VERIFICATION_FAILED') return null
    throw error
  }
}

function serialBefore({ bucket, signer }: ListParts): Promise<number> | number {
  return signer === null ? 0 : lastSerial(bucket, parsePublicKey(signer.publicKey.line, 'the signing key'))
}

/** A check only reports what readers would refuse. */
function isDue({ generatedAt, expiresAt }: SiteIndex, { now, write }: { now: number; write: boolean }): boolean {
  const [from, until] = [Date.parse(generatedAt), Date.parse(expiresAt)]
  return now > (write ? (from + until) / 2 : until)
}

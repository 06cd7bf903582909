/** Whether the server refuses to write to a taken key when asked to. Some ignore the question: it is tried, never assumed. */
import { DeleteObjectCommand, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3'
import type { Clock } from '../../clock.ts'
import { inParallel } from '../../parallel.ts'
import { type S3Address, shownAddress } from '../address.ts'
import { passing, refusalOf, saysTaken, storageFailure } from './answers.ts'

/** Keys for trying things out, each used once and deleted. */
export const PROBES = '.pitlane-probe/'

/**
 * Whether it refuses both: to write where something is (`If-None-Match: *`), and to replace another thing than was read (`If-Match`).
 * @throws what the server says to a key that may not write; PitlaneError `STORAGE_FAILED` for one that may not delete
 */
export async function findConditional(client: S3Client, address: S3Address, clock: Clock): Promise<boolean> {
  const at = { Bucket: address.bucket, Key: `${address.prefix}${PROBES}${clock.random(16).toString('hex')}` }
  const put = (condition: { readonly IfNoneMatch?: string; readonly IfMatch?: string }) =>
    client.send(new PutObjectCommand({ ...at, Body: 'probe', ...condition }))
  const refused = async (condition: { readonly IfNoneMatch?: string; readonly IfMatch?: string }) => {
    try {
      await put(condition)
      return false
    } catch (error) {
      const refusal = refusalOf(error)
      if (saysTaken(refusal)) return true
      // A server that does not know the header at all may say so.
      if (refusal.status === 501 || (refusal.status === 400 && passing(error) === null)) return false
      throw error
    }
  }
  try {
    await put({})
    const both = [{ IfNoneMatch: '*' }, { IfMatch: '"0123456789abcdef0123456789abcdef"' }]
    const honoured = !(await inParallel(both, both.length, refused)).includes(false)
    await remove(client, at, shownAddress(address))
    return honoured
  } catch (error) {
    await client.send(new DeleteObjectCommand(at)).catch(() => undefined)
    throw error
  }
}

/** A probe may stay behind. That nothing may be deleted is told now: a lease could be taken, and not given back once all is published. */
async function remove(
  client: S3Client,
  at: { readonly Bucket: string; readonly Key: string },
  where: string,
): Promise<void> {
  try {
    await client.send(new DeleteObjectCommand(at))
  } catch (error) {
    if (refusalOf(error).status === 403) throw storageFailure('deleting a probe', where, error)
  }
}

/** Whether the server refuses to write to a taken key when asked to. Some ignore the question: it is tried, never assumed. */
import { DeleteObjectCommand, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3'
import type { Clock } from '../../clock.ts'
import type { S3Address } from '../address.ts'
import { refusalOf, saysTaken } from './answers.ts'

/** Keys for trying things out, each used once and deleted. */
export const PROBES = '.pitlane-probe/'

export async function findConditional(client: S3Client, address: S3Address, clock: Clock): Promise<boolean> {
  const at = { Bucket: address.bucket, Key: `${address.prefix}${PROBES}${clock.random(16).toString('hex')}` }
  const put = () => client.send(new PutObjectCommand({ ...at, Body: 'probe', IfNoneMatch: '*' }))
  try {
    await put()
    return await put().then(
      () => false,
      (error: unknown) => {
        if (saysTaken(refusalOf(error))) return true
        throw error
      },
    )
  } catch (error) {
    // A server that does not know the header at all may say so.
    const { status } = refusalOf(error)
    if (status === 501 || status === 400) return false
    throw error
  } finally {
    await client.send(new DeleteObjectCommand(at)).catch(() => undefined)
  }
}

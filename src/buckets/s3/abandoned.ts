/** Multipart uploads that nobody has ended ("ListMultipartUploads"). */
import { ListMultipartUploadsCommand, type S3Client } from '@aws-sdk/client-s3'
import type { Clock } from '../../clock.ts'
import type { S3Address } from '../address.ts'

/** Milliseconds: an upload that nobody has ended for so long was abandoned. */
const ABANDONED = 24 * 3_600_000

/** Names below the prefix of the address: of the first thousand uploads that the server tells, those that are older than a day. */
export async function listAbandoned(
  client: S3Client,
  { bucket, prefix }: S3Address,
  clock: Clock,
): Promise<readonly string[]> {
  const { Uploads = [] } = await client.send(new ListMultipartUploadsCommand({ Bucket: bucket, Prefix: prefix }))
  return Uploads.filter(({ Initiated }) => clock.now() - (Initiated?.getTime() ?? 0) > ABANDONED).map(({ Key = '' }) =>
    Key.slice(prefix.length),
  )
}

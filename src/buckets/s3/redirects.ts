/** Whether objects can send readers on: `x-amz-website-redirect-location` is kept by many servers, and obeyed where a website is served from the bucket. */
import { DeleteObjectCommand, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3'
import type { Clock } from '../../clock.ts'
import type { S3Address } from '../address.ts'
import { PROBES } from './conditional.ts'

/**
 * Puts a throwaway object and asks for it as everybody does: it is there before it is asked for, so that no cache remembers that it was not.
 * @param to any address; nobody goes there
 * @param ask where a key sends readers on the public address, null when nowhere
 */
export async function findRedirects(
  { client, address, clock }: { readonly client: S3Client; readonly address: S3Address; readonly clock: Clock },
  to: string,
  ask: (key: string) => Promise<string | null>,
): Promise<boolean> {
  const key = `${PROBES}${clock.random(16).toString('hex')}`
  const at = { Bucket: address.bucket, Key: address.prefix + key }
  try {
    await client.send(new PutObjectCommand({ ...at, Body: 'probe', WebsiteRedirectLocation: to }))
    return (await ask(key)) === to
  } finally {
    await client.send(new DeleteObjectCommand(at)).catch(() => undefined)
  }
}

/** Leases as objects of an S3 server. */
import type { Readable } from 'node:stream'
import {
  DeleteObjectCommand,
  GetObjectCommand,
  type ListObjectsV2Command,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3'
import { type S3Address, shownAddress } from '../../address.ts'
import { refusalOf, saysAbsent, saysTaken } from '../answers.ts'
import { pages } from '../listing.ts'
import { LEASES } from './lease.ts'
import type { LeaseObject, LeaseStore } from './store.ts'

/** Bytes: none of ours is so long, and whose it is stands in it. */
const LONGEST = 16 * 1024

/** @param ask performs a request with all its retries, and tells its failure */
export function s3LeaseStore(
  client: S3Client,
  address: S3Address,
  ask: <T>(attempt: () => Promise<T>) => Promise<T>,
): LeaseStore {
  const { bucket, prefix } = address
  const where = shownAddress(address)
  const at = (name: string) => ({ Bucket: bucket, Key: prefix + name })
  return {
    async list() {
      const objects: LeaseObject[] = []
      const request = (command: ListObjectsV2Command) => ask(() => client.send(command))
      for await (const { Contents = [] } of pages({ ask: request, address, prefix: LEASES, where }))
        for (const { Key = '', ETag = '', LastModified } of Contents)
          if (LastModified !== undefined)
            objects.push({ name: Key.slice(prefix.length), tag: ETag, writtenAt: LastModified.getTime() })
      return objects
    },
    read: (name) =>
      ask(async () => {
        try {
          const command = new GetObjectCommand(at(name))
          let now = Number.NaN
          // The library keeps the answer's date to itself.
          command.middlewareStack.add(
            (next) => async (args) => {
              const result = await next(args)
              const { headers } = result.response as { headers?: Readonly<Record<string, string>> }
              now = Date.parse(headers?.['date'] ?? '')
              return result
            },
            { step: 'deserialize', priority: 'low', name: 'answerDate' },
          )
          const { Body, ContentLength = Infinity, ETag = '', LastModified } = await client.send(command)
          const isOurs = ContentLength <= LONGEST
          // The rest of anything else is not waited for.
          if (!isOurs) (Body as Readable | undefined)?.destroy()
          const text = (isOurs && (await Body?.transformToString())) || ''
          const writtenAt = LastModified?.getTime() ?? 0
          return { name, tag: ETag, writtenAt, text, now: Number.isNaN(now) ? writtenAt : now }
        } catch (error) {
          if (saysAbsent(refusalOf(error))) return null
          throw error
        }
      }),
    write: (name, text, onlyIf) =>
      ask(async () => {
        const condition =
          onlyIf === undefined ? {} : onlyIf.tag === null ? { IfNoneMatch: '*' } : { IfMatch: onlyIf.tag }
        try {
          const { ETag = '' } = await client.send(
            new PutObjectCommand({
              ...at(name),
              Body: text,
              ContentType: 'application/json',
              CacheControl: 'no-store',
              ...condition,
            }),
          )
          return { tag: ETag }
        } catch (error) {
          const refusal = refusalOf(error)
          // If-Match on a key that is gone is answered 404.
          if (saysTaken(refusal) || (onlyIf?.tag != null && saysAbsent(refusal))) return null
          throw error
        }
      }),
    async remove(name) {
      await ask(() => client.send(new DeleteObjectCommand(at(name))))
    },
  }
}

/** Leases as objects of an S3 server. */
import {
  DeleteObjectCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3'
import type { S3Address } from '../../address.ts'
import { refusalOf, saysAbsent, saysTaken } from '../answers.ts'
import { LEASES } from './lease.ts'
import type { LeaseStore } from './store.ts'

/** @param ask performs a request with all its retries, and tells its failure */
export function s3LeaseStore(
  client: S3Client,
  { bucket, prefix }: S3Address,
  ask: <T>(attempt: () => Promise<T>) => Promise<T>,
): LeaseStore {
  const at = (name: string) => ({ Bucket: bucket, Key: prefix + name })
  return {
    async list() {
      const page = await ask(() => client.send(new ListObjectsV2Command({ Bucket: bucket, Prefix: prefix + LEASES })))
      return (page.Contents ?? []).flatMap(({ Key = '', ETag = '', LastModified }) =>
        LastModified === undefined
          ? []
          : [{ name: Key.slice(prefix.length), tag: ETag, writtenAt: LastModified.getTime() }],
      )
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
          const { Body, ETag = '', LastModified } = await client.send(command)
          const text = (await Body?.transformToString()) ?? ''
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

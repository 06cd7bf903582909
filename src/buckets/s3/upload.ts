/** Getting the bytes of one object to the server, in one request or in parts. */
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  ListMultipartUploadsCommand,
  PutObjectCommand,
  type S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3'
import { Readable } from 'node:stream'
import { crc32 } from 'node:zlib'
import type { Clock } from '../../clock.ts'
import { PitlaneError } from '../../errors.ts'
import { inParallel } from '../../parallel.ts'
import { type RetryLimits, retrying } from '../../remote/retry.ts'
import type { Body, PutOptions } from '../types.ts'
import { passing, refusalOf } from './answers.ts'
import { checkedStream } from './body.ts'
import type { Part, PartMemory } from './parts.ts'

export interface UploadParts {
  readonly client: S3Client
  readonly clock: Clock
  readonly limits: RetryLimits
  /** Bytes: larger objects go in parts. */
  readonly threshold: number
  readonly memory: PartMemory
}

export interface Upload {
  readonly bucket: string
  /** With the prefix. */
  readonly key: string
  readonly where: string
  readonly body: Body
  readonly options: PutOptions
  /** Whether to ask the server to refuse when the key is taken. */
  readonly onlyIfAbsent: boolean
  /** Before each try: throws when somebody else may publish by now. Between two of them a minute may pass. */
  readonly requireHeld: () => Promise<void>
  /** Looks whether an attempt that was not answered has come through all the same. */
  readonly isThere: () => Promise<boolean>
}

/** Object metadata (`x-amz-meta-…`) that holds the object's SHA-256 in hex: an ETag is no digest of an object that came in parts. */
export const DIGEST_METADATA = 'sha256'

/** Parts of one object on their way at once. */
const PARTS_AT_ONCE = 4
/** Bytes of a part that go to the connection at a time. */
const PIECE = 256 * 1024

export async function upload(parts: UploadParts, object: Upload): Promise<void> {
  if (object.body.size > parts.threshold) await uploadInParts(parts, object)
  else await uploadAtOnce(parts, object)
}

async function uploadAtOnce(parts: UploadParts, object: Upload): Promise<void> {
  const attempt = async () => {
    await object.requireHeld()
    const stream = checkedStream(object.body, object.where)
    const command = new PutObjectCommand({
      ...headersOf(object),
      ...(object.onlyIfAbsent ? { IfNoneMatch: '*' } : {}),
      Body: stream,
      ContentLength: object.body.size,
    })
    command.middlewareStack.add(signedBody(object.body.sha256), BUILDING)
    return sending(stream, (abortSignal) => parts.client.send(command, { abortSignal }))
  }
  // A server that refuses a taken key may do so before it reads the body, and reset the connection: sent again, it would be reset each time.
  await retrying(parts, () => unlessThere(object, attempt), passing)
}

async function unlessThere(object: Upload, attempt: () => Promise<unknown>): Promise<void> {
  try {
    await attempt()
  } catch (error) {
    const isUnanswered = !(error instanceof PitlaneError) && refusalOf(error).status === null
    if (!object.onlyIfAbsent || !isUnanswered || !(await object.isThere())) throw error
  }
}

/** Signed with the bytes' own digest, which the server computes too: the library would send a stream unsigned. */
function signedBody(sha256: string) {
  return <A, R>(next: (args: A) => Promise<R>) =>
    (args: A): Promise<R> => {
      const { request } = args as unknown as { request: { headers: Record<string, string> } }
      request.headers['x-amz-content-sha256'] = sha256
      return next(args)
    }
}
const BUILDING = { step: 'build', name: 'signedBody' } as const

/**
 * In base64, as the server has it compare what came ("Checking object integrity" of the S3 user guide). A digest of each part, beside the one of the whole, would be
 * the longest work of an upload, here and there; this finds what goes wrong on a line, and whoever wants more than that encrypts the line.
 */
function crc32Of(bytes: Buffer): string {
  const value = Buffer.alloc(4)
  value.writeUInt32BE(crc32(bytes))
  return value.toString('base64')
}

async function sending<T>(body: Readable, send: (broken: AbortSignal) => Promise<T>): Promise<T> {
  let failure: unknown
  // A server that waits for the rest of a body would wait long.
  const broken = new AbortController()
  body.once('error', (error) => {
    failure = error
    broken.abort()
  })
  try {
    return await send(broken.signal)
  } catch (error) {
    // What is wrong with our own bytes is not the server's doing, whatever it made of the broken request.
    if (failure instanceof PitlaneError) throw failure
    throw error
  } finally {
    body.destroy()
    // Answered before it was sent: such a connection is of no use.
    broken.abort()
  }
}

async function uploadInParts(parts: UploadParts, object: Upload): Promise<void> {
  const { client } = parts
  const again = <T>(attempt: () => Promise<T>) => retrying(parts, attempt, passing)
  const at = { Bucket: object.bucket, Key: object.key }
  const begin = { ...headersOf(object), ChecksumAlgorithm: 'CRC32' } as const
  const { UploadId } = await again(() => client.send(new CreateMultipartUploadCommand(begin)))
  const told = partsTold(object)
  const pieces = parts.memory.partsOf(object.body, object.where)
  try {
    const done: { PartNumber: number; ETag: string | undefined; ChecksumCRC32: string }[] = []
    const send = async ({ number, bytes }: Part) => {
      try {
        const ChecksumCRC32 = crc32Of(bytes)
        const { ETag } = await again(() => {
          // In pieces, so that it is seen how far it is.
          const stream = Readable.from(told(number, bytes), { objectMode: false, highWaterMark: 1 })
          const facts = { UploadId, PartNumber: number, ContentLength: bytes.length, ChecksumCRC32 }
          const command = new UploadPartCommand({ ...at, ...facts, Body: stream })
          return sending(stream, (abortSignal) => client.send(command, { abortSignal }))
        })
        done[number - 1] = { PartNumber: number, ETag, ChecksumCRC32 }
      } catch (error) {
        // Closes the source: the other workers find it at its end.
        await pieces.return(undefined)
        throw error
      }
    }
    const worker = async () => {
      while (await parts.memory.one(pieces, send));
    }
    await inParallel(Array.from({ length: PARTS_AT_ONCE }), PARTS_AT_ONCE, worker)
    await again(async () => {
      await object.requireHeld()
      const command = new CompleteMultipartUploadCommand({
        ...at,
        UploadId,
        MultipartUpload: { Parts: done },
        ...(object.onlyIfAbsent ? { IfNoneMatch: '*' } : {}),
      })
      return client.send(command)
    })
  } catch (error) {
    await pieces.return(undefined)
    // What failed first is what is told.
    await again(() => client.send(new AbortMultipartUploadCommand({ ...at, UploadId }))).catch(() => undefined)
    throw error
  } finally {
    await abortUploads(parts, at)
  }
}

/**
 * Ends what other uploads of the key are left: one whose beginning was never answered, that of a process that died. Their parts are stored,
 * and paid for, though no listing shows them. A publisher that is at it right now begins again. Not every key may list uploads: what can't be
 * ended here is found by `pitlane doctor`.
 */
async function abortUploads(parts: UploadParts, at: { readonly Bucket: string; readonly Key: string }): Promise<void> {
  const again = <T>(attempt: () => Promise<T>) => retrying(parts, attempt, passing)
  const { client } = parts
  try {
    const { Uploads = [] } = await again(() =>
      client.send(new ListMultipartUploadsCommand({ Bucket: at.Bucket, Prefix: at.Key })),
    )
    for (const { Key, UploadId } of Uploads)
      if (Key === at.Key) await again(() => client.send(new AbortMultipartUploadCommand({ ...at, UploadId })))
  } catch {
    // The object is whole, or its own failure is told: neither depends on it.
  }
}

/** The bytes of a part for one attempt to send it; the body is told how many are through of all of them. */
function partsTold({ body }: Upload): (number: number, bytes: Buffer) => Iterable<Buffer> {
  const sent: number[] = []
  const tell = (number: number, bytes: number) => {
    sent[number] = bytes
    body.sent?.(sent.reduce((sum, one) => sum + one, 0))
  }
  tell(0, 0)
  return function* pieces(number, bytes) {
    tell(number, 0)
    for (let from = 0; from < bytes.length; from += PIECE) {
      const piece = bytes.subarray(from, from + PIECE)
      yield piece
      tell(number, from + piece.length)
    }
  }
}

function headersOf({ bucket, key, body, options }: Upload) {
  return {
    Bucket: bucket,
    Key: key,
    ContentType: options.contentType,
    CacheControl: options.cacheControl,
    ...(options.redirect === undefined ? {} : { WebsiteRedirectLocation: options.redirect }),
    Metadata: { [DIGEST_METADATA]: body.sha256 },
  }
}

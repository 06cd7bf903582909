/** Tries what publishing needs of an S3 server, and what it can do beyond, with throwaway keys. Nothing that was published is touched. */
import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadBucketCommand,
  ListBucketsCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3'
import type { Clock } from '../../clock.ts'
import { PitlaneError } from '../../errors.ts'
import { bad, type Examination, type ExamineOptions, good, weak } from '../../examination.ts'
import { type S3Address, shownAddress } from '../address.ts'
import { listAbandoned } from './abandoned.ts'
import { refusalOf, storageFailure } from './answers.ts'
import { findConditional, PROBES } from './conditional.ts'
import { findRedirects } from './redirects.ts'

interface Parts {
  readonly client: S3Client
  readonly address: S3Address
  readonly clock: Clock
}

const LINKS = 'addresses that stay'
/** S3 refuses requests whose date is off by 15 minutes ("Error responses": RequestTimeTooSkewed); milliseconds. */
const SKEW = 15 * 60_000

export async function* examineS3(parts: Parts, { readPublic, redirectOf }: ExamineOptions): AsyncIterable<Examination> {
  const { client, address, clock } = parts
  const at = { Bucket: address.bucket, Key: `${address.prefix}${PROBES}${clock.random(16).toString('hex')}` }
  const where = shownAddress(address)
  const bytes = clock.random(32).toString('hex')
  const attempt = async (what: string, work: () => Promise<Examination>): Promise<Examination> => {
    try {
      return await work()
    } catch (error) {
      const { message, hint } = storageFailure(what, where, error)
      return bad(what, message, hint ?? null)
    }
  }

  const reached = await attempt('reach the bucket', async () => {
    await client.send(new HeadBucketCommand({ Bucket: address.bucket }))
    return good('reach the bucket', where)
  })
  yield reached
  // Some keys may do everything but that: the rest is tried all the same, unless nobody answers.
  const written = await attempt('write an object', async () => {
    const answer = await client.send(new PutObjectCommand({ ...at, Body: bytes, ContentType: 'text/plain' }))
    return good('write an object', answer.ETag === undefined ? 'written' : `written, ETag ${answer.ETag}`)
  })
  yield written
  if (written.result === 'bad') return
  try {
    yield await attempt('read it back', async () => {
      const answer = await client.send(new GetObjectCommand(at))
      const read = await answer.Body?.transformToString()
      if (read !== bytes) return bad('read it back', 'other bytes came back', 'Something on the way changes objects.')
      const date = answer.LastModified?.getTime() ?? clock.now()
      const off = Math.abs(date - clock.now())
      const detail = `the server's clock is ${Math.round(off / 1000)} s off`
      return off > SKEW / 3
        ? weak('read it back', detail, 'Set the clocks: at 15 minutes the server refuses every request.')
        : good('read it back', detail)
    })
    yield await attempt('list it', async () => {
      const prefix = `${address.prefix}${PROBES}`
      const { Contents } = await client.send(new ListObjectsV2Command({ Bucket: address.bucket, Prefix: prefix }))
      return Contents?.some(({ Key }) => Key === at.Key) === true
        ? good('list it', 'listed at once')
        : bad(
            'list it',
            'the listing does not show what was just written',
            'Lists are computed from listings: this store is not fit.',
          )
    })
    if (readPublic !== null) yield await publicly(readPublic, at.Key.slice(address.prefix.length), bytes)
  } finally {
    // Told below, when it does not go.
    await client.send(new DeleteObjectCommand(at)).catch(() => undefined)
  }
  yield await attempt('delete it', async () => {
    await client.send(new DeleteObjectCommand(at))
    const still = await client.send(new GetObjectCommand(at)).then(
      () => true,
      () => false,
    )
    return still
      ? bad('delete it', `${at.Key} is still there`, 'The key may not delete: retention and probes need that right.')
      : good('delete it', 'gone')
  })
  yield await attempt('conditional writes', async () =>
    (await findConditional(client, address, clock))
      ? good('conditional writes', 'honoured: two publishers exclude each other by them')
      : weak(
          'conditional writes',
          'ignored: two publishers exclude each other by lease objects, which takes some seconds',
          null,
        ),
  )
  if (redirectOf !== null)
    yield await attempt(LINKS, async () =>
      (await findRedirects(parts, 'https://example.org/', redirectOf))
        ? good(LINKS, 'readers are sent on: the newest release has an address that stays')
        : good(LINKS, 'readers are not sent on (x-amz-website-redirect-location): there will be none'),
    )
  yield await leftovers(parts)
  yield await width(parts)
}

async function publicly(
  readPublic: NonNullable<ExamineOptions['readPublic']>,
  key: string,
  bytes: string,
): Promise<Examination> {
  const what = 'read it where everybody reads'
  try {
    const read = await readPublic(key)
    if (read?.toString('utf8') === bytes) return good(what, 'the public address shows the bucket')
    return bad(
      what,
      read === null ? 'the public address does not have it' : 'the public address shows something else',
      'publish.public has to be the address under which this bucket and prefix are served to everybody.',
    )
  } catch (error) {
    if (!(error instanceof PitlaneError)) throw error
    return bad(what, error.message, error.hint ?? null)
  }
}

/** Parts of uploads that nobody ended take room, and no listing shows them. */
async function leftovers({ client, address, clock }: Parts): Promise<Examination> {
  const what = 'abandoned uploads'
  try {
    const old = await listAbandoned(client, address, clock)
    if (old.length === 0) return good(what, 'none')
    return weak(
      what,
      `${old.length}, as of ${old
        .slice(0, 3)
        .map((key) => address.prefix + key)
        .join(', ')}`,
      'They take room: let the bucket abort incomplete uploads after a day, or abort them with `aws s3api abort-multipart-upload`.',
    )
  } catch (error) {
    const { message } = storageFailure('listing uploads', shownAddress(address), error)
    return weak(what, message, null)
  }
}

/** Whoever has the key of a release server should reach one bucket with it. */
async function width({ client, address }: Parts): Promise<Examination> {
  const what = 'what else the key reaches'
  try {
    const { Buckets = [] } = await client.send(new ListBucketsCommand({}))
    const others = Buckets.filter(({ Name }) => Name !== address.bucket).length
    return others === 0
      ? good(what, 'no other bucket')
      : weak(what, `${others} other ${others === 1 ? 'bucket' : 'buckets'}`, 'Make a key for this bucket alone.')
  } catch (error) {
    const { status, code } = refusalOf(error)
    return status === 403 || status === 405 || status === 501
      ? good(what, 'it may not list buckets')
      : weak(what, `not found out: ${status ?? ''} ${code}`.trim(), null)
  }
}

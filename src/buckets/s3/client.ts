/** The S3 client as Pitlane uses it. The library is big: only `main.ts` reaches for this file, once an S3 address is met. */
import { readFileSync } from 'node:fs'
import { Readable } from 'node:stream'
import { S3Client } from '@aws-sdk/client-s3'
import { type Clock, systemClock } from '../../clock.ts'
import { connections, type Pace } from '../../remote/connections.ts'
import { PitlaneError } from '../../errors.ts'
import { RETRY } from '../../remote/retry.ts'
import { Slots } from '../../remote/slots.ts'
import type { S3Address } from '../address.ts'
import { asksToSlowDown, refusalOf } from './answers.ts'

/** Requests on their way at once, to one server. */
const AT_ONCE = 16
/** Milliseconds until a connection stands. */
const CONNECT_TIMEOUT = 10_000
/** Amazon's own name for "not said"; servers of others take it too. */
const DEFAULT_REGION = 'us-east-1'

const silent = () => undefined
const SILENT = { trace: silent, debug: silent, info: silent, warn: silent, error: silent }

export interface ClientOptions {
  /** Absolute path of a PEM file; null: the system's authorities. */
  readonly ca: string | null
  /** Else they are found as the AWS tools find them: environment, profile, container or instance. */
  readonly credentials?: { readonly accessKeyId: string; readonly secretAccessKey: string }
  readonly clock?: Clock
  /** Told when the server asks to slow down: all requests to it wait for so many milliseconds. */
  readonly onWait?: (host: string, milliseconds: number) => void
  readonly pace?: Pace
}

export function s3Client(address: S3Address, options: ClientOptions): S3Client {
  const { ca, credentials, clock = systemClock, pace } = options
  const { http, https } = connections({ ca: ca === null ? null : authorities(ca), clock, pace })
  const client = new S3Client({
    ...(credentials === undefined ? {} : { credentials }),
    // Else the library's own chain: AWS_REGION, then the profile.
    ...(address.region === null && address.endpoint === null ? {} : { region: address.region ?? DEFAULT_REGION }),
    ...(address.endpoint === null ? {} : { endpoint: address.endpoint }),
    forcePathStyle: address.style === 'path',
    // The default sends a trailer that older servers store as part of the object.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    // Tried again by `retry.ts`, where each attempt has a fresh body.
    maxAttempts: 1,
    // What it would print says less than the error it throws.
    logger: SILENT,
    requestHandler: { connectionTimeout: CONNECT_TIMEOUT, httpAgent: http, httpsAgent: https },
    // The body follows at once: a server that does not know the question would be waited for.
    expectContinueHeader: false,
  })
  const slots = new Slots(clock, AT_ONCE)
  client.middlewareStack.add(
    (next) => (args) =>
      slots.use(async () => {
        try {
          return await next(args)
        } catch (error) {
          const refusal = refusalOf(error)
          if (asksToSlowDown(refusal)) {
            const asked = (refusal.retryAfter ?? 0) * 1000
            const milliseconds = Math.min(Math.max(asked, RETRY.pause), RETRY.longest)
            slots.hold(milliseconds)
            options.onWait?.(hostOf(address), milliseconds)
          }
          throw error
        }
      }),
    { step: 'initialize', name: 'slots' },
  )
  client.middlewareStack.add(boundedAnswer, { step: 'deserialize', name: 'boundedAnswer', priority: 'low' })
  return client
}

/** Bytes of an answer that is read whole: a page of a listing, an error. */
const ANSWER_LIMIT = 16 * 1024 * 1024

/** The library collects what it parses without a bound. The bytes of objects are not parsed, and come as they are read. */
function boundedAnswer<A, R extends { readonly response: unknown }>(
  next: (args: A) => Promise<R>,
  context: { readonly commandName?: string },
) {
  return async (args: A): Promise<R> => {
    const result = await next(args)
    const { body, statusCode } = result.response as { readonly body?: unknown; readonly statusCode?: number }
    const isObject = context.commandName === 'GetObjectCommand' && (statusCode ?? 0) < 300
    if (body instanceof Readable && !isObject) bound(body)
    return result
  }
}

function bound(body: Readable): void {
  const push = body.push.bind(body)
  let size = 0
  body.push = (piece: Buffer | null) => {
    size += piece?.length ?? 0
    if (size <= ANSWER_LIMIT) return push(piece)
    body.destroy(new Error(`the answer is larger than ${ANSWER_LIMIT} bytes`))
    return false
  }
}

function hostOf({ endpoint }: S3Address): string {
  return endpoint === null ? 's3.amazonaws.com' : new URL(endpoint).host
}

function authorities(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw new PitlaneError('CONFIG_INVALID', `the authorities of the S3 address can't be read: ${file}`, {
      hint: 'ca= names a PEM file; a relative path starts at the folder of pitlane.yaml.',
      cause: error,
    })
  }
}

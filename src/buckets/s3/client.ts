/** The S3 client as Pitlane uses it. The library is big: only `main.ts` reaches for this file, once an S3 address is met. */
import { readFileSync } from 'node:fs'
import { S3Client } from '@aws-sdk/client-s3'
import { PitlaneError } from '../../errors.ts'
import type { S3Address } from '../address.ts'

/** Requests at a time, to one server. */
export const CONNECTIONS = 8
/** Milliseconds until a connection stands, and without a byte in either direction. */
const CONNECT_TIMEOUT = 10_000
const SILENCE_TIMEOUT = 60_000
/** Amazon's own name for "not said"; servers of others take it too. */
const DEFAULT_REGION = 'us-east-1'

const silent = () => undefined
const SILENT = { trace: silent, debug: silent, info: silent, warn: silent, error: silent }

export interface ClientOptions {
  /** Absolute path of a PEM file; null: the system's authorities. */
  readonly ca: string | null
  /** Else they are found as the AWS tools find them: environment, profile, container or instance. */
  readonly credentials?: { readonly accessKeyId: string; readonly secretAccessKey: string }
}

export function s3Client(address: S3Address, { ca, credentials }: ClientOptions): S3Client {
  return new S3Client({
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
    requestHandler: {
      connectionTimeout: CONNECT_TIMEOUT,
      socketTimeout: SILENCE_TIMEOUT,
      httpAgent: { keepAlive: true, maxSockets: CONNECTIONS },
      httpsAgent: { keepAlive: true, maxSockets: CONNECTIONS, ...(ca === null ? {} : { ca: authorities(ca) }) },
    },
  })
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

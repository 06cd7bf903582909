/** What the answers of an S3 server mean. Codes are those of "Error responses" in Amazon's S3 API reference; other servers use the same. */
import { blamesCertificate, connectionMayWork } from '../../remote/connections.ts'
import { PitlaneError, systemCode } from '../../errors.ts'

/** What is known of a request that failed. */
export interface Refusal {
  /** HTTP status; null when there was no answer. */
  readonly status: number | null
  /** S3's code, or the system's (`ECONNREFUSED`). */
  readonly code: string
  readonly message: string
  /** Seconds that the server asked to wait. */
  readonly retryAfter: number | null
}

/** The code of a refusal that came without one. */
export const NO_REASON = 'without a reason'

interface SdkError {
  readonly name?: unknown
  readonly message?: unknown
  readonly Code?: unknown
  readonly $metadata?: { readonly httpStatusCode?: unknown }
  readonly $response?: { readonly statusCode?: unknown; readonly headers?: Readonly<Record<string, unknown>> }
}

export function refusalOf(error: unknown): Refusal {
  const sdk: SdkError = typeof error === 'object' && error !== null ? error : {}
  const status = sdk.$metadata?.httpStatusCode ?? sdk.$response?.statusCode
  const wait = Number(sdk.$response?.headers?.['retry-after'])
  return {
    // An answer that says 200 and can't be read to its end is none.
    status: typeof status === 'number' && status >= 300 ? status : null,
    code: systemCode(error) ?? said(sdk.Code) ?? said(sdk.name) ?? NO_REASON,
    message: said(sdk.message) ?? '',
    retryAfter: Number.isFinite(wait) && wait >= 0 ? wait : null,
  }
}

/** The library's own words for "it did not say" are none. */
function said(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' && !/^Unknown(Error)?$/.test(value) ? value : undefined
}

/** The definite answer that there is no such object. Of a bucket that is not there S3 says it in other words, or (to HEAD) in the same. */
export function saysAbsent({ status, code }: Refusal): boolean {
  return status === 404 && code !== 'NoSuchBucket'
}

/** That a condition of the request does not hold: the key was taken meanwhile. */
export function saysTaken({ status }: Refusal): boolean {
  return status === 412
}

const PASSING_STATUS = new Set([408, 409, 425, 429, 500, 502, 503, 504, 522])
/** A body that came too slowly, or with other bytes than were sent; a clock that the library corrects by the answer's date. */
const PASSING_CODE = new Set([
  'RequestTimeout',
  'IncompleteBody',
  'BadDigest',
  'InvalidDigest',
  'XAmzContentChecksumMismatch',
  'XAmzContentSHA256Mismatch',
  'RequestTimeTooSkewed',
])
/** Of credentials, which are looked for before there is a connection. */
const NO_CREDENTIALS = 'CredentialsProviderError'

/** That all requests should wait ("Error responses": SlowDown; 429 is what proxies and some servers say). */
export function asksToSlowDown({ status, code, retryAfter }: Refusal): boolean {
  return status === 429 || code === 'SlowDown' || (status === 503 && retryAfter !== null)
}

/** For `retrying`: the seconds to wait, or null when the same request would get the same answer. */
export function passing(error: unknown): number | null {
  if (error instanceof PitlaneError) return null
  const refusal = refusalOf(error)
  return mayPass(refusal) ? (refusal.retryAfter ?? 0) : null
}

function mayPass({ status, code }: Refusal): boolean {
  if (status === null) return code !== NO_CREDENTIALS && connectionMayWork(code)
  return PASSING_STATUS.has(status) || PASSING_CODE.has(code)
}

const HINTS: Readonly<Record<string, string>> = {
  CredentialsProviderError: 'Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or a profile of the AWS configuration.',
  InvalidAccessKeyId: 'The server does not know this access key: check AWS_ACCESS_KEY_ID.',
  SignatureDoesNotMatch:
    'The secret does not belong to the access key, or the region is another: check AWS_SECRET_ACCESS_KEY and region=.',
  AuthorizationHeaderMalformed: 'The bucket is in another region: name it in the address with region=.',
  PermanentRedirect: 'The bucket is in another region: name it in the address with region=.',
  AccessDenied: 'The key lacks a right: it needs to read, write, list and delete in this bucket.',
  Forbidden: 'The key lacks a right: it needs to read, write, list and delete in this bucket.',
  NoSuchBucket: 'Make the bucket, or correct its name in the address.',
  RequestTimeTooSkewed: "This machine's clock and the server's are too far apart: set the clock.",
  QuotaExceeded: 'The bucket is full: raise its quota or remove something.',
  EntityTooLarge: 'The server takes no object of this size.',
  ENOTFOUND: 'The host is not known: check endpoint= in the address, and the network.',
  ECONNREFUSED: 'Nothing answers there: check endpoint= in the address, and that the server runs.',
}
/** What Garage (2.5) answers with AccessDenied for all of them, by its words. */
const WORDS: readonly (readonly [RegExp, keyof typeof HINTS])[] = [
  [/invalid signature/i, 'SignatureDoesNotMatch'],
  [/no such key/i, 'InvalidAccessKeyId'],
  [/quota/i, 'QuotaExceeded'],
]
/** HEAD is answered without words. */
const WITHOUT_WORDS: Readonly<Record<number, string>> = {
  400: 'Perhaps the bucket is in another region, which region= in the address names.',
  403: 'The key is wrong, or lacks a right: it needs to read, write, list and delete in this bucket.',
}
const CERTIFICATE = "The server's certificate is not believed: name the authority's file in the address with ca=."

/** The failure as `STORAGE_FAILED`: what was done, where, the server's words, and what to do. */
export function storageFailure(doing: string, where: string, error: unknown): PitlaneError {
  if (error instanceof PitlaneError) return error
  const refusal = refusalOf(error)
  const answer = refusal.status === null ? refusal.code : `${refusal.status} ${refusal.code}`
  const words = refusal.message === refusal.code || refusal.message === '' ? '' : ` (${oneLine(refusal.message)})`
  return new PitlaneError('STORAGE_FAILED', `${where}: ${doing} failed: ${answer}${words}`, {
    hint: hintFor(refusal),
    cause: bare(error),
  })
}

/** What the library throws holds the connection, and so the request with its signature, which is for no log. */
export function bare(error: unknown): unknown {
  if (!(error instanceof Error)) return String(error)
  const { name, message, stack } = error
  const { code } = refusalOf(error)
  return Object.assign(new Error(message), { name, code, stack })
}

function hintFor(refusal: Refusal): string {
  const known =
    HINTS[WORDS.find(([words]) => refusal.status === 403 && words.test(refusal.message))?.[1] ?? refusal.code]
  if (known !== undefined) return known
  if (refusal.status === null && blamesCertificate(refusal.code)) return CERTIFICATE
  if (refusal.status !== null && refusal.status >= 300 && refusal.status < 400) return HINTS['PermanentRedirect'] ?? ''
  const guess = refusal.code === NO_REASON && refusal.status !== null ? WITHOUT_WORDS[refusal.status] : undefined
  if (guess !== undefined) return guess
  if (refusal.status === 401 || refusal.status === 403) return HINTS['AccessDenied'] ?? ''
  return mayPass(refusal)
    ? 'The server or the network failed for a while: the same command goes on later.'
    : 'Look at what the server says, and at its log.'
}

/** Words from outside, for a terminal. */
function oneLine(text: string): string {
  const shown = text.replace(/[\p{Cc}\s]+/gu, ' ').trim()
  return shown.length > 300 ? `${shown.slice(0, 300)}…` : shown
}

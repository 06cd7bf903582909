/** One request to a registry's server: body, headers, redirects and nothing else. Who may ask what is `session.ts`'s matter. */
import * as http from 'node:http'
import * as https from 'node:https'
import type { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { giveBack } from '../../bytes/chunks.ts'
import type { Clock } from '../../clock.ts'
import { blamesCertificate, connections, type Pace } from '../../remote/connections.ts'
import { PitlaneError, systemCode } from '../../errors.ts'
import { isLoopback } from '../address.ts'

export interface HttpRequest {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  readonly url: URL
  readonly headers: Readonly<Record<string, string>>
  /** Pieces that nobody else uses any more. */
  readonly body?: Buffer | { readonly size: number; readonly pieces: AsyncIterable<Buffer> }
}

export interface HttpAnswer {
  readonly status: number
  readonly url: URL
  header(name: string): string | null
  /** Read to its end, or destroyed: else the connection is not used again. */
  readonly body: Readable
}

/** An answer that may be another one in a moment. */
export class Passing extends Error {
  readonly failure: PitlaneError
  /** Seconds that the server asked to wait; 0 where it did not say. */
  readonly wait: number
  readonly status: number

  constructor(failure: PitlaneError, wait: number, status: number) {
    super(failure.message)
    this.failure = failure
    this.wait = wait
    this.status = status
  }
}

const PASSING: ReadonlySet<number> = new Set([408, 425, 429, 499, 500, 502, 503, 504, 522])

export function mayPass(status: number): boolean {
  return PASSING.has(status)
}

/** `Retry-After` in seconds, which may also be a date (RFC 9110, 10.2.3); 0 where it is not said. */
export function retryAfter(answer: HttpAnswer, clock: Clock): number {
  const header = answer.header('retry-after')
  if (header === null) return 0
  const seconds = /^\d+$/.test(header.trim()) ? Number(header) : (Date.parse(header) - clock.now()) / 1000
  return Number.isFinite(seconds) ? Math.max(0, seconds) : 0
}

/** Performs a request; an answer of any status is an answer. Throws FETCH_FAILED when there was none. */
export type Send = (request: HttpRequest) => Promise<HttpAnswer>

/** Bytes: the longest answer that is read whole, a manifest. */
const TEXT_LIMIT = 4 * 1024 * 1024

/** @param ca PEM text of the authorities to believe instead of the system's, or null */
export function httpSender(
  ca: string | null,
  options: { readonly clock?: Clock; readonly pace?: Pace } = {},
): { readonly send: Send; close(this: void): void } {
  const { http: plain, https: secure, close } = connections({ ca, ...options })
  return {
    send: (request) =>
      request.url.protocol === 'https:'
        ? exchange(request, https.request, secure)
        : exchange(request, http.request, plain),
    close,
  }
}

function exchange(
  { method, url, headers, body }: HttpRequest,
  open: typeof http.request,
  agent: http.Agent,
): Promise<HttpAnswer> {
  return new Promise((resolve, reject) => {
    const length = body === undefined ? null : 'pieces' in body ? body.size : body.length
    const request = open(url, {
      method,
      agent,
      headers: { 'user-agent': 'pitlane', ...headers, ...(length === null ? {} : { 'content-length': length }) },
    })
    let answered = false
    const fail = (error: unknown) => {
      request.destroy()
      reject(error instanceof PitlaneError ? error : unreachable(method, url, error))
    }
    request.once('error', fail)
    request.once('response', (response) => {
      // Answered before it has heard all: the rest is not sent, and such a connection is not used again.
      if (!request.writableEnded) response.once('close', () => request.destroy())
      answered = true
      resolve({
        status: response.statusCode ?? 0,
        url,
        header: (name) => {
          const value = response.headers[name]
          return (Array.isArray(value) ? value[0] : value) ?? null
        },
        body: response,
      })
    })
    if (body === undefined || !('pieces' in body)) return void request.end(body)
    pump(body.pieces, request, () => answered).catch(fail)
  })
}

/** Ends the request unless it has its answer before, or breaks. */
async function pump(
  pieces: AsyncIterable<Buffer>,
  request: http.ClientRequest,
  isAnswered: () => boolean,
): Promise<void> {
  const over = new Promise<void>((resolve) => request.once('close', resolve).once('response', () => resolve()))
  for await (const piece of pieces) {
    if (request.destroyed || isAnswered()) return
    const sent = (error?: Error | null) => {
      if (error == null) giveBack(piece)
    }
    if (request.write(piece, sent)) continue
    await Promise.race([new Promise<void>((resolve) => request.once('drain', resolve)), over])
  }
  request.end()
}

/** The whole body of an answer, as far as it is of a sane size. */
export async function bytesOf(answer: HttpAnswer): Promise<Buffer> {
  const announced = Number(answer.header('content-length') ?? 0)
  if (announced > TEXT_LIMIT) {
    answer.body.destroy()
    throw tooLarge(answer.url)
  }
  let size = 0
  answer.body.on('data', (piece: Buffer) => {
    size += piece.length
    if (size > TEXT_LIMIT) answer.body.destroy(tooLarge(answer.url))
  })
  try {
    return await buffer(answer.body)
  } catch (error) {
    throw error instanceof PitlaneError ? error : unreachable('GET', answer.url, error)
  }
}

export function discard(answer: HttpAnswer): void {
  answer.body.resume()
  answer.body.once('error', () => undefined)
}

/**
 * Where the answer sends us: absolute or relative, with parameters of the server's own. Null when it is nowhere, or not to be followed: to
 * plain HTTP from an encrypted connection, with a password, or to what listens on this machine only.
 * @param location where another header than `location` says it
 */
export function locationOf(answer: HttpAnswer, location = answer.header('location')): URL | null {
  if (location === null || !URL.canParse(location, answer.url)) return null
  const next = new URL(location, answer.url)
  const encrypted = next.protocol === 'https:' || (next.protocol === 'http:' && answer.url.protocol === 'http:')
  const reachable = !isLoopback(next) || isLoopback(answer.url)
  return encrypted && reachable && next.username === '' && next.password === '' ? next : null
}

function tooLarge(url: URL): PitlaneError {
  return new PitlaneError('STORAGE_FAILED', `${shownUrl(url)}: the answer is larger than ${TEXT_LIMIT} bytes`, {
    hint: 'A registry must take manifests of 4 MiB; nothing larger is read.',
  })
}

/** Of a connection that can't be had, or breaks. */
export function unreachable(method: string, url: URL, error: unknown): PitlaneError {
  const reason = systemCode(error) ?? (error instanceof Error ? error.message : String(error))
  return new PitlaneError('FETCH_FAILED', `${method} ${shownUrl(url)}: ${reason}`, {
    hint: blamesCertificate(reason)
      ? "The registry's certificate is not believed: name the authority's file."
      : 'Check the address of the registry and the network; the same command goes on.',
    cause: error,
  })
}

/** Without the query: upload sessions carry secrets there. */
export function shownUrl(url: URL): string {
  return `${url.origin}${url.pathname}`
}

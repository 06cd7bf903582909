/** One request to a registry's server: body, headers, redirects and nothing else. Who may ask what is `session.ts`'s matter. */
import * as http from 'node:http'
import * as https from 'node:https'
import type { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { PitlaneError, systemCode } from '../../errors.ts'

export interface HttpRequest {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  readonly url: URL
  readonly headers: Readonly<Record<string, string>>
  readonly body?: Buffer | { readonly size: number; readonly stream: Readable }
}

export interface HttpAnswer {
  readonly status: number
  readonly url: URL
  header(name: string): string | null
  /** Read to its end, or destroyed: else the connection is not used again. */
  readonly body: Readable
}

/** Performs a request; an answer of any status is an answer. Throws FETCH_FAILED when there was none. */
export type Send = (request: HttpRequest) => Promise<HttpAnswer>

/** Milliseconds without a byte in either direction. */
const SILENCE = 60_000
/** Bytes: the longest answer that is read whole, a manifest. */
const TEXT_LIMIT = 4 * 1024 * 1024
const CONNECTIONS = 8

/** @param ca PEM text of the authorities to believe instead of the system's, or null */
export function httpSender(ca: string | null): { readonly send: Send; close(): void } {
  const plain = new http.Agent({ keepAlive: true, maxSockets: CONNECTIONS })
  const secure = new https.Agent({ keepAlive: true, maxSockets: CONNECTIONS, ...(ca === null ? {} : { ca }) })
  return {
    send: (request) =>
      request.url.protocol === 'https:'
        ? exchange(request, https.request, secure)
        : exchange(request, http.request, plain),
    close() {
      plain.destroy()
      secure.destroy()
    },
  }
}

function exchange(
  { method, url, headers, body }: HttpRequest,
  open: typeof http.request,
  agent: http.Agent,
): Promise<HttpAnswer> {
  return new Promise((resolve, reject) => {
    const length = body === undefined ? null : 'stream' in body ? body.size : body.length
    const request = open(url, {
      method,
      agent,
      timeout: SILENCE,
      headers: { 'user-agent': 'pitlane', ...headers, ...(length === null ? {} : { 'content-length': length }) },
    })
    const fail = (error: unknown) => {
      request.destroy()
      reject(error instanceof PitlaneError ? error : unreachable(method, url, error))
    }
    request.once('timeout', () => fail(new Error(`nothing was heard for ${SILENCE / 1000} s`)))
    request.once('error', fail)
    request.once('response', (response) => {
      if (body !== undefined && 'stream' in body && !body.stream.readableEnded) {
        // Answered before it has heard all: the rest is not sent, and such a connection is not used again.
        body.stream.unpipe(request).destroy()
        response.once('close', () => request.destroy())
      }
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
    if (body === undefined || !('stream' in body)) return void request.end(body)
    body.stream.once('error', fail)
    body.stream.pipe(request)
  })
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

function tooLarge(url: URL): PitlaneError {
  return new PitlaneError('STORAGE_FAILED', `${shownUrl(url)}: the answer is larger than ${TEXT_LIMIT} bytes`, {
    hint: 'A registry must take manifests of 4 MiB; nothing larger is read.',
  })
}

function unreachable(method: string, url: URL, error: unknown): PitlaneError {
  const reason = systemCode(error) ?? (error instanceof Error ? error.message : String(error))
  return new PitlaneError('FETCH_FAILED', `${method} ${shownUrl(url)}: ${reason}`, {
    hint: /CERT|SIGNED|TLS|EPROTO/.test(reason)
      ? "The registry's certificate is not believed: name the authority's file."
      : 'Check the address of the registry and the network; the same command goes on.',
    cause: error,
  })
}

/** Without the query: upload sessions carry secrets there. */
export function shownUrl(url: URL): string {
  return `${url.origin}${url.pathname}`
}

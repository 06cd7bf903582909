/** The reading half of a bucket behind an address: what `pitlane verify` and mirrors need. Answers other than 200 and 404 are errors. */
import { Readable } from 'node:stream'
import type { ReadableStream } from 'node:stream/web'
import { PitlaneError } from '../../errors.ts'

/** Milliseconds without an answer's first byte. */
const TIMEOUT = 30_000

export interface HttpReader {
  readonly location: string
  read(key: string, limit: number): Promise<Buffer | null>
  open(key: string): Promise<Readable | null>
}

/** `base` without a trailing slash, http or https. */
export function httpReader(base: string): HttpReader {
  const open = async (key: string): Promise<Readable | null> => {
    const url = `${base}/${key.split('/').map(encodeURIComponent).join('/')}`
    const response = await get(url)
    // Only these two say for sure that it is not there.
    if (response.status === 404 || response.status === 410) {
      await response.body?.cancel()
      return null
    }
    if (response.status !== 200 || response.body === null) {
      await response.body?.cancel()
      throw new PitlaneError('FETCH_FAILED', `${url} answered ${response.status}`, {
        hint:
          response.status >= 500
            ? 'The server failed: try again later.'
            : 'Is it the public address of the bucket, and may everybody read it?',
      })
    }
    return Readable.from(pieces(response.body as ReadableStream<Uint8Array>, url), { objectMode: false })
  }
  return {
    location: base,
    open,
    async read(key, limit) {
      const stream = await open(key)
      if (stream === null) return null
      const chunks: Buffer[] = []
      let size = 0
      for await (const chunk of stream as AsyncIterable<Buffer>) {
        size += chunk.length
        if (size > limit)
          throw new PitlaneError('FETCH_FAILED', `${base}/${key} is larger than ${limit} bytes`, {
            hint: 'Is it the address of the bucket? What answers there is no file of a release.',
          })
        chunks.push(chunk)
      }
      return Buffer.concat(chunks)
    },
  }
}

/** What was sent; a connection that ends too early is an error of the address, never the end of the object. */
async function* pieces(body: ReadableStream<Uint8Array>, url: string): AsyncGenerator<Buffer> {
  try {
    for await (const piece of body) yield Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength)
  } catch (error) {
    throw new PitlaneError('FETCH_FAILED', `${url} broke off: ${reason(error)}`, {
      hint: 'Nothing is known of the rest: try again.',
      cause: error,
    })
  }
}

async function get(url: string): Promise<Response> {
  const timeout = new AbortController()
  const timer = setTimeout(() => timeout.abort(new Error(`no answer in ${TIMEOUT / 1000} s`)), TIMEOUT)
  try {
    return await fetch(url, { signal: timeout.signal, headers: { 'cache-control': 'no-cache' } })
  } catch (error) {
    throw new PitlaneError('FETCH_FAILED', `${url} could not be fetched: ${reason(error)}`, {
      hint: 'Check the address and the network.',
      cause: error,
    })
  } finally {
    clearTimeout(timer)
  }
}

/** `fetch` hides what happened in `cause`. */
function reason(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error
  return cause instanceof Error ? cause.message : String(cause)
}

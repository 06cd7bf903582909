/** The reading half of a bucket behind an address: what `pitlane verify` and mirrors need. Answers other than 200 and 404 are errors. */
import { Readable } from 'node:stream'
import type { ReadableStream } from 'node:stream/web'
import type { Clock } from '../../clock.ts'
import { PitlaneError } from '../../errors.ts'

export interface HttpLimits {
  /** Milliseconds without an answer, or without a byte of it. */
  readonly idle: number
  /** Bytes in a second that have to arrive, on the average since the answer began. */
  readonly rate: number
  /** Milliseconds of slowness that are forgiven at the beginning. */
  readonly grace: number
}

/** 4 KiB/s is slower than any line that somebody downloads a release through; 100 MB may take seven hours at that. */
const LIMITS: HttpLimits = { idle: 30_000, rate: 4 * 1024, grace: 60_000 }

export interface HttpReader {
  readonly location: string
  read(key: string, limit: number): Promise<Buffer | null>
  /** What the server says of it, whatever that is; nothing is fetched. */
  look(key: string): Promise<Looked>
  open(key: string): Promise<Readable | null>
  /** Where the answer sends its reader on, without going there; null when nowhere. */
  redirectOf(key: string): Promise<string | null>
}

export interface Looked {
  /** HTTP status. */
  readonly status: number
  /** Bytes; null where the server does not tell. */
  readonly size: number | null
}

/** `base` without a trailing slash, http or https. A server can't hold its reader for ever: what it sends has to arrive in its time. */
export function httpReader(base: string, clock: Clock, limits: HttpLimits = LIMITS): HttpReader {
  const urlOf = (key: string) => `${base}/${key.split('/').map(encodeURIComponent).join('/')}`
  const open = async (key: string): Promise<Readable | null> => {
    const url = urlOf(key)
    const watch = new Watch(url, clock, limits)
    const response = await watch.get()
    // Only these two say for sure that it is not there.
    if (response.status === 404 || response.status === 410) {
      watch.end()
      return null
    }
    if (response.status !== 200 || response.body === null) {
      watch.end()
      throw new PitlaneError('FETCH_FAILED', `${url} answered ${response.status}`, {
        hint:
          response.status >= 500
            ? 'The server failed: try again later.'
            : 'Is it the public address of the bucket, and may everybody read it?',
      })
    }
    return Readable.from(watch.pieces(response.body as ReadableStream<Uint8Array>), { objectMode: false })
  }
  return {
    location: base,
    open,
    async redirectOf(key) {
      const url = urlOf(key)
      const watch = new Watch(url, clock, limits)
      const { status, headers } = await watch.get({ redirect: 'manual' })
      watch.end()
      const to = headers.get('location')
      const isSent = [301, 302, 303, 307, 308].includes(status) && to !== null && URL.canParse(to, url)
      return isSent ? new URL(to, url).href : null
    },
    async look(key) {
      const watch = new Watch(urlOf(key), clock, limits)
      try {
        const { status, headers } = await watch.get({ method: 'HEAD' })
        const length = /^[0-9]{1,15}$/.exec(headers.get('content-length') ?? '')?.[0]
        return { status, size: length === undefined ? null : Number(length) }
      } finally {
        watch.end()
      }
    },
    async read(key, limit) {
      const stream = await open(key)
      if (stream === null) return null
      const chunks: Buffer[] = []
      let size = 0
      for await (const chunk of stream as AsyncIterable<Buffer>) {
        size += chunk.length
        if (size > limit) throw tooLarge(`${base}/${key}`, limit)
        chunks.push(chunk)
      }
      return Buffer.concat(chunks)
    },
  }
}

/** One request, watched from its beginning to its end. */
class Watch {
  readonly #url: string
  readonly #clock: Clock
  readonly #limits: HttpLimits
  readonly #stop = new AbortController()

  constructor(url: string, clock: Clock, limits: HttpLimits) {
    this.#url = url
    this.#clock = clock
    this.#limits = limits
  }

  async get({ method = 'GET', redirect = 'follow' }: RequestInit = {}): Promise<Response> {
    const url = this.#url
    try {
      const headers = { 'cache-control': 'no-cache' }
      return await this.#inTime(fetch(url, { method, signal: this.#stop.signal, headers, redirect }), 'no answer')
    } catch (error) {
      this.end()
      if (error instanceof PitlaneError) throw error
      throw new PitlaneError('FETCH_FAILED', `${url} could not be fetched: ${reason(error)}`, {
        hint: 'Check the address and the network.',
        cause: error,
      })
    }
  }

  /** What was sent; a connection that ends too early is an error of the address, never the end of the object. */
  async *pieces(body: ReadableStream<Uint8Array>): AsyncGenerator<Buffer> {
    const reader = body.getReader()
    const since = this.#clock.monotonic()
    let size = 0
    try {
      for (;;) {
        const { done, value } = await this.#inTime(reader.read(), `nothing more after ${size} bytes`)
        if (done) return
        size += value.byteLength
        this.#requireRate(size, this.#clock.monotonic() - since)
        yield Buffer.from(value.buffer, value.byteOffset, value.byteLength)
      }
    } catch (error) {
      if (error instanceof PitlaneError) throw error
      throw new PitlaneError('FETCH_FAILED', `${this.#url} broke off: ${reason(error)}`, {
        hint: 'Nothing is known of the rest: try again.',
        cause: error,
      })
    } finally {
      this.end()
    }
  }

  /** Lets go of the connection. */
  end(): void {
    this.#stop.abort()
  }

  #requireRate(size: number, elapsed: number): void {
    const { rate, grace } = this.#limits
    if (elapsed <= grace + (size / rate) * 1000) return
    throw this.#slow(`${size} bytes in ${seconds(elapsed)}, less than ${rate} bytes in a second`)
  }

  async #inTime<T>(work: Promise<T>, otherwise: string): Promise<T> {
    const { idle } = this.#limits
    const over = new AbortController()
    const late = this.#clock.sleep(idle, over.signal).then(
      () => Promise.reject(this.#slow(`${otherwise} in ${seconds(idle)}`)),
      () => new Promise<never>(() => {}),
    )
    try {
      return await Promise.race([work, late])
    } finally {
      over.abort()
    }
  }

  #slow(what: string): PitlaneError {
    return new PitlaneError('FETCH_FAILED', `${this.#url} is too slow: ${what}`, {
      hint: 'Try again later, or from another mirror. A copy in a folder can be verified as well: --from FOLDER.',
    })
  }
}

function seconds(milliseconds: number): string {
  return `${Math.round(milliseconds / 100) / 10} s`
}

function tooLarge(url: string, limit: number): PitlaneError {
  return new PitlaneError('FETCH_FAILED', `${url} is larger than the ${limit} bytes that are read of such a file`, {
    hint: 'No Pitlane writes so large a one. Is it the address of a bucket? A server that answers everything with some page is none.',
  })
}

/** `fetch` hides what happened in `cause`. */
function reason(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error
  return cause instanceof Error ? cause.message : String(cause)
}

/**
 * An HTTP server in front of a real one, which passes everything on and does what a script of faults says to single requests. `Host` goes
 * through as it came, so that signatures over it stay valid and the peer names the proxy in its answers.
 */
import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type IncomingMessage, request, type ServerResponse } from 'node:http'
import { buffer } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'

export interface Answer {
  readonly status: number
  readonly headers?: IncomingHttpHeaders
  readonly body?: Buffer | string
}

export type Effect =
  /** The peer hears nothing of it (or all, with `acted`), and the client gets this. */
  | { readonly answer: Answer; readonly acted?: true }
  /** The connection breaks: before the peer hears of it, in the middle of either body, or when all is done and only the answer is missing. */
  | { readonly reset: 'before' | 'in request' | 'in answer' | 'after' }
  /** The peer gets only the first half of the body, and is told that this is all. */
  | { readonly shorten: true }
  /** The peer gets a body of which one bit is another. */
  | { readonly flip: true }
  /** Bytes in a second, in one direction; 0: none at all after the first half. */
  | { readonly pace: { readonly up: number } | { readonly down: number } }
  /** What the peer answered is changed on its way. The length in the headers follows the body, except to HEAD. */
  | { readonly alter: (answer: Required<Answer> & { readonly body: Buffer }) => Answer }

export interface Fault {
  readonly method?: string
  /** Of path and query. */
  readonly path?: RegExp
  /** Which of the requests that fit, counted from 1; all of them when absent. */
  readonly nth?: number
  readonly effect: Effect
}

export interface Seen {
  readonly method: string
  /** Path and query. */
  readonly url: string
  readonly headers: IncomingHttpHeaders
  /** What the client was answered; null when it was not. */
  status: number | null
}

export interface FaultProxy {
  /** `http://127.0.0.1:PORT` */
  readonly url: string
  /** `127.0.0.1:PORT` */
  readonly host: string
  /** Milliseconds that each request waits before the peer hears of it: half of a link's round trip is as good as the whole. */
  delay: number
  /** All requests since it was last asked. */
  seen(): readonly Seen[]
  /** Replaces the script; counting begins anew. */
  play(...faults: readonly Fault[]): void
  stop(): Promise<void>
}

export async function startFaultProxy(peer: string): Promise<FaultProxy> {
  let script: { readonly fault: Fault; met: number }[] = []
  let seen: Seen[] = []
  const effectFor = (method: string, url: string): Effect | null => {
    let found: Effect | null = null
    for (const entry of script) {
      const { fault } = entry
      if (fault.method !== undefined && fault.method !== method) continue
      if (fault.path?.test(url) === false) continue
      entry.met += 1
      if (fault.nth === undefined || fault.nth === entry.met) found ??= fault.effect
    }
    return found
  }
  const server = createServer((incoming, response) => {
    const { method = '', url = '', headers } = incoming
    const entry: Seen = { method, url, headers, status: null }
    seen.push(entry)
    const effect = effectFor(method, url)
    response.once('finish', () => (entry.status = response.statusCode))
    void (async () => {
      try {
        if (proxy.delay > 0) await sleep(proxy.delay)
        await carry(peer, incoming, response, effect)
      } catch {
        // The client has gone, or the peer: either way there is nothing to answer.
        response.destroy()
      }
    })()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const host = `127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`
  const proxy: FaultProxy = {
    url: `http://${host}`,
    host,
    delay: 0,
    seen() {
      const all = seen
      seen = []
      return all
    },
    play(...faults) {
      script = faults.map((fault) => ({ fault, met: 0 }))
    },
    async stop() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
  return proxy
}

async function carry(peer: string, from: IncomingMessage, to: ServerResponse, effect: Effect | null): Promise<void> {
  if (effect === null) return pass(await forward(peer, from), from, to)
  if ('answer' in effect) {
    if (effect.acted) await buffer(await forward(peer, from))
    return write(to, from, effect.answer)
  }
  if ('reset' in effect) {
    if (effect.reset === 'before') return void from.socket.destroy()
    if (effect.reset === 'after') {
      await buffer(await forward(peer, from))
      return void from.socket.destroy()
    }
    if (effect.reset === 'in answer') return cutAnswer(await forward(peer, from), from, to)
    await forward(peer, from, async function* () {
      yield firstHalf(await buffer(from))
      from.socket.destroy()
      throw new Error('cut')
    })
    return
  }
  if ('shorten' in effect) {
    const half = firstHalf(await buffer(from))
    return pass(await forward(peer, from, () => [half], half.length), from, to)
  }
  if ('flip' in effect) {
    const body = await buffer(from)
    body[body.length >> 1] = (body[body.length >> 1] ?? 0) ^ 1
    return pass(await forward(peer, from, () => [body], body.length), from, to)
  }
  if ('pace' in effect) {
    if ('up' in effect.pace) {
      const { up } = effect.pace
      return pass(await forward(peer, from, () => paced(from, length(from.headers), up)), from, to)
    }
    const answer = await forward(peer, from)
    to.writeHead(answer.statusCode ?? 0, answer.headers)
    for await (const piece of paced(answer, length(answer.headers), effect.pace.down)) {
      if (to.destroyed) return void answer.destroy()
      to.write(piece)
    }
    return void to.end()
  }
  const answer = await forward(peer, from)
  const { statusCode: status = 0, headers } = answer
  return write(to, from, effect.alter({ status, headers, body: await buffer(answer) }))
}

/** @param bytes what the peer gets instead of the whole body, and how long it is told that this is */
async function forward(
  peer: string,
  from: IncomingMessage,
  bytes: () => AsyncIterable<Buffer> | Iterable<Buffer> = () => from,
  announced?: number,
): Promise<IncomingMessage> {
  const { expect: _, ...headers } = from.headers
  const outgoing = request(new URL(from.url ?? '/', peer), {
    method: from.method,
    agent: false,
    headers: {
      ...headers,
      connection: 'close',
      ...(announced === undefined ? {} : { 'content-length': announced }),
    },
  })
  const answered = once(outgoing, 'response') as Promise<[IncomingMessage]>
  // Who is no longer waited for is let go of.
  from.socket.once('close', () => outgoing.destroy())
  const sent = (async () => {
    for await (const piece of bytes()) {
      if (outgoing.destroyed) return
      if (!outgoing.write(piece)) await Promise.race([once(outgoing, 'drain'), answered])
    }
    outgoing.end()
  })()
  // A body that can't be sent takes the request with it; an answer that comes before its end is one.
  sent.catch((error: Error) => outgoing.destroy(error))
  const [answer] = await answered
  return answer
}

function pass(answer: IncomingMessage, from: IncomingMessage, to: ServerResponse): Promise<void> {
  to.writeHead(answer.statusCode ?? 0, answer.headers)
  answer.pipe(to)
  // Who was answered too early may still be sending.
  from.resume()
  return once(to, 'close').then(() => undefined)
}

async function cutAnswer(answer: IncomingMessage, from: IncomingMessage, to: ServerResponse): Promise<void> {
  const bytes = await buffer(answer)
  if (from.method === 'HEAD') return void from.socket.destroy()
  to.writeHead(answer.statusCode ?? 0, { ...answer.headers, 'content-length': Math.max(bytes.length, 1) })
  to.write(firstHalf(bytes))
  to.flushHeaders()
  await sleep(20)
  from.socket.destroy()
}

function write(to: ServerResponse, from: IncomingMessage, { status, headers, body = '' }: Answer): void {
  const bytes = Buffer.from(body)
  const { 'transfer-encoding': _, ...rest } = headers ?? {}
  to.writeHead(status, from.method === 'HEAD' ? rest : { ...rest, 'content-length': bytes.length })
  to.end(bytes)
}

async function* paced(source: AsyncIterable<Buffer>, whole: number, rate: number): AsyncGenerator<Buffer> {
  let sent = 0
  for await (const piece of source) {
    if (rate === 0) {
      yield piece.subarray(0, Math.max(0, Math.floor(whole / 2) - sent))
      sent += piece.length
      if (sent >= whole / 2) await new Promise(() => {})
      continue
    }
    for (let rest = piece; rest.length > 0; rest = rest.subarray(Math.max(1, rate / 20))) {
      yield rest.subarray(0, Math.max(1, rate / 20))
      await sleep(50)
    }
  }
}

function firstHalf(bytes: Buffer): Buffer {
  return bytes.subarray(0, Math.floor(bytes.length / 2))
}

function length(headers: IncomingHttpHeaders): number {
  return Number(headers['content-length'] ?? 0)
}

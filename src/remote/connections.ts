/** Connections to a server: few, used again, and ended when the server keeps a request waiting. */
import * as http from 'node:http'
import * as https from 'node:https'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { type Clock, systemClock } from '../clock.ts'

export interface Pace {
  /** Milliseconds. */
  readonly window: number
  /** Bytes that have to move in each window, in either direction, while a request is on its way. */
  readonly bytes: number
}

/** Slower than 1 KiB/s for a whole minute is no line that anybody publishes over; a server that thinks for longer than that has died. */
const PACE: Pace = { window: 60_000, bytes: 60 * 1024 }
/** Connections at a time, to one server. */
const CONNECTIONS = 16

export interface Connections {
  readonly http: http.Agent
  readonly https: https.Agent
  close(this: void): void
}

/**
 * A request whose connection is slower than `pace` fails with the code `ETIMEDOUT`, an answer that is under way breaks off.
 * @param ca PEM text of the authorities to believe instead of the system's, or null
 */
export function connections({
  ca,
  clock = systemClock,
  pace = PACE,
}: {
  readonly ca: string | null
  readonly clock?: Clock | undefined
  readonly pace?: Pace | undefined
}): Connections {
  const options = { keepAlive: true, maxSockets: CONNECTIONS }
  const watch = watcher(clock, pace)
  const plain = watched(new http.Agent(options), watch)
  const secure = watched(new https.Agent({ ...options, ...(ca === null ? {} : { ca }) }), watch)
  return {
    http: plain,
    https: secure,
    close() {
      plain.destroy()
      secure.destroy()
    },
  }
}

interface Watcher {
  /** A request has got the connection. */
  begin(socket: Socket): void
  /** It is done. */
  end(socket: Duplex): void
}

function watcher(clock: Clock, pace: Pace): Watcher {
  const watches = new WeakMap<Duplex, AbortController>()
  const watch = async (socket: Socket, over: AbortSignal) => {
    const moved = () => socket.bytesRead + socket.bytesWritten
    for (let before = moved(); ; before = moved()) {
      await clock.sleep(pace.window, over)
      const bytes = moved() - before
      if (bytes < pace.bytes) return void socket.destroy(tooSlow(bytes, pace))
    }
  }
  return {
    begin(socket) {
      const over = new AbortController()
      watches.set(socket, over)
      // Rejects when it is over.
      watch(socket, over.signal).catch(() => undefined)
    },
    end: (socket) => watches.get(socket)?.abort(),
  }
}

/** Node's hooks for agents of one's own: a connection is made, kept for later, used again. */
interface Hooks {
  createConnection(this: void, ...args: unknown[]): Socket
  keepSocketAlive(this: void, socket: Duplex): unknown
  reuseSocket(this: void, socket: Duplex, request: http.ClientRequest): void
}

function watched<A extends http.Agent>(agent: A, watch: Watcher): A {
  const hooks = agent as unknown as Hooks
  const { createConnection, keepSocketAlive, reuseSocket } = hooks
  hooks.createConnection = (...args) => {
    const socket = Reflect.apply(createConnection, agent, args)
    watch.begin(socket)
    return socket.once('close', () => watch.end(socket))
  }
  hooks.keepSocketAlive = (socket) => {
    watch.end(socket)
    return Reflect.apply(keepSocketAlive, agent, [socket])
  }
  hooks.reuseSocket = (socket, request) => {
    Reflect.apply(reuseSocket, agent, [socket, request])
    watch.begin(socket as Socket)
  }
  return agent
}

function tooSlow(bytes: number, { window }: Pace): Error {
  const error = new Error(`too slow: ${bytes} bytes in ${window / 1000} s`)
  return Object.assign(error, { code: 'ETIMEDOUT' })
}

/** Failures of a connection that the next attempt meets as well (codes of the system, of OpenSSL and of Node). */
const STANDING: ReadonlySet<string> = new Set([
  'ENOTFOUND',
  'EPROTO',
  'CERT_HAS_EXPIRED',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'ERR_TLS_CERT_ALTNAME_INVALID',
])

export function connectionMayWork(code: string): boolean {
  return !STANDING.has(code)
}

/** Whether it is the server's certificate, or that it speaks no TLS at all. */
export function blamesCertificate(code: string): boolean {
  return /CERT|SIGNED|SIGNATURE|TLS|^EPROTO$/.test(code)
}

/** A longer way to a server: whatever goes through arrives half a round trip later, in both directions. It reads nothing of it. */
import { connect, createServer, type Socket } from 'node:net'
import type { AddressInfo } from 'node:net'

export interface Link {
  /** `http://127.0.0.1:PORT` */
  readonly url: string
  /** `127.0.0.1:PORT` */
  readonly host: string
  /** Connections that were made through it so far. */
  readonly connections: number
  stop(): Promise<void>
}

/** @param roundTrip milliseconds, of what is sent; a new connection costs one more, as it does on a real way */
export async function startLink(to: string, roundTrip: number): Promise<Link> {
  const { hostname, port } = new URL(to)
  const open = new Set<Socket>()
  let connections = 0
  const server = createServer({ noDelay: true }, (near) => {
    connections += 1
    const far = connect({ host: hostname, port: Number(port), noDelay: true })
    const since = performance.now()
    for (const socket of [near, far]) {
      open.add(socket)
      socket.once('close', () => open.delete(socket))
    }
    later(near, far, roundTrip / 2, since + roundTrip * 1.5)
    later(far, near, roundTrip / 2, 0)
  })
  server.listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    url: `http://${host}`,
    host,
    get connections() {
      return connections
    },
    async stop() {
      for (const socket of open) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** Bytes on the way: as much as a fast line holds in a round trip, and more, so that no sender waits for the line. */
const ON_THE_WAY = 64 * 1024 * 1024

/** Everything that comes from one side goes to the other `delay` milliseconds later, and not before `notBefore`. */
function later(from: Socket, to: Socket, delay: number, notBefore: number): void {
  const queue: { readonly due: number; readonly bytes: Buffer | null }[] = []
  let held = 0
  let timer: NodeJS.Timeout | undefined
  const put = (bytes: Buffer | null) => {
    queue.push({ due: Math.max(performance.now() + delay, notBefore), bytes })
    held += bytes?.length ?? 0
    if (held > ON_THE_WAY) from.pause()
    timer ??= setTimeout(deliver, delay)
  }
  const deliver = () => {
    timer = undefined
    for (let first = queue[0]; first !== undefined; first = queue[0]) {
      const left = first.due - performance.now()
      if (left > 0.5) {
        timer = setTimeout(deliver, left)
        return
      }
      queue.shift()
      if (to.destroyed) return
      if (first.bytes === null) to.end()
      else to.write(first.bytes)
      held -= first.bytes?.length ?? 0
      if (held <= ON_THE_WAY) from.resume()
    }
  }
  from.on('data', put)
  from.on('end', () => put(null))
  from.on('error', () => to.destroy())
  from.on('close', () => {
    if (from.errored !== null) to.destroy()
  })
}

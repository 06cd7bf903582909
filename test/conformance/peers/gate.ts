/** Stands in front of a server, counts the requests to it, and can act at one of them. Host names pass unchanged: S3 signs them. */
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface Gates {
  /** The address in front of this one. */
  before(url: string): Promise<string>
  /** Every request since the last `arm`: `PUT /releases/…`. */
  readonly seen: readonly string[]
  /**
   * Acts once, at the request that is picked (by its number from 1, and what it is): before the server hears of it, or when it has acted and
   * nobody has heard its answer. Nothing comes through from then on, until the next `arm`; without a trap everything does.
   */
  arm(trap: Trap | null): void
  stop(): Promise<void>
}

export interface Trap {
  pick(nth: number, asked: string): boolean
  readonly when: 'before' | 'after'
  act(): void
}

export function openGates(): Gates {
  const servers: ReturnType<typeof createServer>[] = []
  let trap: Trap | null = null
  let seen: string[] = []
  let shut = false

  function pass(url: string, asked: IncomingMessage, answer: ServerResponse): void {
    const what = `${asked.method} ${asked.url?.split('?')[0]}`
    seen.push(what)
    const mine = !shut && trap?.pick(seen.length, what) === true
    if (shut || (mine && trap?.when === 'before')) return strike(mine, asked)
    const onward = request(new URL(asked.url ?? '/', url), { method: asked.method, headers: asked.headers }, (got) => {
      if (mine) {
        // The server has acted: its answer is there.
        got.resume().on('end', () => strike(true, asked))
        return
      }
      if (shut) return asked.destroy()
      got.pipe(answer.writeHead(got.statusCode ?? 502, got.headers))
    })
    onward.on('error', () => asked.destroy())
    asked.pipe(onward)
  }

  function strike(mine: boolean, asked: IncomingMessage): void {
    shut = true
    if (mine) trap?.act()
    asked.destroy()
  }

  return {
    async before(url) {
      const server = createServer((asked, answer) => pass(url, asked, answer))
      servers.push(server)
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
      return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    },
    get seen() {
      return seen
    },
    arm(next) {
      trap = next
      seen = []
      shut = false
    },
    async stop() {
      for (const server of servers) {
        server.closeAllConnections()
        await new Promise((resolve) => server.close(resolve))
      }
    },
  }
}

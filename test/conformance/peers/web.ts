/** What stands in front of a bucket where people read: a web server over its folder, or the S3 server's own behind one name. */
import { createReadStream, statSync } from 'node:fs'
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'

export interface Web {
  /** `http://127.0.0.1:PORT` */
  readonly url: string
  /** Paths that were asked for and not there. */
  readonly notFound: readonly string[]
  stop(): Promise<void>
}

export function serveFolder(folder: string): Promise<Web> {
  return serve((asked, answer) => {
    const path = join(folder, decodeURIComponent(new URL(asked.url ?? '/', 'http://x').pathname))
    const facts = statSync(path, { throwIfNoEntry: false })
    if (!facts?.isFile()) answer.writeHead(404).end()
    else createReadStream(path).pipe(answer.writeHead(200, { 'content-length': facts.size }))
  })
}

/** Hands every request on to a server that tells sites apart by the name of their host. */
export function serveHost(url: string, host: string): Promise<Web> {
  return serve((asked, answer) => {
    const onward = request(new URL(asked.url ?? '/', url), { headers: { ...asked.headers, host } }, (got) => {
      got.pipe(answer.writeHead(got.statusCode ?? 502, got.headers))
    })
    onward.on('error', () => answer.destroy())
    onward.end()
  })
}

async function serve(handle: (asked: IncomingMessage, answer: ServerResponse) => void): Promise<Web> {
  const notFound: string[] = []
  const server = createServer((asked, answer) => {
    answer.on('finish', () => {
      if (answer.statusCode === 404) notFound.push(asked.url ?? '')
    })
    handle(asked, answer)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    notFound,
    async stop() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

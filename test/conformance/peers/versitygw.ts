/** versitygw: an S3 server over a folder. It honours conditional writes. */
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { goModule, installed } from './installed.ts'
import type { S3Server } from './s3.ts'
import { freePort, startServer, temporaryFolder } from './server.ts'
import { serveFolder } from './web.ts'

export const versitygw = () =>
  installed(goModule('versitygw-1.8.0', 'versitygw', 'github.com/versity/versitygw/cmd/versitygw@v1.8.0'))

export async function startVersitygw(program: string): Promise<S3Server> {
  const folder = temporaryFolder('versitygw')
  const port = await freePort()
  const accessKey = 'pitlane-test'
  const secretKey = 'only-on-loopback'
  const server = await startServer({
    command: program,
    args: ['--port', `127.0.0.1:${port}`, 'posix', folder.path],
    port,
    env: { ROOT_ACCESS_KEY: accessKey, ROOT_SECRET_KEY: secretKey },
    // Whatever it answers: it is there.
    ready: async (url) => (await fetch(url)).status > 0,
  })
  return {
    name: 'versitygw',
    url: server.url,
    region: 'us-east-1',
    accessKey,
    secretKey,
    makeBucket: (name) => mkdir(join(folder.path, name)),
    readBucket: (name) => serveFolder(join(folder.path, name)),
    async stop() {
      await server.stop()
      folder.remove()
    },
  }
}

/** versitygw: an S3 server over a folder. It honours conditional writes. */
import { mkdir, readdir, rm } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { goModule, installed } from './installed.ts'
import type { S3Server } from './s3.ts'
import { freePort, startServer, temporaryFolder } from './server.ts'
import { serveFolder } from './web.ts'

export const versitygw = () =>
  installed(goModule('versitygw-1.8.0', 'versitygw', 'github.com/versity/versitygw/cmd/versitygw@v1.8.0'))

export interface FolderS3Server extends S3Server {
  /** Removes what is in the bucket, behind the server's back. */
  emptyBucket(name: string): Promise<void>
  /** Removes the leases of publishers, as time does. */
  dropLeases(name: string): Promise<void>
  /** Where objects of a bucket are files, by their keys. */
  folder(name: string): string
  /** What is in the bucket. */
  keys(name: string): Promise<readonly string[]>
}

/**
 * @param log a file that gets a line for each request, in the form of Amazon's own access logs
 * @param more of its flags: as it is started by itself, it closes each connection after one request
 */
export async function startVersitygw(
  program: string,
  { log, more = [] }: { readonly log?: string; readonly more?: readonly string[] } = {},
): Promise<FolderS3Server> {
  const folder = temporaryFolder('versitygw')
  const port = await freePort()
  const accessKey = 'pitlane-test'
  const secretKey = 'only-on-loopback'
  const server = await startServer({
    command: program,
    args: [
      '--port',
      `127.0.0.1:${port}`,
      ...(log === undefined ? [] : ['--access-log', log]),
      ...more,
      'posix',
      folder.path,
    ],
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
    folder: (name) => join(folder.path, name),
    async keys(name) {
      const bucket = join(folder.path, name)
      const entries = await readdir(bucket, { recursive: true, withFileTypes: true })
      return entries
        .filter((entry) => entry.isFile())
        .map((entry) => relative(bucket, join(entry.parentPath, entry.name)))
        .sort()
    },
    async dropLeases(name) {
      for (const entry of await readdir(join(folder.path, name)))
        if (entry.startsWith('.pitlane-lease')) await rm(join(folder.path, name, entry), { recursive: true })
    },
    async emptyBucket(name) {
      const bucket = join(folder.path, name)
      for (const entry of await readdir(bucket)) await rm(join(bucket, entry), { recursive: true })
    },
    readBucket: (name) => serveFolder(join(folder.path, name)),
    async stop() {
      await server.stop()
      folder.remove()
    },
  }
}

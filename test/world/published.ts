/** Releases of the toy world that `pitlane release` really made, behind a web server as strangers meet them. */
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { CONFIGURATION, makeWorld, type World } from './toy.ts'
import { succeed } from './program.ts'

const ENTRY = fileURLToPath(new URL('../../bin/pitlane-dev.ts', import.meta.url))
const JSX = fileURLToPath(new URL('../../scripts/jsx.ts', import.meta.url))

export interface Published extends World {
  /** Where the bucket is served; every link on the page begins with it. */
  readonly address: string
  /** Stable versions, oldest first. */
  readonly stable: readonly string[]
  /** A commit id, released as a development version. */
  readonly development: string
  /** Runs `pitlane` from its sources, in the project. */
  pitlane(...args: string[]): Promise<string>
  /** Paths that were asked for and are not in the bucket. */
  readonly notFound: readonly string[]
  close(): Promise<void>
}

/** Releases v1.9.0, v1.10.0 and a commit after them. */
export async function publishWorld(): Promise<Published> {
  let bucket = ''
  const notFound: string[] = []
  const server = createServer((request, response) => {
    const path = decodeURIComponent(request.url ?? '/')
    readFile(join(bucket, path)).then(
      (bytes) => response.end(bytes),
      () => {
        notFound.push(path)
        response.writeHead(404).end()
      },
    )
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const close = async (world: World | null) => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
    world?.remove()
  }

  const documentation = '{ run: sh doc.sh, folder: doc, versions: true }'
  const world = makeWorld(
    CONFIGURATION.replace('https://releases.example.org', address).replace(
      'publish:',
      `  documentation: ${documentation}\npublish:`,
    ),
  )
  try {
    bucket = world.bucket
    const pitlane = (...args: string[]) =>
      succeed(process.execPath, ['--disable-warning=ExperimentalWarning', '--import', JSX, ENTRY, ...args], {
        cwd: world.project,
        env: world.env,
      })
    world.write('doc.sh', `mkdir doc\necho "<a href='$RELEASES_PAGE#$VERSION'>$VERSION</a>" > doc/index.html\n`)
    const stable = ['v1.9.0', 'v1.10.0']
    for (const version of stable) {
      world.write('source.txt', `the source of toy ${version}\n`)
      world.commit(`Prepare ${version}`)
      world.git(
        'tag',
        '--annotate',
        version,
        '--message',
        `Toy ${version}\n\nWith *everything* that ${version} brings.`,
      )
      await pitlane('release', version)
    }
    world.write('source.txt', 'the source of toy, and more\n')
    const development = world.commit('Go on')
    await pitlane('release')
    return { ...world, address, stable, development, pitlane, notFound, close: () => close(world) }
  } catch (error) {
    await close(world)
    throw error
  }
}

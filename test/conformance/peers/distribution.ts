/** The distribution project's registry, the reference for all others. */
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { goModule, installed } from './installed.ts'
import { freePort, type Server, startServer, temporaryFolder } from './server.ts'

export const distribution = () =>
  installed(goModule('distribution-3.1.2', 'registry', 'github.com/distribution/distribution/v3/cmd/registry@v3.1.2'))

export interface RegistryServer extends Server {
  /** `127.0.0.1:PORT` */
  readonly host: string
  /** Where everything is that it holds; absent while that is nothing. */
  readonly data: string
  /** Removes everything, behind its back. */
  empty(): void
}

/**
 * @param settings further lines of its configuration (YAML), for logins
 * @param deletes whether it deletes manifests and blobs; as it is installed, it does not
 */
export async function startDistribution(
  program: string,
  settings: readonly string[] = [],
  deletes = true,
): Promise<RegistryServer> {
  const folder = temporaryFolder('distribution')
  const port = await freePort()
  const config = join(folder.path, 'config.yml')
  const data = join(folder.path, 'data')
  const lines = [
    'version: 0.1',
    'log: { level: warn }',
    'storage:',
    `  filesystem: { rootdirectory: ${JSON.stringify(data)} }`,
    `  delete: { enabled: ${deletes} }`,
    `http: { addr: 127.0.0.1:${port}, secret: only-on-loopback }`,
    ...settings,
  ]
  writeFileSync(config, `${lines.join('\n')}\n`, { mode: 0o600 })
  const server = await startServer({
    command: program,
    args: ['serve', config],
    port,
    env: { OTEL_TRACES_EXPORTER: 'none' },
    ready: async (url) => [200, 401].includes((await fetch(`${url}/v2/`)).status),
  })
  return {
    ...server,
    host: `127.0.0.1:${port}`,
    data,
    empty: () => rmSync(data, { recursive: true, force: true }),
    async stop() {
      await server.stop()
      folder.remove()
    },
  }
}

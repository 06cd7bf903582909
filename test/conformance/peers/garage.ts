/** Garage: the S3 server of the model user, a single node. It ignores conditional writes. */
import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { cargoCrate, installed } from './installed.ts'
import type { S3Server } from './s3.ts'
import { freePort, startServer, temporaryFolder } from './server.ts'
import { serveHost } from './web.ts'

export const garage = () => installed(cargoCrate('garage', '2.5.0'))

export async function startGarage(program: string): Promise<S3Server> {
  const folder = temporaryFolder('garage')
  const [api, rpc, web, admin] = [await freePort(), await freePort(), await freePort(), await freePort()]
  const config = join(folder.path, 'garage.toml')
  const settings = [
    `metadata_dir = "${folder.path}/meta"`,
    `data_dir = "${folder.path}/data"`,
    'db_engine = "sqlite"',
    'replication_factor = 1',
    `rpc_bind_addr = "127.0.0.1:${rpc}"`,
    `rpc_public_addr = "127.0.0.1:${rpc}"`,
    `rpc_secret = "${randomBytes(32).toString('hex')}"`,
    '[s3_api]',
    's3_region = "garage"',
    `api_bind_addr = "127.0.0.1:${api}"`,
    'root_domain = ".s3.localhost"',
    '[s3_web]',
    `bind_addr = "127.0.0.1:${web}"`,
    'root_domain = ".web.localhost"',
    'index = "index.html"',
    '[admin]',
    `api_bind_addr = "127.0.0.1:${admin}"`,
    `admin_token = "${randomBytes(16).toString('hex')}"`,
  ]
  writeFileSync(config, `${settings.join('\n')}\n`, { mode: 0o600 })
  const server = await startServer({
    command: program,
    args: ['-c', config, 'server'],
    port: api,
    env: { RUST_LOG: 'garage=warn' },
    ready: async (url) => (await fetch(url)).status > 0,
  })
  const run = (...args: string[]): string => {
    const { status, stdout, stderr } = spawnSync(program, ['-c', config, ...args], { encoding: 'utf8' })
    if (status !== 0) throw new Error(`garage ${args.join(' ')}: ${stderr}`)
    return stdout
  }
  const node = run('node', 'id', '-q').trim().split('@')[0] ?? ''
  run('layout', 'assign', '-z', 'dc1', '-c', '1G', node)
  run('layout', 'apply', '--version', '1')
  run('key', 'create', 'pitlane')
  const key = run('key', 'info', 'pitlane', '--show-secret')
  const fact = (name: RegExp) => name.exec(key)?.[1] ?? ''
  return {
    name: 'Garage',
    url: server.url,
    region: 'garage',
    accessKey: fact(/Key ID:\s+(\S+)/),
    secretKey: fact(/Secret key:\s+(\S+)/),
    async makeBucket(name) {
      run('bucket', 'create', name)
      run('bucket', 'allow', '--read', '--write', '--owner', name, '--key', 'pitlane')
      run('bucket', 'website', '--allow', name)
    },
    readBucket: (name) => serveHost(`http://127.0.0.1:${web}`, `${name}.web.localhost`),
    async stop() {
      await server.stop()
      folder.remove()
    },
  }
}

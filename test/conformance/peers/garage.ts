/** Garage: the S3 server of the model user. It ignores conditional writes. */
import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { cargoCrate, installed } from './installed.ts'
import type { S3Server } from './s3.ts'
import { freePort, type Server, startServer, temporaryFolder } from './server.ts'
import { serveHost } from './web.ts'

export const garage = () => installed(cargoCrate('garage', '2.5.0'))

export interface Garage extends S3Server {
  /** Ends one of the nodes that are not asked, and returns how it is started again. */
  stopNode(): Promise<() => Promise<void>>
}

/** One node, or three that keep each object three times; the first one is asked. */
export async function startGarage(program: string, nodes: 1 | 3 = 1): Promise<Garage> {
  const secret = randomBytes(32).toString('hex')
  const all: Node[] = []
  for (let n = 0; n < nodes; n += 1) all.push(await startNode(program, secret, nodes))
  const [first, ...others] = all
  if (first === undefined) throw new Error('no node')
  const run = (...args: string[]) => first.run(...args)
  for (const { id } of others) run('node', 'connect', id)
  for (const { id } of all) run('layout', 'assign', '-z', 'dc1', '-c', '1G', id.split('@')[0] ?? '')
  run('layout', 'apply', '--version', '1')
  run('key', 'create', 'pitlane')
  const key = run('key', 'info', 'pitlane', '--show-secret')
  const fact = (name: RegExp) => name.exec(key)?.[1] ?? ''
  return {
    name: 'Garage',
    url: first.url,
    region: 'garage',
    accessKey: fact(/Key ID:\s+(\S+)/),
    secretKey: fact(/Secret key:\s+(\S+)/),
    async makeBucket(name) {
      run('bucket', 'create', name)
      run('bucket', 'allow', '--read', '--write', '--owner', name, '--key', 'pitlane')
      run('bucket', 'website', '--allow', name)
    },
    readBucket: (name) => serveHost(first.web, `${name}.web.localhost`),
    async stopNode() {
      const node = others.find((each) => each.isUp())
      if (node === undefined) throw new Error('only the node that is asked is up')
      await node.down()
      return async () => {
        await node.up()
        // They would find each other again, after a minute.
        run('node', 'connect', node.id)
      }
    },
    async stop() {
      for (const node of all) await node.remove()
    },
  }
}

interface Node {
  readonly url: string
  /** Of its websites. */
  readonly web: string
  /** `PUBLIC KEY@HOST:PORT` */
  readonly id: string
  /** Fails with what the program says. */
  run(...args: string[]): string
  isUp(): boolean
  down(): Promise<void>
  up(): Promise<void>
  remove(): Promise<void>
}

async function startNode(program: string, secret: string, replicas: number): Promise<Node> {
  const folder = temporaryFolder('garage')
  const [api, rpc, web, admin] = [await freePort(), await freePort(), await freePort(), await freePort()]
  const config = join(folder.path, 'garage.toml')
  const settings = [
    `metadata_dir = "${folder.path}/meta"`,
    `data_dir = "${folder.path}/data"`,
    'db_engine = "sqlite"',
    `replication_factor = ${replicas}`,
    `rpc_bind_addr = "127.0.0.1:${rpc}"`,
    `rpc_public_addr = "127.0.0.1:${rpc}"`,
    `rpc_secret = "${secret}"`,
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
  const start = () =>
    startServer({
      command: program,
      args: ['-c', config, 'server'],
      port: api,
      env: { RUST_LOG: 'garage=warn' },
      ready: async (url) => (await fetch(url)).status > 0,
    })
  let server: Server | null = await start()
  const run = (...args: string[]): string => {
    const { status, stdout, stderr } = spawnSync(program, ['-c', config, ...args], { encoding: 'utf8' })
    if (status !== 0) throw new Error(`garage ${args.join(' ')}: ${stderr}`)
    return stdout
  }
  const down = async () => {
    await server?.stop()
    server = null
  }
  return {
    url: server.url,
    web: `http://127.0.0.1:${web}`,
    id: run('node', 'id', '-q').trim(),
    run,
    isUp: () => server !== null,
    down,
    async up() {
      server ??= await start()
    },
    async remove() {
      await down()
      folder.remove()
    },
  }
}

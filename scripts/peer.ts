// `npm run peer -- NAME`: starts one of the servers that conformance tests use, on loopback, until Ctrl-C. Its data goes with it.
import { once } from 'node:events'
import { parseArgs } from 'node:util'
import { distribution, type RegistryServer, startDistribution } from '../test/conformance/peers/distribution.ts'
import { dockerRegistry, startDockerRegistry } from '../test/conformance/peers/docker-registry.ts'
import { garage, startGarage } from '../test/conformance/peers/garage.ts'
import type { S3Server } from '../test/conformance/peers/s3.ts'
import { startVersitygw, versitygw } from '../test/conformance/peers/versitygw.ts'
import { searchPath } from './peers.ts'

/** What is running, in lines for a person, and how it ends. */
interface Running {
  readonly lines: readonly string[]
  stop(): Promise<void>
}

const BUCKET = 'releases'

async function s3(server: S3Server): Promise<Running> {
  await server.makeBucket(BUCKET)
  const web = await server.readBucket(BUCKET)
  const lines = [
    `${server.name} with the bucket '${BUCKET}'. In pitlane.yaml:`,
    '',
    '  publish:',
    `    bucket: 's3://${BUCKET}?endpoint=${server.url}&region=${server.region}'`,
    `    public: ${web.url}`,
    '',
    'and in the shell:',
    '',
    `  export AWS_ACCESS_KEY_ID=${server.accessKey} AWS_SECRET_ACCESS_KEY=${server.secretKey}`,
  ]
  return {
    lines,
    async stop() {
      await web.stop()
      await server.stop()
    },
  }
}

function registry(name: string, server: RegistryServer): Running {
  const lines = [
    `${name}, without a login. In pitlane.yaml:`,
    '',
    `  publish: { registry: ${server.host} }`,
    '',
    `What is there: curl ${server.url}/v2/_catalog`,
  ]
  return { lines, stop: () => server.stop() }
}

const PEERS = {
  garage: { find: garage, start: async (program: string) => s3(await startGarage(program)) },
  versitygw: { find: versitygw, start: async (program: string) => s3(await startVersitygw(program)) },
  registry: {
    find: distribution,
    start: async (program: string) => registry('The registry of today', await startDistribution(program)),
  },
  'docker-registry': {
    find: dockerRegistry,
    start: async (program: string) => registry("Debian's registry 2.8", await startDockerRegistry(program)),
  },
}

const names = Object.keys(PEERS)
const { positionals } = parseArgs({ allowPositionals: true })
const [name = ''] = positionals
if (positionals.length !== 1 || !names.includes(name)) {
  console.error(`usage: npm run peer -- ${names.join('|')}`)
  process.exit(2)
}
process.env['PATH'] = searchPath()
const { find, start } = PEERS[name as keyof typeof PEERS]
const found = find()
if ('absent' in found) {
  console.error(found.absent)
  process.exit(1)
}
const running = await start(found.program)
console.log(`${running.lines.join('\n')}\n\nCtrl-C ends it, and removes its data.`)
// Without something to wait for, Node would end.
const alive = setInterval(() => {}, 1_000_000)
await Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')])
clearInterval(alive)
await running.stop()

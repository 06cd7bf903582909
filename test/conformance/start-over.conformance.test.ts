// A version that never became visible begins anew with other bytes, on real S3 servers with a real registry, also when the journal is lost and the
// removal is killed. One whose document was served, or that has a tag, never does.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { staticBinary } from '../../src/artifact/fixtures/elf-builder.ts'
import { KEYS } from '../../src/plan/keys.ts'
import { CONFIGURATION, makeWorld, PUBLIC_KEY, type World } from '../world/toy.ts'
import { distribution, type RegistryServer, startDistribution } from './peers/distribution.ts'
import { garage, startGarage } from './peers/garage.ts'
import { type Gates, openGates, type Trap } from './peers/gate.ts'
import type { S3Server } from './peers/s3.ts'
import { startVersitygw, versitygw } from './peers/versitygw.ts'
import type { Web } from './peers/web.ts'

const PITLANE = fileURLToPath(new URL('../../bin/pitlane-dev.ts', import.meta.url))
const JSX = fileURLToPath(new URL('../../scripts/jsx.ts', import.meta.url))
const TARGETS = ['x86_64-unknown-linux-musl', 'i686-unknown-linux-musl']

function startsOver(s3Of: () => Promise<S3Server>, registryProgram: string): void {
  let [s3, registry, web, gates]: [S3Server?, RegistryServer?, Web?, Gates?] = []
  let world: World

  before(async () => {
    s3 = await s3Of()
    registry = await startDistribution(registryProgram)
    await s3.makeBucket('releases')
    web = await s3.readBucket('releases')
    gates = openGates()
    const [front, images] = [await gates.before(s3.url), await gates.before(registry.url)]
    world = makeWorld(
      CONFIGURATION.replace(/targets: \[x86_64[^\]]*\]/, `targets: [${TARGETS.join(', ')}]`)
        .replace('bucket: ../bucket', `bucket: s3://releases?endpoint=${front}&region=${s3.region}`)
        .replace('registry: ../images', `registry: ${images.slice('http://'.length)}`)
        .replace('https://releases.example.org', web.url),
    )
  })
  after(async () => {
    world.remove()
    for (const server of [gates, web, registry, s3]) await server?.stop()
  })

  async function pitlane(args: readonly string[], kill?: (asked: string) => boolean) {
    assert.ok(s3 !== undefined && gates !== undefined)
    const env = { ...world.env, AWS_ACCESS_KEY_ID: s3.accessKey, AWS_SECRET_ACCESS_KEY: s3.secretKey }
    const node = ['--disable-warning=ExperimentalWarning', '--import', JSX, PITLANE, ...args]
    const child = spawn(process.execPath, node, { cwd: world.project, env, stdio: ['ignore', 'pipe', 'pipe'] })
    let output = ''
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (piece) => (output += String(piece)))
    const trap: Trap | null =
      kill === undefined ? null : { pick: (_, asked) => kill(asked), when: 'before', act: () => child.kill('SIGKILL') }
    gates.arm(trap)
    const [code, signal] = (await once(child, 'close')) as [number | null, string | null]
    return { code, signal, output }
  }

  /** Dies at that request; then the tag is another commit's, and nobody remembers the first try. */
  async function begunAndLost(version: string, kill: (asked: string) => boolean): Promise<void> {
    world.git('tag', version)
    const first = await pitlane(['release', version], kill)
    assert.equal(first.signal, 'SIGKILL', first.output)
    world.write('source.txt', `the source of toy, mended for ${version}\n`)
    for (const triple of TARGETS)
      world.write(`prebuilt/${triple}`, staticBinary(triple, Buffer.from(version), { text: 'hello from toy\n' }), 0o755)
    world.commit(`Mend ${version}`)
    world.git('tag', '--force', version)
    rmSync(join(world.project, '.pitlane'), { recursive: true })
  }

  const over = (version: string, ...more: string[]) => ['release', version, '--start-over', ...more]

  test('objects are there and no document: shown, killed while it is removed, done, verified', async () => {
    await begunAndLost('v1.1.0', (asked) => asked.endsWith(`/${KEYS.document('v1.1.0')}`) && asked.startsWith('PUT '))
    const shown = await pitlane(over('v1.1.0', '--dry-run'))
    assert.equal(shown.code, 0, shown.output)
    assert.match(shown.output, /^ {2}remove {2}_releases\/v1\.1\.0\/SHA256SUMS$/m)
    assert.match(shown.output, /^ {2}stays {3}what was pushed of its images/m)
    assert.doesNotMatch(shown.output, /release\.json$/m)
    const count = shown.output.match(/^ {2}remove/gm)?.length ?? 0
    assert.ok(count >= 2 * 3 + 3, shown.output)
    let deletes = 0
    const killed = await pitlane(over('v1.1.0', '--yes'), (asked) => {
      if (asked.startsWith('DELETE ') && asked.includes('/_releases/v1.1.0/')) deletes += 1
      return deletes === 4
    })
    assert.equal(killed.signal, 'SIGKILL', killed.output)
    const rest = await pitlane(over('v1.1.0', '--dry-run'))
    assert.equal(rest.output.match(/^ {2}remove/gm)?.length, count - 3, rest.output)
    const done = await pitlane(over('v1.1.0', '--yes'))
    assert.equal(done.code, 0, done.output)
    assert.match(done.output, /v1\.1\.0 is published/)
    const verified = await pitlane(['verify', 'v1.1.0', '--from', web?.url ?? '', '--key', PUBLIC_KEY])
    assert.equal(verified.code, 0, verified.output)
  })

  test('once it is visible it is refused, here and where nothing is known of it', async () => {
    const here = await pitlane(over('v1.1.0', '--yes'))
    assert.equal(here.code, 3, here.output)
    assert.match(here.output, /VISIBLE: v1\.1\.0 can't be started over: it was published from here/)
    rmSync(join(world.project, '.pitlane'), { recursive: true })
    assert.match((await pitlane(over('v1.1.0', '--yes'))).output, /VISIBLE: .*: _releases\.html names it/)
  })

  test('a document that was served, and a tag alone, make it visible', async () => {
    const isTag = (asked: string) => /^PUT .*\/manifests\/v1/.test(asked)
    await begunAndLost('v1.2.0', isTag)
    const served = await pitlane(over('v1.2.0', '--yes'))
    assert.equal(served.code, 3, served.output)
    assert.match(served.output, /VISIBLE: .*\/_releases\/v1\.2\.0\/release\.json is served to everybody/)
    await begunAndLost('v1.3.0', (asked) => asked.endsWith(`/${KEYS.document('v1.3.0')}`) && asked.startsWith('PUT '))
    assert.ok(registry !== undefined)
    const at = `${registry.url}/v2/example/toy/manifests`
    const accept = 'application/vnd.oci.image.index.v1+json'
    const other = await fetch(`${at}/v1.1.0`, { headers: { accept } })
    const put = { method: 'PUT', headers: { 'content-type': accept }, body: Buffer.from(await other.arrayBuffer()) }
    assert.equal((await fetch(`${at}/v1.3.0`, put)).status, 201)
    const tagged = await pitlane(over('v1.3.0', '--yes'))
    assert.match(tagged.output, /VISIBLE: .*: the image example\/toy:v1\.3\.0 is there/)
  })

  test('nobody asked readers for a name before it was there', () => assert.deepEqual(web?.notFound, []))
}

const registry = distribution()
for (const { name, peer, start } of [
  { name: 'versitygw', peer: versitygw(), start: startVersitygw },
  { name: 'Garage', peer: garage(), start: startGarage },
]) {
  if ('absent' in peer) test(name, { skip: peer.absent }, () => {})
  else if ('absent' in registry) test(name, { skip: registry.absent }, () => {})
  else describe(`starting over on ${name}`, () => startsOver(() => start(peer.program), registry.program))
}

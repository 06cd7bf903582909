// Whole releases to real S3 servers and a real registry, read back where everybody reads.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { ListObjectsV2Command } from '@aws-sdk/client-s3'
import { parseS3Address } from '../../src/buckets/address.ts'
import { s3Client } from '../../src/buckets/s3/client.ts'
import { runProgram } from '../world/program.ts'
import { CONFIGURATION, makeWorld, PUBLIC_KEY, type World } from '../world/toy.ts'
import { distribution, type RegistryServer, startDistribution } from './peers/distribution.ts'
import { garage, startGarage } from './peers/garage.ts'
import type { S3Server } from './peers/s3.ts'
import { startVersitygw, versitygw } from './peers/versitygw.ts'
import type { Web } from './peers/web.ts'

const PITLANE = fileURLToPath(new URL('../../bin/pitlane-dev.ts', import.meta.url))
const JSX = fileURLToPath(new URL('../../scripts/jsx.ts', import.meta.url))

interface Published {
  readonly s3: S3Server
  readonly registry: RegistryServer
  readonly web: Web
  readonly world: World
  /** Everything the commands said. */
  said: string
}

async function pitlane(on: Published, ...args: string[]) {
  const env = { ...on.world.env, AWS_ACCESS_KEY_ID: on.s3.accessKey, AWS_SECRET_ACCESS_KEY: on.s3.secretKey }
  const options = { cwd: on.world.project, env }
  const outcome = await runProgram(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', '--import', JSX, PITLANE, ...args],
    options,
  )
  on.said += outcome.stdout + outcome.stderr
  return outcome
}

/** Every key that the server has, those too that a bucket does not show. */
async function keysOf({ s3 }: Published): Promise<readonly string[]> {
  const address = parseS3Address(`s3://releases?endpoint=${s3.url}&region=${s3.region}`)
  const credentials = { accessKeyId: s3.accessKey, secretAccessKey: s3.secretKey }
  const client = s3Client(address, { ca: null, credentials })
  const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket: 'releases' }))
  client.destroy()
  return Contents.map(({ Key }) => Key ?? '')
}

function publishes(s3Of: () => Promise<S3Server>, registryProgram: string): void {
  let on: Published
  before(async () => {
    const [s3, registry] = [await s3Of(), await startDistribution(registryProgram)]
    await s3.makeBucket('releases')
    const web = await s3.readBucket('releases')
    const world = makeWorld(
      CONFIGURATION.replace('bucket: ../bucket', `bucket: s3://releases?endpoint=${s3.url}&region=${s3.region}`)
        .replace('registry: ../images', `registry: ${registry.host}`)
        .replace('https://releases.example.org', web.url),
    )
    on = { s3, registry, web, world, said: '' }
  })
  after(async () => {
    on.world.remove()
    for (const server of [on.web, on.registry, on.s3]) await server.stop()
  })

  test('doctor finds everything there, and says what a wrong secret does', async () => {
    const outcome = await pitlane(on, 'doctor')
    assert.equal(outcome.status, 0, outcome.stdout + outcome.stderr)
    const ways = outcome.stdout.match(/bucket: conditional writes +(honoured|ignored)/)?.[1]
    assert.equal(ways, on.s3.name === 'Garage' ? 'ignored' : 'honoured')
    for (const what of ['write an object', 'read it back', 'list it', 'read it where everybody reads', 'delete it'])
      assert.match(outcome.stdout, new RegExp(`^ok {4}bucket: ${what} `, 'm'))
    assert.match(outcome.stdout, /^ok {4}registry: push /m)
    const wrong = await pitlane({ ...on, s3: { ...on.s3, secretKey: 'another-secret' } }, 'doctor')
    assert.equal(wrong.status, 1)
    assert.match(wrong.stdout, /^BAD {3}bucket: write an object .* 403 /m)
    assert.doesNotMatch(wrong.stdout + wrong.stderr, /another-secret/)
    assert.deepEqual(await keysOf(on), [])
  })

  test('a release is published, and again is nothing to do', async () => {
    const first = await pitlane(on, 'release', 'v1.0.0')
    assert.equal(first.status, 0, first.stdout + first.stderr)
    assert.match(first.stdout, /v1\.0\.0 is published \(stable\) in s3:\/\/releases at http/)
    const again = await pitlane(on, 'release', 'v1.0.0')
    assert.equal(again.status, 0, again.stderr)
    assert.match(again.stdout, /v1\.0\.0 is already published/)
  })

  test('a stranger verifies it from its address and registry', async () => {
    const outcome = await pitlane(on, 'verify', 'v1.0.0', '--from', on.web.url, '--key', PUBLIC_KEY)
    assert.equal(outcome.status, 0, outcome.stdout + outcome.stderr)
    assert.match(outcome.stdout, /ok {7}image example\/toy:v1\.0\.0@sha256:\w+, 4 platforms/)
  })

  test('a second release joins the first in the lists', async () => {
    on.world.write('source.txt', 'the source of toy, once more\n')
    on.world.commit('A second toy')
    on.world.git('tag', 'v1.1.0')
    const outcome = await pitlane(on, 'release', 'v1.1.0')
    assert.equal(outcome.status, 0, outcome.stdout + outcome.stderr)
    const index = (await (await fetch(`${on.web.url}/_releases/index.json`)).json()) as {
      readonly releases: readonly { readonly version: string }[]
    }
    assert.deepEqual(
      index.releases.map(({ version }) => version),
      ['v1.1.0', 'v1.0.0'],
    )
    const tags = (await (await fetch(`${on.registry.url}/v2/example/toy/tags/list`)).json()) as { tags: string[] }
    assert.deepEqual(tags.tags.toSorted(), ['v1.0.0', 'v1.1.0'])
  })

  test('nobody asked readers for a name before it was there, and no secret was told', () => {
    assert.deepEqual(on.web.notFound, [])
    assert.ok(!on.said.includes(on.s3.secretKey))
  })
}

const registry = distribution()
for (const { name, peer, start } of [
  { name: 'versitygw', peer: versitygw(), start: startVersitygw },
  { name: 'Garage', peer: garage(), start: startGarage },
]) {
  if ('absent' in peer) test(name, { skip: peer.absent }, () => {})
  else if ('absent' in registry) test(name, { skip: registry.absent }, () => {})
  else describe(`releases to ${name}`, () => publishes(() => start(peer.program), registry.program))
}

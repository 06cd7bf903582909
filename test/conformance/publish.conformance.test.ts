// Whole releases to real S3 servers and a real registry, read back where everybody reads.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { ListObjectsV2Command } from '@aws-sdk/client-s3'
import { parseS3Address } from '../../src/buckets/address.ts'
import { s3Client } from '../../src/buckets/s3/client.ts'
import { PUBLIC_KEY } from '../world/toy.ts'
import { distribution, startDistribution } from './peers/distribution.ts'
import { garage, startGarage } from './peers/garage.ts'
import type { S3Server } from './peers/s3.ts'
import { LOGIN, passwordFile } from './peers/password-file.ts'
import { temporaryFolder } from './peers/server.ts'
import { startVersitygw, versitygw } from './peers/versitygw.ts'
import { pitlane, type Published, publishingTo, stop } from './publishing.ts'

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
    on = await publishingTo(await s3Of(), await startDistribution(registryProgram))
  })
  after(() => stop(on))

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
    const way = on.s3.name === 'Garage' ? /ignores conditional writes: / : /honours conditional writes: /
    assert.match(first.stdout, way)
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

const s3 = versitygw()
const absent = [registry, s3].flatMap((peer) => ('absent' in peer ? [peer.absent] : []))
test('a registry that shows images only to who logs in: they are checked with the own login, which is said', {
  skip: absent[0] ?? false,
}, async () => {
  assert.ok('program' in registry && 'program' in s3)
  const folder = temporaryFolder('passwords')
  const settings = passwordFile(join(folder.path, 'htpasswd'))
  const on = await publishingTo(await startVersitygw(s3.program), await startDistribution(registry.program, settings))
  try {
    const denied = await pitlane(on, 'release', 'v1.0.0')
    assert.equal(denied.status, 2, denied.stdout + denied.stderr)
    assert.match(denied.stderr, /REGISTRY_DENIED: .*\n.*(docker login|DOCKER_AUTH)/)
    assert.doesNotMatch(denied.stdout, /start/, 'nothing is built for a registry that takes nothing')
    const auth = Buffer.from(`${LOGIN.user}:${LOGIN.password}`).toString('base64')
    const env = { DOCKER_AUTH: JSON.stringify({ auths: { [on.registry.host]: { auth } } }) }
    const welcome = { ...on, env, said: denied.stdout + denied.stderr }
    const released = await pitlane(welcome, 'release', 'v1.0.0')
    assert.equal(released.status, 0, released.stdout + released.stderr)
    const told = (released.stdout + released.stderr).match(/gives example\/toy only to who logs in/g)
    assert.equal(told?.length, 1)
    const args = ['verify', 'v1.0.0', '--from', on.web.url, '--key', PUBLIC_KEY]
    const verified = await pitlane(welcome, ...args)
    assert.equal(verified.status, 0, verified.stdout + verified.stderr)
    assert.match(verified.stdout, /^note {5}\S+ gives example\/toy only to who logs in: it was read with your login$/m)
    const stranger = await pitlane(on, ...args)
    assert.notEqual(stranger.status, 0)
    assert.match(stranger.stderr, /REGISTRY_DENIED/)
    for (const secret of [LOGIN.password, auth]) assert.ok(!(welcome.said + on.said).includes(secret))
  } finally {
    await stop(on)
    folder.remove()
  }
})

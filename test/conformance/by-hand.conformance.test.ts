// The parts of a release by hand, with the words and variables of an old pipeline, to real S3 servers and a real registry.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { TARGETS } from '../../src/plan/targets.ts'
import { makeWorld, PUBLIC_KEY } from '../world/toy.ts'
import { distribution, startDistribution } from './peers/distribution.ts'
import { garage, startGarage } from './peers/garage.ts'
import { LOGIN, passwordFile } from './peers/password-file.ts'
import type { S3Server } from './peers/s3.ts'
import { temporaryFolder } from './peers/server.ts'
import { startVersitygw, versitygw } from './peers/versitygw.ts'
import { pitlane, type Published, publishingTo, stop } from './publishing.ts'

const VERSION = 'handcrafted-1.0.0'

/** As in a step of a pipeline: its variables, one word. */
function step(on: Published, variables: Readonly<Record<string, string>>, ...args: string[]) {
  const auths = { [on.registry.host]: { auth: Buffer.from(`${LOGIN.user}:${LOGIN.password}`).toString('base64') } }
  on.env = { DOCKER_AUTH: JSON.stringify({ auths }), CI_COMMIT_TAG: VERSION, ...variables }
  return pitlane(on, ...args)
}

async function done(on: Published, variables: Readonly<Record<string, string>>, ...args: string[]): Promise<string> {
  const { status, stdout, stderr } = await step(on, variables, ...args)
  assert.equal(status, 0, stdout + stderr)
  return stdout
}

function byHand(s3Of: () => Promise<S3Server>, registryProgram: string): void {
  let on: Published
  const folder = temporaryFolder('by-hand')
  before(async () => {
    const realm = passwordFile(join(folder.path, 'htpasswd'))
    on = await publishingTo(await s3Of(), await startDistribution(registryProgram, realm))
  })
  after(async () => {
    await stop(on)
    folder.remove()
  })

  test('to_s3, by all targets at once', async () => {
    // Steps of a matrix share nothing but the bucket: each has a checkout of its own.
    const outcomes = await Promise.all(
      TARGETS.map(async ({ triple }) => {
        const world = makeWorld()
        world.write('pitlane.yaml', on.world.git('show', 'HEAD:pitlane.yaml'))
        world.git('fetch', '--quiet', on.world.project, 'HEAD')
        world.git('reset', '--quiet', '--hard', 'FETCH_HEAD')
        const own = { ...on, world, said: '' }
        const stdout = await done(own, { TARGET: triple }, 'to_s3', `prebuilt/${triple}`).finally(() => world.remove())
        on.said += own.said
        return stdout
      }),
    )
    for (const stdout of outcomes) assert.match(stdout, /^put {6}_releases\/handcrafted-1\.0\.0\/\S+\/toy .* in s3:/m)
    const index = (await (await fetch(`${on.web.url}/_releases/index.json`)).json()) as {
      readonly releases: readonly { readonly byHand: { readonly revision: number; readonly missing: string[] } }[]
    }
    assert.deepEqual(index.releases[0]?.byHand, { revision: 4, missing: [], unchecked: [] })
  })

  test('to_s3 again is nothing to do, and other bytes are refused with both digests', async () => {
    const [one, other] = TARGETS.map(({ triple }) => triple)
    assert.match(await done(on, { TARGET: String(one) }, 'to_s3', `prebuilt/${one}`), /^present /m)
    const refused = await step(on, { TARGET: String(one) }, 'to_s3', '--no-check', `prebuilt/${other}`)
    assert.equal(refused.status, 3, refused.stderr)
    assert.match(refused.stderr, /CONTRADICTION[^]*there: {2}[0-9a-f]{64}[^]*here: {3}[0-9a-f]{64}/)
  })

  test('to_docker and multiarch_docker', async () => {
    const container = { CONTAINER_TAG: VERSION }
    const early = await step(on, container, 'multiarch_docker')
    assert.equal(early.status, 2, early.stdout)
    for (const { triple, platform, architecture } of TARGETS) {
      const variables = {
        ...container,
        DOCKER_PLATFORM: platform === 'linux/arm/v6' ? 'linux/arm' : platform,
        CONTAINER_NAME: `${on.registry.host}/example/${architecture}_toy`,
      }
      assert.match(await done(on, variables, 'to_docker', `prebuilt/${triple}`), /^pushed {3}example\/\S+_toy:hand/m)
      assert.match(await done(on, variables, 'to_docker', `prebuilt/${triple}`), /^present {2}example\/\S+_toy:hand/m)
    }
    assert.match(early.stderr, /NOT_FOUND: .* lacks example\/amd64_toy:\S+ \(linux\/amd64\), /)
    assert.match(
      await done(on, container, 'multiarch_docker'),
      /^pushed .*amd64, linux\/arm64, linux\/arm\/v6, linux\/386; in revision 5 of the document/m,
    )
    assert.match(await done(on, container, 'multiarch_docker'), /^present /m)
  })

  test('refresh_index, and a stranger verifies', async () => {
    assert.match(await done(on, {}, 'refresh_index'), /^present {2}page, lists, feeds and pointers {2}in s3:/m)
    const verified = await done(on, {}, 'verify', VERSION, '--from', on.web.url, '--key', PUBLIC_KEY)
    assert.match(verified, /^note {5}made by hand: neither checks nor tests were run; revision 5/m)
  })

  test('nobody asked readers for a name before it was there, and no secret was told', () => {
    assert.deepEqual(on.web.notFound, [])
    for (const secret of [on.s3.secretKey, LOGIN.password]) assert.ok(!on.said.includes(secret))
  })
}

const registry = distribution()
for (const { name, peer, start } of [
  { name: 'versitygw', peer: versitygw(), start: startVersitygw },
  { name: 'Garage', peer: garage(), start: startGarage },
]) {
  if ('absent' in peer) test(name, { skip: peer.absent }, () => {})
  else if ('absent' in registry) test(name, { skip: registry.absent }, () => {})
  else describe(`by hand to ${name}`, () => byHand(() => start(peer.program), registry.program))
}

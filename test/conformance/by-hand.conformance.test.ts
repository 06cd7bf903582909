// The parts of a release by hand, with the words and variables of an old pipeline, to real S3 servers and a real registry.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { TARGETS } from '../../src/plan/targets.ts'
import { runProgram } from '../world/program.ts'
import { CONFIGURATION, makeWorld, PUBLIC_KEY, type World } from '../world/toy.ts'
import { distribution, type RegistryServer, startDistribution } from './peers/distribution.ts'
import { garage, startGarage } from './peers/garage.ts'
import { LOGIN, passwordFile } from './peers/password-file.ts'
import type { S3Server } from './peers/s3.ts'
import { temporaryFolder } from './peers/server.ts'
import { startVersitygw, versitygw } from './peers/versitygw.ts'
import type { Web } from './peers/web.ts'

const PITLANE = fileURLToPath(new URL('../../bin/pitlane-dev.ts', import.meta.url))
const JSX = fileURLToPath(new URL('../../scripts/jsx.ts', import.meta.url))
const VERSION = 'handcrafted-1.0.0'

interface Pipeline {
  readonly s3: S3Server
  readonly registry: RegistryServer
  readonly web: Web
  readonly world: World
  /** Everything the commands said. */
  said: string
}

/** As in a step of a pipeline: its variables, one word. */
async function step(on: Pipeline, variables: Readonly<Record<string, string>>, ...args: string[]) {
  const auths = { [on.registry.host]: { auth: Buffer.from(`${LOGIN.user}:${LOGIN.password}`).toString('base64') } }
  const env = {
    ...on.world.env,
    AWS_ACCESS_KEY_ID: on.s3.accessKey,
    AWS_SECRET_ACCESS_KEY: on.s3.secretKey,
    DOCKER_AUTH: JSON.stringify({ auths }),
    CI_COMMIT_TAG: VERSION,
    ...variables,
  }
  const outcome = await runProgram(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', '--import', JSX, PITLANE, ...args],
    { cwd: on.world.project, env },
  )
  on.said += outcome.stdout + outcome.stderr
  return outcome
}

async function done(on: Pipeline, variables: Readonly<Record<string, string>>, ...args: string[]): Promise<string> {
  const { status, stdout, stderr } = await step(on, variables, ...args)
  assert.equal(status, 0, stdout + stderr)
  return stdout
}

function byHand(s3Of: () => Promise<S3Server>, registryProgram: string): void {
  let on: Pipeline
  const folder = temporaryFolder('by-hand')
  before(async () => {
    const realm = passwordFile(join(folder.path, 'htpasswd'))
    const [s3, registry] = [await s3Of(), await startDistribution(registryProgram, realm)]
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
    for (const { triple, platform, imagePrefix } of TARGETS) {
      const variables = {
        ...container,
        DOCKER_PLATFORM: platform === 'linux/arm/v6' ? 'linux/arm' : platform,
        CONTAINER_NAME: `${on.registry.host}/example/${imagePrefix}toy`,
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

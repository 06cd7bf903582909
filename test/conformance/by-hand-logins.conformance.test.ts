// Images by hand into registries that ask for a login, by password and by token: per platform, the multi-platform one, and tags that move on, also where somebody else has pushed them.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { TARGETS } from '../../src/plan/targets.ts'
import { PUBLIC_KEY } from '../world/toy.ts'
import { distribution, type RegistryServer, startDistribution } from './peers/distribution.ts'
import { LOGIN, passwordFile } from './peers/password-file.ts'
import { temporaryFolder } from './peers/server.ts'
import { startTokenService } from './peers/token-service.ts'
import { startVersitygw, versitygw } from './peers/versitygw.ts'
import { pitlane, publishingTo, stop } from './publishing.ts'

const basic = `Basic ${Buffer.from(`${LOGIN.user}:${LOGIN.password}`).toString('base64')}`
const INDEX = 'application/vnd.oci.image.index.v1+json'

async function byHand(t: TestContext, s3Program: string, registry: RegistryServer, authorization: string | null) {
  const on = await publishingTo(await startVersitygw(s3Program), registry)
  t.after(() => stop(on))
  on.world.write(
    'pitlane.yaml',
    on.world.git('show', 'HEAD:pitlane.yaml').replace('name: example/toy', 'name: example/toy\n    floating: [latest]'),
  )
  on.world.commit('A tag that moves on')
  on.world.git('tag', '--force', 'v1.0.0')
  const auths = { [registry.host]: { auth: basic.slice('Basic '.length) } }
  const login = { DOCKER_AUTH: JSON.stringify({ auths }), CI_COMMIT_TAG: 'v1.0.0' }
  const run = (more: Readonly<Record<string, string>>, ...args: string[]) => {
    on.env = { ...login, ...more }
    return pitlane(on, ...args)
  }
  const done = async (more: Readonly<Record<string, string>>, ...args: string[]) => {
    const { status, stdout, stderr } = await run(more, ...args)
    assert.equal(status, 0, stdout + stderr)
    return stdout + stderr
  }
  const container = (architecture: string, platform: string) => ({
    CONTAINER_TAG: 'v1.0.0',
    CONTAINER_NAME: `${registry.host}/example/${architecture}_toy`,
    DOCKER_PLATFORM: platform,
  })
  const [first] = TARGETS
  assert.ok(first)

  const wrong = JSON.stringify({ auths: { [registry.host]: { username: LOGIN.user, password: 'hunter2' } } })
  for (const auth of ['', wrong]) {
    const image = { ...container(first.architecture, first.platform), DOCKER_AUTH: auth }
    const refused = await run(image, 'publish', 'image', `prebuilt/${first.triple}`)
    assert.equal(refused.status, 2, refused.stdout + refused.stderr)
    assert.match(refused.stderr, /REGISTRY_DENIED[^]*(docker login|DOCKER_AUTH)/)
  }

  for (const { triple, platform, architecture } of TARGETS) {
    await done({ TARGET: triple }, 'publish', 'binary', `prebuilt/${triple}`)
    const image = container(architecture, platform)
    assert.match(await done(image, 'publish', 'image', `prebuilt/${triple}`), /^pushed {3}example\/\S+_toy:v1\.0\.0/m)
    assert.match(await done(image, 'publish', 'image', `prebuilt/${triple}`), /^present {2}example\/\S+_toy:v1\.0\.0/m)
  }
  // Somebody else's, under the name that is to move on.
  await tagAs(registry, authorization, 'example/toy', 'latest')
  const multi = { CONTAINER_TAG: 'v1.0.0' }
  const held = await run(multi, 'publish', 'multiarch')
  assert.equal(held.status, 3, held.stdout + held.stderr)
  assert.match(held.stderr, /CONTRADICTION[^]*example\/toy:latest[^]*--take-tags/)
  await done(multi, 'publish', 'multiarch', '--take-tags')
  assert.match(await done(multi, 'publish', 'multiarch'), /^present /m)
  const [latest, own] = [
    await digestOf(registry, authorization, 'latest'),
    await digestOf(registry, authorization, 'v1.0.0'),
  ]
  assert.ok(latest !== null && latest === own, `${latest} ${own}`)
  const verify = ['verify', 'v1.0.0', '--from', on.web.url, '--key', PUBLIC_KEY, '--registry', registry.host]
  assert.match(await done({}, ...verify), /v1\.0\.0 verifies/)
  assert.equal((await run({}, 'audit')).stdout, '')
  for (const secret of [LOGIN.password, 'hunter2', basic.slice('Basic '.length)]) assert.ok(!on.said.includes(secret))
}

type Bearing = Pick<RegistryServer, 'url'>

/** As others push: with the password, or with a token of the service. */
async function ask(
  { url }: Bearing,
  authorization: string | null,
  repository: string,
  path: string,
  init: RequestInit = {},
) {
  const to = `${url}/v2/${repository}/${path}`
  let authorized = basic
  if (authorization !== null) {
    const scope = `${authorization}?service=test-registry&scope=repository:${repository}:pull,push`
    const { token } = (await (await fetch(scope, { headers: { authorization: basic } })).json()) as { token: string }
    authorized = `Bearer ${token}`
  }
  return fetch(to, { ...init, headers: { ...(init.headers as Record<string, string>), authorization: authorized } })
}

/** An index of nothing. */
async function tagAs(registry: Bearing, realm: string | null, repository: string, tag: string): Promise<void> {
  const body = JSON.stringify({ schemaVersion: 2, mediaType: INDEX, manifests: [] })
  const headers = { 'content-type': INDEX }
  const answer = await ask(registry, realm, repository, `manifests/${tag}`, { method: 'PUT', headers, body })
  assert.equal(answer.status, 201, await answer.text())
}

async function digestOf(registry: Bearing, realm: string | null, tag: string): Promise<string | null> {
  const answer = await ask(registry, realm, 'example/toy', `manifests/${tag}`, {
    method: 'HEAD',
    headers: { accept: INDEX },
  })
  return answer.headers.get('docker-content-digest')
}

const [s3, peer] = [versitygw(), distribution()]
if ('absent' in s3) test('versitygw', { skip: s3.absent }, () => {})
else if ('absent' in peer) test('distribution', { skip: peer.absent }, () => {})
else {
  test('by hand with a password', { timeout: 300_000 }, async (t) => {
    const folder = temporaryFolder('by-hand-logins')
    t.after(() => folder.remove())
    await byHand(
      t,
      s3.program,
      await startDistribution(peer.program, passwordFile(join(folder.path, 'htpasswd'))),
      null,
    )
  })
  test('by hand with tokens', { timeout: 300_000 }, async (t) => {
    const folder = temporaryFolder('by-hand-logins')
    const tokens = await startTokenService({ ...LOGIN, identityToken: 'none', keyFile: join(folder.path, 'jwks.json') })
    t.after(async () => {
      await tokens.stop()
      folder.remove()
    })
    await byHand(t, s3.program, await startDistribution(peer.program, tokens.settings), tokens.realm)
  })
}

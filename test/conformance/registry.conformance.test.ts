// The registry contract on real registries, with every way to log in.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { after, test, type TestContext } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { systemClock } from '../../src/clock.ts'
import { MEDIA_TYPES } from '../../src/image/media-types.ts'
import { digestOf } from '../../src/image/names.ts'
import { parseRegistryAddress } from '../../src/image/address.ts'
import type { Credentials } from '../../src/image/registry/credentials.ts'
import { httpSender } from '../../src/image/registry/http.ts'
import { distributionRegistry } from '../../src/image/registry/registry.ts'
import { Session } from '../../src/image/registry/session.ts'
import type { Registry } from '../../src/image/types.ts'
import { registryContract } from '../contracts/registry.contract.ts'
import { distribution, type RegistryServer, startDistribution } from './peers/distribution.ts'
import { dockerRegistry, startDockerRegistry } from './peers/docker-registry.ts'
import { LOGIN, passwordFile } from './peers/password-file.ts'
import { temporaryFolder } from './peers/server.ts'
import { startTokenService } from './peers/token-service.ts'

const IDENTITY = 'refresh-on-loopback'
let namespaces = 0
const PASSWORD: Credentials = { kind: 'password', ...LOGIN }

const peer = distribution()
if ('absent' in peer) test('distribution', { skip: peer.absent }, () => {})
else {
  const folder = temporaryFolder('registry')
  const tokens = await startTokenService({ ...LOGIN, identityToken: IDENTITY, keyFile: join(folder.path, 'jwks.json') })
  const open = await startDistribution(peer.program)
  const basic = await startDistribution(peer.program, passwordFile(join(folder.path, 'htpasswd')))
  const bearer = await startDistribution(peer.program, tokens.settings)
  after(async () => {
    for (const server of [open, basic, bearer, tokens]) await server.stop()
    folder.remove()
  })

  const keeping = await startDistribution(peer.program, [], false)
  after(() => keeping.stop())
  test('a registry that does not delete says so, and what it has stays', async (t) => {
    const registry = openOn(t, keeping, null)
    const config = Buffer.from('{"kept":true}')
    await put(registry, 'a/kept', config)
    const descriptor = { mediaType: MEDIA_TYPES.config, digest: digestOf(config), size: config.length }
    const bytes = Buffer.from(
      JSON.stringify({ schemaVersion: 2, mediaType: MEDIA_TYPES.manifest, config: descriptor, layers: [] }),
    )
    const { digest, ...rest } = await registry.putManifest('a/kept', MEDIA_TYPES.manifest, bytes)
    await registry.putTag('a/kept', 'v1', { digest, ...rest })
    assert.equal(await registry.deleteManifest('a/kept', digest), 'unsupported')
    assert.equal(await registry.deleteBlob('a/kept', descriptor.digest), 'unsupported')
    assert.deepEqual(await registry.readManifest('a/kept', digest), bytes)
    assert.equal(await registry.hasBlob('a/kept', descriptor.digest), true)
    assert.equal(await registry.deleteTag('a/kept', 'v1', digest), 'unsupported')
    assert.equal((await registry.resolveTag('a/kept', 'v1'))?.digest, digest)
  })

  contractOn('distribution 3', open, null)
  contractOn('distribution 3 with a password', basic, PASSWORD)
  contractOn('distribution 3 with tokens', bearer, PASSWORD)
  contractOn('distribution 3 with an identity token', bearer, { kind: 'identity-token', token: IDENTITY })

  test('a token that ends on the way is renewed, and the body sent from its beginning', async (t) => {
    t.after(() => {
      tokens.life = 300
      tokens.field = 'token'
    })
    for (const field of ['token', 'access_token'] as const) {
      tokens.field = field
      const registry = openOn(t, bearer, PASSWORD)
      // The registry forgives a minute.
      tokens.life = -58
      await put(registry, 'a/renewed', Buffer.from('first'))
      await setTimeout(4000)
      tokens.life = 300
      const asked = tokens.asked.length
      const bytes = Buffer.alloc(3_000_000, field)
      await put(registry, 'a/renewed', bytes)
      assert.ok(tokens.asked.length > asked, 'the token was still good')
      assert.equal(await registry.hasBlob('a/renewed', digestOf(bytes)), true)
    }
  })

  test('a token that is never good is no reason to ask for ever', async (t) => {
    t.after(() => (tokens.life = 300))
    tokens.life = -1000
    await assert.rejects(put(openOn(t, bearer, PASSWORD), 'a/expired', Buffer.from('x')), { code: 'REGISTRY_DENIED' })
  })

  test('the right to push is asked for from the beginning, and to mount where the blob is', async (t) => {
    const registry = openOn(t, bearer, PASSWORD)
    const bytes = Buffer.from(`mounted ${Math.random()}`)
    tokens.asked.length = 0
    await put(registry, 'm/first', bytes)
    await put(registry, 'm/second', bytes)
    assert.ok(tokens.asked[0]?.endsWith('/m/first:pull,push'), tokens.asked[0])
    assert.ok(
      tokens.asked.some((scope) => / repository:\S*m\/first:pull$/.test(scope)),
      tokens.asked.join('\n'),
    )
    assert.equal(await registry.hasBlob('m/second', digestOf(bytes)), true)
  })

  for (const [name, server] of [
    ['basic', basic],
    ['bearer', bearer],
  ] as const) {
    test(`${name}: a wrong password, and none, are denied in words without the password`, async (t) => {
      const wrong = openOn(t, server, { kind: 'password', user: 'publisher', password: 'hunter2' })
      const none = openOn(t, server, null)
      for (const [registry, hint] of [
        [wrong, /docker login|right to push/],
        [none, /docker login 127\.0\.0\.1:\d+, or set DOCKER_AUTH|docker login, or set/],
      ] as const)
        await assert.rejects(
          put(registry, 'a/b', Buffer.from('x')),
          (error: Error & { code: string; hint: string }) => {
            assert.equal(error.code, 'REGISTRY_DENIED', error.message)
            assert.match(error.hint, hint)
            assert.doesNotMatch(`${error.message} ${error.hint} ${error.stack}`, /hunter2/)
            return true
          },
        )
    })
  }
}

const old = dockerRegistry()
if ('absent' in old) test('docker-registry', { skip: old.absent }, () => {})
else {
  const folder = temporaryFolder('docker-registry')
  const tokens = await startTokenService({ ...LOGIN, identityToken: IDENTITY, keyFile: join(folder.path, 'jwks.json') })
  const open = await startDockerRegistry(old.program)
  const basic = await startDockerRegistry(old.program, passwordFile(join(folder.path, 'htpasswd')))
  const bearer = await startDockerRegistry(old.program, tokens.certificateSettings)
  after(async () => {
    for (const server of [open, basic, bearer, tokens]) await server.stop()
    folder.remove()
  })
  contractOn('distribution 2.8', open, null, false)
  contractOn('distribution 2.8 with a password', basic, PASSWORD, false)
  contractOn('distribution 2.8 with tokens', bearer, PASSWORD, false)
  contractOn('distribution 2.8 with an identity token', bearer, { kind: 'identity-token', token: IDENTITY }, false)

  test('distribution 2.8: a login is asked for, and an invented token is none', async (t) => {
    for (const server of [basic, bearer])
      await assert.rejects(put(openOn(t, server, null), 'a/b', Buffer.from('x')), { code: 'REGISTRY_DENIED' })
    const asked = await fetch(`${bearer.url}/v2/a/b/tags/list`, { headers: { authorization: 'Bearer eyJh.eyJh.eyJh' } })
    assert.equal(asked.status, 401)
  })
}

function openOn(t: TestContext, server: RegistryServer, credentials: Credentials | null, namespace?: string): Registry {
  namespaces += 1
  // A namespace of its own is an empty registry.
  const address = parseRegistryAddress(`${server.host}/${namespace ?? `contract-${namespaces}`}`)
  const { send, ...sender } = httpSender(null)
  t.after(() => sender.close())
  return distributionRegistry(address, new Session({ address, send, clock: systemClock, credentials }))
}

function contractOn(name: string, server: RegistryServer, credentials: Credentials | null, deletesTags = true): void {
  registryContract(
    name,
    async (t) => {
      namespaces += 1
      const namespace = `contract-${namespaces}`
      return { open: () => openOn(t, server, credentials, namespace) }
    },
    { damageable: false, deletesTags },
  )
}

function put(registry: Registry, repository: string, bytes: Buffer): Promise<void> {
  return registry.putBlob(repository, {
    digest: digestOf(bytes),
    size: bytes.length,
    open: () => Readable.from([bytes]),
  })
}

// The registry client against a real registry behind a proxy that fails in every way that is known of.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { after, type TestContext, test } from 'node:test'
import { PitlaneError } from '../../src/errors.ts'
import { parseRegistryAddress } from '../../src/image/address.ts'
import { MEDIA_TYPES } from '../../src/image/media-types.ts'
import { digestOf } from '../../src/image/names.ts'
import type { Credentials } from '../../src/image/registry/credentials.ts'
import { httpSender } from '../../src/image/registry/http.ts'
import { distributionRegistry } from '../../src/image/registry/registry.ts'
import { Session } from '../../src/image/registry/session.ts'
import type { Registry } from '../../src/image/types.ts'
import { holdsNone, hurried, said } from './hurried.ts'
import { distribution, startDistribution } from './peers/distribution.ts'
import { type Effect, type FaultProxy, startFaultProxy } from './peers/fault-proxy.ts'
import { temporaryFolder } from './peers/server.ts'
import { startTokenService } from './peers/token-service.ts'

const IN_TIME = { timeout: 60_000 }
const USER = { user: 'publisher', password: 'hunter2:on loopback' }
const PASSWORD: Credentials = { kind: 'password', ...USER }
const SECRETS = ['hunter2', Buffer.from(`${USER.user}:${USER.password}`).toString('base64'), 'eyJ', '_state=']
const PUBLIC_HOST = /127\.0\.0\.1:\d+/

const refused = (status: number, code: string, headers = {}): Effect => ({
  answer: { status, headers, body: JSON.stringify({ errors: [{ code, message: 'a test says so' }] }) },
})

/** What passes when the same request is sent again. */
const PASSING: readonly (readonly [name: string, effect: Effect])[] = [
  ['500', refused(500, 'UNKNOWN')],
  ['502 from a proxy that speaks HTML', { answer: { status: 502, body: '<html>Bad Gateway</html>' } }],
  ['503', refused(503, 'UNAVAILABLE')],
  ['429 with Retry-After', refused(429, 'TOOMANYREQUESTS', { 'retry-after': '2' })],
  ['a 500 after the server acted', { answer: { status: 500 }, acted: true }],
  ['a reset before the server acted', { reset: 'before' }],
  ['a reset after the server acted', { reset: 'after' }],
  ['a reset in the middle of the answer', { reset: 'in answer' }],
]
const PASSING_WITH_BODY: typeof PASSING = [...PASSING, ['a reset in the middle of the body', { reset: 'in request' }]]

const peer = distribution()
if ('absent' in peer) test('distribution', { skip: peer.absent }, () => {})
else {
  const folder = temporaryFolder('faults')
  const tokens = await startTokenService({
    ...USER,
    identityToken: 'unused',
    keyFile: join(folder.path, 'jwks.json'),
  })
  const open = await startDistribution(peer.program)
  const bearer = await startDistribution(peer.program, tokens.settings)
  const proxy = await startFaultProxy(open.url)
  const guarded = await startFaultProxy(bearer.url)
  const service = await startFaultProxy(new URL(tokens.realm).origin)
  after(async () => {
    for (const server of [proxy, guarded, service, open, bearer, tokens]) await server.stop()
    folder.remove()
  })
  let namespaces = 0

  const clientOf = (t: TestContext, host: string, credentials: Credentials | null = null) => {
    const clock = hurried()
    const waits: number[] = []
    /** When each was told: what it holds up waits from then on. */
    const toldAt: number[] = []
    const address = parseRegistryAddress(`${host}/faults-${namespaces}`)
    const { send, close } = httpSender(null, { clock, pace: { window: 50_000, bytes: 1000 } })
    t.after(close)
    const session = new Session({
      address,
      send,
      clock,
      credentials,
      onWait: (_, wait) => {
        waits.push(wait)
        toldAt.push(performance.now())
      },
    })
    return { registry: distributionRegistry(address, session), clock, waits, toldAt }
  }

  /** An empty registry behind the proxy, and the same one as it is. */
  const world = (t: TestContext, front: FaultProxy = proxy, credentials: Credentials | null = null) => {
    namespaces += 1
    front.play()
    front.seen()
    const client = clientOf(t, front.host, credentials)
    return { ...client, direct: clientOf(t, front === proxy ? open.host : bearer.host, credentials).registry }
  }

  for (const [name, effect] of PASSING_WITH_BODY) {
    test(`putting a blob: ${name}`, IN_TIME, async (t) => {
      for (const fault of [
        { method: 'HEAD', nth: 1 },
        { method: 'POST', nth: 1 },
        { method: 'PUT', nth: 1 },
        { method: 'HEAD', nth: 2 },
      ]) {
        const { registry, direct } = world(t)
        const blob = blobOf(randomBytes(3_000_000))
        proxy.play({ ...fault, effect })
        await registry.putBlob('a/b', blob)
        assert.ok((await content(await direct.openBlob('a/b', blob.digest))).equals(blob.bytes), fault.method)
        for (const { method, headers } of proxy.seen())
          if (method === 'PUT')
            assert.equal(headers['content-length'], String(blob.size), 'only the rest was sent again')
      }
    })
    test(`manifests and tags: ${name}`, IN_TIME, async (t) => {
      const { registry, direct } = world(t)
      const { config, bytes } = imageOf()
      await registry.putBlob('a/b', config)
      proxy.play({ method: 'PUT', nth: 1, effect })
      const descriptor = await registry.putManifest('a/b', MEDIA_TYPES.manifest, bytes)
      assert.deepEqual(await direct.readManifest('a/b', descriptor.digest), bytes)
      for (const [tag, fault] of [
        ['v1', { method: 'HEAD', nth: 1 }],
        ['v2', { method: 'GET', nth: 1 }],
        ['v3', { method: 'PUT', nth: 1 }],
        ['v4', { method: 'HEAD', nth: 2 }],
      ] as const) {
        proxy.play({ ...fault, effect })
        await registry.putTag('a/b', tag, descriptor)
        assert.deepEqual(await direct.resolveTag('a/b', tag), descriptor)
      }
    })
  }

  for (const [name, effect] of PASSING) {
    test(`reading: ${name}`, IN_TIME, async (t) => {
      const { registry } = world(t)
      const { config, bytes } = imageOf()
      await registry.putBlob('a/b', config)
      const descriptor = await registry.putManifest('a/b', MEDIA_TYPES.manifest, bytes)
      await registry.putTag('a/b', 'v1', descriptor)
      const once = (method: string) => proxy.play({ method, nth: 1, effect })
      once('GET')
      assert.deepEqual(await registry.readManifest('a/b', descriptor.digest), bytes)
      once('GET')
      assert.deepEqual(await registry.listTags('a/b'), ['v1'])
      once('HEAD')
      assert.deepEqual(await registry.resolveTag('a/b', 'v1'), descriptor)
      once('HEAD')
      assert.equal(await registry.hasBlob('a/b', config.digest), true)
    })
  }

  test('a blob that breaks off, or is another one, is an error and never a shorter blob', IN_TIME, async (t) => {
    const { registry } = world(t)
    const blob = blobOf(randomBytes(300_000))
    await registry.putBlob('a/b', blob)
    for (const [effect, code] of [
      [{ reset: 'in answer' }, 'FETCH_FAILED'],
      [{ pace: { down: 0 } }, 'FETCH_FAILED'],
      [{ alter: (answer) => ({ ...answer, body: answer.body.subarray(0, 1000) }) }, 'CONTRADICTION'],
      [{ alter: (answer) => ({ ...answer, body: randomBytes(300_000) }) }, 'CONTRADICTION'],
    ] satisfies (readonly [Effect, string])[]) {
      proxy.play({ method: 'GET', effect })
      const stream = await registry.openBlob('a/b', blob.digest)
      await told(content(stream), code)
    }
  })

  test('a body that comes to the registry shortened is never a blob', IN_TIME, async (t) => {
    const { registry, direct } = world(t)
    const blob = blobOf(randomBytes(300_000))
    proxy.play({ method: 'PUT', effect: { shorten: true } })
    await told(registry.putBlob('a/b', blob), 'FETCH_FAILED', /answered 400 \(DIGEST_INVALID/)
    assert.equal(await direct.hasBlob('a/b', blob.digest), false)
    proxy.play({ method: 'PUT', nth: 1, effect: { shorten: true } })
    await registry.putBlob('a/b', blob)
    assert.equal(await direct.hasBlob('a/b', blob.digest), true)
  })

  test('a registry that wants pieces, and fails between them', IN_TIME, async (t) => {
    for (const effect of [...PASSING_WITH_BODY.map(([, passing]) => passing), { shorten: true } as const]) {
      const { registry, direct } = world(t)
      const blob = blobOf(randomBytes(20_000_000))
      proxy.play(
        { method: 'PUT', nth: 1, effect: { answer: { status: 413 } } },
        { method: 'PATCH', nth: 2, effect },
        { method: 'PUT', nth: 2, effect },
      )
      await registry.putBlob('a/b', blob)
      assert.equal(await direct.hasBlob('a/b', blob.digest), true)
    }
  })

  test('a registry that is too slow, in either direction, is left and tried again', IN_TIME, async (t) => {
    const { registry, direct } = world(t)
    const { config, bytes } = imageOf()
    const blob = blobOf(randomBytes(3_000_000))
    for (const up of [0, 200]) {
      proxy.play({ method: 'PUT', nth: 1, effect: { pace: { up } } })
      await registry.putBlob(`a/b${up}`, blob)
      assert.equal(await direct.hasBlob(`a/b${up}`, blob.digest), true)
    }
    await registry.putBlob('a/b', config)
    const { digest } = await registry.putManifest('a/b', MEDIA_TYPES.manifest, bytes)
    proxy.play({ method: 'GET', nth: 1, effect: { pace: { down: 0 } } })
    assert.deepEqual(await registry.readManifest('a/b', digest), bytes)
  })

  test('what never passes is told with address, status and advice, after a few attempts', IN_TIME, async (t) => {
    const { registry, direct } = world(t)
    const blob = blobOf(randomBytes(1000))
    for (const [effect, message] of [
      [refused(503, 'UNAVAILABLE'), /PUT http:\S+ answered 503 \(UNAVAILABLE: a test says so\)/],
      [refused(429, 'TOOMANYREQUESTS', { 'retry-after': '3600' }), /answered 429/],
      [{ reset: 'before' }, /ECONNRESET/],
    ] as const) {
      proxy.seen()
      proxy.play({ method: 'PUT', effect })
      await told(registry.putBlob('a/b', blob), 'FETCH_FAILED', message, /same command goes on/)
      assert.equal(proxy.seen().filter(({ method }) => method === 'PUT').length, 6)
      assert.equal(await direct.hasBlob('a/b', blob.digest), false)
    }
  })

  test('when the registry asks to wait, all requests do, and it is told', IN_TIME, async (t) => {
    const { registry, waits, toldAt, clock } = world(t)
    for (const [effect, wait] of [
      [refused(429, 'TOOMANYREQUESTS', { 'retry-after': '7' }), 7000],
      [refused(503, 'UNAVAILABLE', { 'retry-after': new Date(Date.now() + 8000).toUTCString() }), 6000],
      [refused(429, 'TOOMANYREQUESTS', { 'retry-after': '3600' }), 20_000],
    ] as const) {
      waits.length = 0
      toldAt.length = 0
      proxy.play({ method: 'HEAD', nth: 1, effect })
      const first = registry.hasBlob('a/b', digestOf(randomBytes(8)))
      while (waits.length === 0) await new Promise((resolve) => setTimeout(resolve, 1))
      assert.ok((waits[0] ?? 0) >= wait && (waits[0] ?? 0) <= wait + 2000, `${waits[0]} instead of ${wait}`)
      await registry.hasBlob('a/b', digestOf(randomBytes(8)))
      assert.ok(performance.now() - (toldAt[0] ?? 0) >= (waits[0] ?? 0) / clock.haste - 5, 'it did not wait')
      await first
      assert.equal(waits.length, 1)
    }
  })

  test('a registry that lies about what it has', IN_TIME, async (t) => {
    const { registry, direct } = world(t)
    const { config, bytes } = imageOf()
    const headers = (method: string, path: RegExp, changed: Record<string, string>) =>
      proxy.play({
        method,
        path,
        effect: { alter: (answer) => ({ ...answer, headers: { ...answer.headers, ...changed } }) },
      })
    const other = digestOf(Buffer.from('other'))
    await direct.putBlob('a/b', config)
    headers('HEAD', /blobs/, { 'content-length': '5' })
    await told(registry.putBlob('a/b', config), 'CONTRADICTION', /the registry says 5/)
    headers('HEAD', /blobs/, { 'docker-content-digest': other })
    await told(registry.putBlob('a/b', config), 'CONTRADICTION', new RegExp(other))
    headers('PUT', /manifests/, { 'docker-content-digest': other })
    await told(registry.putManifest('a/b', MEDIA_TYPES.manifest, bytes), 'CONTRADICTION', new RegExp(other))
    proxy.play()
    const descriptor = await registry.putManifest('a/b', MEDIA_TYPES.manifest, bytes)
    headers('HEAD', /manifests\/v1/, { 'docker-content-digest': other })
    await told(registry.putTag('a/b', 'v1', descriptor), 'CONTRADICTION', new RegExp(other))
    proxy.play({
      method: 'GET',
      path: /manifests/,
      effect: { alter: (answer) => ({ ...answer, body: answer.body.subarray(1) }) },
    })
    await told(registry.readManifest('a/b', descriptor.digest), 'CONTRADICTION')
    // A blob that is said to be there, and is not: what names it can't be put.
    const absent = imageOf()
    proxy.play({ method: 'HEAD', effect: { answer: { status: 200 } } })
    await registry.putBlob('a/b', absent.config)
    await told(
      registry.putManifest('a/b', MEDIA_TYPES.manifest, absent.bytes),
      'STORAGE_FAILED',
      /refuses the manifest/,
    )
    assert.equal(await direct.readManifest('a/b', digestOf(absent.bytes)), null)
    // And one that was taken and is gone.
    proxy.play({ method: 'HEAD', effect: { answer: { status: 404 } } })
    await told(registry.putBlob('a/b', absent.config), 'STORAGE_FAILED', /was taken and is not there/)
  })

  test('a list of tags that is stale, cut off, endless, or none', IN_TIME, async (t) => {
    const { registry } = world(t)
    const { config, bytes } = imageOf()
    await registry.putBlob('a/b', config)
    const descriptor = await registry.putManifest('a/b', MEDIA_TYPES.manifest, bytes)
    await registry.putTag('a/b', 'old', descriptor)
    let stale: Buffer | undefined
    proxy.play({
      path: /tags\/list/,
      effect: { alter: (answer) => ({ ...answer, body: (stale ??= answer.body) }) },
    })
    await registry.listTags('a/b')
    await registry.putTag('a/b', 'new', descriptor)
    assert.deepEqual(await registry.listTags('a/b'), ['old'])
    // What decides is the tag itself.
    assert.deepEqual(await registry.resolveTag('a/b', 'new'), descriptor)
    for (const alter of [
      () => ({ status: 200, body: stale?.subarray(0, 20) ?? '' }),
      () => ({ status: 200, body: '' }),
      () => ({ status: 200, body: '<html>log in</html>' }),
      () => ({ status: 200, body: '{"tags":["a",7]}' }),
      () => ({ status: 200, body: '{"tags":["a"]}', headers: { link: '</v2/a/b/tags/list?last=a>; rel="next"' } }),
    ]) {
      proxy.play({ path: /tags\/list/, effect: { alter } })
      await told(registry.listTags('a/b'), 'FETCH_FAILED', /list of tags/)
    }
  })

  test('sent to another host: the bytes are taken from there, the credentials stay here', IN_TIME, async (t) => {
    const { registry, direct } = world(t, guarded, PASSWORD)
    const elsewhere = await startFaultProxy(open.url)
    t.after(() => elsewhere.stop())
    const blob = blobOf(randomBytes(1000))
    await registry.putBlob('a/b', blob)
    for (const status of [301, 302, 307, 308]) {
      guarded.play({ method: 'GET', effect: { answer: { status, headers: { location: `${elsewhere.url}/x?k=v` } } } })
      elsewhere.play({ effect: { answer: { status: 200, body: blob.bytes } } })
      assert.deepEqual(await content(await registry.openBlob('a/b', blob.digest)), blob.bytes)
    }
    // An upload that is sent elsewhere, to somebody who says yes to everything.
    const next = blobOf(randomBytes(1000))
    guarded.play({
      method: 'POST',
      effect: { alter: (answer) => ({ ...answer, headers: { ...answer.headers, location: `${elsewhere.url}/up` } }) },
    })
    elsewhere.play({ effect: { answer: { status: 201 } } })
    await told(registry.putBlob('a/b', next), 'STORAGE_FAILED', /is not there/)
    assert.equal(await direct.hasBlob('a/b', next.digest), false)
    guarded.play({ method: 'PUT', effect: { answer: { status: 307, headers: { location: `${elsewhere.url}/up` } } } })
    await told(registry.putBlob('a/b', next), 'FETCH_FAILED', /answered 307/)
    const seen = elsewhere.seen()
    assert.equal(seen.length, 5)
    for (const { headers } of seen) {
      assert.equal(headers.authorization, undefined)
      holdsNone(JSON.stringify(headers), SECRETS)
    }
  })

  test('a token that is refused in the middle of a push is renewed, and the body sent whole', IN_TIME, async (t) => {
    const { registry, direct } = world(t, guarded, PASSWORD)
    const blob = blobOf(randomBytes(3_000_000))
    const challenge = `Bearer realm="${tokens.realm}",service="test-registry",error="invalid_token"`
    const expired = refused(401, 'UNAUTHORIZED', { 'www-authenticate': challenge })
    guarded.play({ method: 'PUT', nth: 1, effect: expired })
    await registry.putBlob('a/b', blob)
    assert.equal(await direct.hasBlob('a/b', blob.digest), true)
    guarded.play({ method: 'PUT', effect: expired })
    const other = blobOf(randomBytes(10))
    await told(registry.putBlob('a/b', other), 'REGISTRY_DENIED', /answered 401 \(UNAUTHORIZED/)
    assert.equal(await direct.hasBlob('a/b', other.digest), false)
  })

  test('a token service that fails for a while, and one that stays away', IN_TIME, async (t) => {
    const challenge = `Bearer realm="${service.url}/token",service="test-registry"`
    const behind = (): Effect => ({
      alter: (answer) =>
        answer.status === 401
          ? { ...answer, headers: { ...answer.headers, 'www-authenticate': challenge } }
          : { ...answer, headers: answer.headers },
    })
    const blob = blobOf(randomBytes(10))
    for (const [name, effect] of PASSING) {
      const { registry, direct } = world(t, guarded, PASSWORD)
      guarded.play({ method: 'HEAD', nth: 1, effect: behind() })
      service.play({ nth: 1, effect })
      await registry.putBlob('a/b', blob)
      assert.equal(await direct.hasBlob('a/b', blob.digest), true, name)
    }
    const { registry } = world(t, guarded, PASSWORD)
    guarded.play({ effect: behind() })
    for (const [effect, message] of [
      [refused(503, 'UNAVAILABLE'), /the token service http:\S+\/token answered 503/],
      [{ answer: { status: 200, body: '{}' } }, /answered without a token/],
      [{ answer: { status: 200, body: 'no JSON' } }, /answered without a token/],
      [{ reset: 'before' }, /\/token: ECONNRESET/],
    ] satisfies (readonly [Effect, RegExp])[]) {
      service.play({ effect })
      await told(registry.putBlob('a/b', blob), 'FETCH_FAILED', message)
    }
  })

  test('rights that are missing are told as that', IN_TIME, async (t) => {
    const blob = blobOf(randomBytes(10))
    const wrong = world(t, guarded, { kind: 'password', user: 'publisher', password: 'hunter2-wrong' })
    await told(wrong.registry.putBlob('a/b', blob), 'REGISTRY_DENIED', /token service \S+ answered 401/, /docker login/)
    const { registry } = world(t, guarded, PASSWORD)
    await registry.putBlob('a/b', blob)
    for (const method of ['POST', 'PUT']) {
      guarded.seen()
      guarded.play({ method, effect: refused(403, 'DENIED') })
      const next = blobOf(randomBytes(10))
      await told(registry.putBlob('a/b', next), 'REGISTRY_DENIED', /403 \(DENIED: a test says so\)/, /right to push/)
      assert.equal(guarded.seen().filter(({ status }) => status === 403).length, 1, 'it was asked again')
    }
  })

  test('a registry that can not be reached', IN_TIME, async (t) => {
    const gone = await startFaultProxy(open.url)
    await gone.stop()
    const { registry, clock } = clientOf(t, gone.host)
    await told(registry.hasBlob('a/b', digestOf(Buffer.from('x'))), 'FETCH_FAILED', /ECONNREFUSED/, /address/)
    assert.equal(clock.slept.filter((milliseconds) => milliseconds < 50_000).length, 5)
  })

  for (const [name, front, credentials] of [
    ['without a login', proxy, null],
    ['with tokens', guarded, PASSWORD],
  ] as const) {
    test(`how many requests each operation takes, ${name}`, IN_TIME, async (t) => {
      const { registry } = world(t, front, credentials)
      const cost = async (action: () => Promise<unknown>) => {
        front.seen()
        await action()
        return front.seen().map(({ method }) => method)
      }
      const { config, bytes } = imageOf()
      tokens.asked.length = 0
      assert.deepEqual(await cost(() => registry.putBlob('a/b', config)), [
        ...(credentials === null ? ['HEAD'] : ['HEAD', 'HEAD']),
        'POST',
        'PUT',
        'HEAD',
      ])
      assert.deepEqual(await cost(() => registry.putBlob('a/b', config)), ['HEAD'])
      const descriptor = { mediaType: MEDIA_TYPES.manifest, digest: digestOf(bytes), size: bytes.length }
      const putManifest = (place: Registry) => cost(() => place.putManifest('a/b', MEDIA_TYPES.manifest, bytes))
      assert.deepEqual(await putManifest(registry), ['PUT'])
      assert.deepEqual(await cost(() => registry.putTag('a/b', 'v1', descriptor)), ['HEAD', 'PUT', 'HEAD'])
      assert.deepEqual(await cost(() => registry.putTag('a/b', 'v1', descriptor)), ['HEAD'])
      assert.deepEqual(await cost(() => registry.resolveTag('a/b', 'v1')), ['HEAD'])
      assert.deepEqual(await cost(() => registry.listTags('a/b')), ['GET'])
      assert.equal(tokens.asked.length, credentials === null ? 0 : 1)
      // Mounted from there, with a token that is good for both.
      assert.deepEqual(await cost(() => registry.putBlob('a/c', config)), ['POST', 'HEAD'])
      assert.equal(tokens.asked.length, credentials === null ? 0 : 2)
      // Two repositories get the same at the same time: it is sent once.
      const { config: other } = imageOf()
      const both = await cost(() => Promise.all(['a/b', 'a/c'].map((place) => registry.putBlob(place, other))))
      assert.deepEqual(both, ['HEAD', 'POST', 'PUT', 'HEAD', 'POST', 'HEAD'])
      assert.equal(tokens.asked.length, credentials === null ? 0 : 2)
      // Whoever comes later and has sent no part of it asks first, and writes what is not there.
      const later = clientOf(t, front.host, credentials).registry
      assert.deepEqual(await putManifest(later), credentials === null ? ['GET'] : ['GET', 'GET'])
      await registry.deleteManifest('a/b', descriptor.digest)
      front.seen()
      assert.deepEqual(await putManifest(later), ['GET', 'PUT'])
      assert.deepEqual(await cost(() => registry.putTag('a/b', 'v1', descriptor)), ['HEAD', 'GET', 'PUT', 'HEAD'])
    })
  }

  /** What fails is told in one clear error, in which there is no secret. */
  async function told(action: Promise<unknown>, code: string, message = /./, hint = /./): Promise<void> {
    const error = await action.then(
      () => assert.fail('it succeeded'),
      (thrown: unknown) => thrown,
    )
    assert.ok(error instanceof PitlaneError, String(error))
    assert.equal(error.code, code, error.message)
    assert.match(error.message, message)
    assert.match(error.message, PUBLIC_HOST)
    assert.match(error.hint ?? '', hint)
    holdsNone(said(error), SECRETS)
  }
}

function blobOf(bytes: Buffer) {
  return { bytes, digest: digestOf(bytes), size: bytes.length, open: () => Readable.from(inPieces(bytes)) }
}

function* inPieces(bytes: Buffer): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at += 65_536) yield bytes.subarray(at, at + 65_536)
}

/** A manifest with one part that no other has. */
function imageOf() {
  const config = blobOf(Buffer.from(JSON.stringify({ config: randomBytes(8).toString('hex') })))
  const { digest, size } = config
  const bytes = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: MEDIA_TYPES.manifest,
      config: { mediaType: MEDIA_TYPES.config, digest, size },
      layers: [],
    }),
  )
  return { config, bytes }
}

async function content(stream: Readable | null): Promise<Buffer> {
  assert.ok(stream, 'the blob is absent')
  return buffer(stream)
}

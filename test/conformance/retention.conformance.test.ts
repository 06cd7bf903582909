// Retention on real S3 servers with a real registry: one that deletes, and one that does not.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { after, test, type TestContext } from 'node:test'
import { parseS3Address } from '../../src/buckets/address.ts'
import { s3Bucket } from '../../src/buckets/s3/bucket.ts'
import { s3Client } from '../../src/buckets/s3/client.ts'
import type { Bucket } from '../../src/buckets/types.ts'
import { systemClock } from '../../src/clock.ts'
import { openSqlite } from '../../src/database/sqlite.ts'
import { takeOver } from '../../src/database/writer.ts'
import { MEDIA_TYPES } from '../../src/image/media-types.ts'
import { digestOf } from '../../src/image/names.ts'
import { parseRegistryAddress } from '../../src/image/address.ts'
import { httpSender } from '../../src/image/registry/http.ts'
import { distributionRegistry } from '../../src/image/registry/registry.ts'
import { Session } from '../../src/image/registry/session.ts'
import type { Registry } from '../../src/image/types.ts'
import { exampleDocument } from '../../src/pages/fixtures/documents.ts'
import { renderSite } from '../../src/pages/site.ts'
import { KEYS } from '../../src/plan/keys.ts'
import { bodyOf } from '../../src/release/digest.ts'
import { encodeDocument, isoSeconds, type ReleaseDocument } from '../../src/release/document.ts'
import { documentCheck } from '../../src/release/documents.ts'
import { privateKeyOf, rawPublicKey } from '../../src/release/keys/ed25519.ts'
import type { ListParts } from '../../src/release/lists/list-parts.ts'
import { signDocument } from '../../src/release/put-operations.ts'
import { parsePublicKey } from '../../src/release/keys/public-key.ts'
import { rebuildPages } from '../../src/release/lists/rebuild-pages.ts'
import { applyRetention } from '../../src/release/retention/apply.ts'
import { objectsOf } from '../../src/release/retention/contents.ts'
import { createSigner } from '../../src/release/keys/sign.ts'
import { distribution, startDistribution } from './peers/distribution.ts'
import { garage, startGarage } from './peers/garage.ts'
import type { S3Server } from './peers/s3.ts'
import { temporaryFolder } from './peers/server.ts'
import { startVersitygw, versitygw } from './peers/versitygw.ts'
import { unmetered } from '../../src/run/meter.ts'

const DAY = 86_400_000
const BEGIN = Date.UTC(2026, 2, 1)
const QUICK = { life: 3000, settling: 300, poll: 50 }
const REPOSITORY = 'example/toy'
const OWN = 'example/amd64_toy'
const seed = Buffer.alloc(32, 7)
const signer = createSigner({ seed, keyId: Buffer.alloc(8, 7), key: rawPublicKey(privateKeyOf(seed)) })
const never = new AbortController().signal

let worlds = 0

const registryPeer = distribution()
if ('absent' in registryPeer) test('retention', { skip: registryPeer.absent }, () => {})
else {
  const deleting = await startDistribution(registryPeer.program)
  const keeping = await startDistribution(registryPeer.program, [], false)
  const servers: S3Server[] = []
  for (const { name, peer, start } of [
    { name: 'versitygw', peer: versitygw(), start: startVersitygw },
    { name: 'Garage', peer: garage(), start: startGarage },
  ])
    if ('absent' in peer) test(name, { skip: peer.absent }, () => {})
    else servers.push(await start(peer.program))
  after(async () => {
    for (const server of [deleting, keeping, ...servers]) await server.stop()
  })
  for (const server of servers) {
    const { name } = server
    test(`${name}: what left the lists a week ago is removed from bucket and registry, and the rest stays`, async (t) => {
      const world = await published(t, server, deleting.host)
      await world.apply(BEGIN + 10 * DAY)
      assert.deepEqual(await world.versions(), ['v1.0.1'])
      assert.ok(await world.bucket.head(KEYS.document('v1.0.0')))
      assert.deepEqual(await world.registry.listTags(REPOSITORY), ['v1.0.0', 'v1.0.1'])
      const { removed, left } = await world.apply(BEGIN + 18 * DAY)
      assert.deepEqual([removed, left], [['v1.0.0'], []])
      assert.deepEqual(await world.keysOf('v1.0.0'), [])
      for (const repository of [REPOSITORY, OWN]) {
        assert.deepEqual(await world.registry.listTags(repository), ['v1.0.1'])
        assert.equal(await world.registry.hasBlob(repository, world.old.config), false)
        assert.equal(await world.registry.hasBlob(repository, world.old.layer), true, 'the other version has it too')
        assert.equal(await world.registry.readManifest(repository, world.old.manifest), null)
        assert.ok(await world.registry.readManifest(repository, world.young.manifest))
      }
      assert.equal((await world.keysOf('v1.0.1')).length, objectsOf(world.young.document, new Map()).length)
      assert.deepEqual(
        (await world.apply(BEGIN + 18 * DAY)).plan.versions.map(({ step }) => step),
        ['kept'],
      )
    })

    test(`${name}: a registry that does not delete is said, and asked again`, async (t) => {
      const world = await published(t, server, keeping.host)
      await world.apply(BEGIN + 10 * DAY)
      for (const _ of [1, 2]) {
        const { removed, left } = await world.apply(BEGIN + 18 * DAY)
        assert.deepEqual(removed, [])
        assert.ok(left.some(({ version, name: what }) => version === 'v1.0.0' && what === `${REPOSITORY}:v1.0.0`))
        assert.ok(left.some(({ name: what }) => what === `${OWN}@${world.old.manifest}`))
        assert.deepEqual(await world.keysOf('v1.0.0'), [KEYS.retired('v1.0.0')])
        assert.ok(await world.registry.readManifest(OWN, world.old.manifest))
        assert.equal(await world.registry.hasBlob(OWN, world.old.config), true)
      }
    })
  }
}

/** v1.0.0 and v1.0.1 with images of one layer, and a policy that keeps one. */
async function published(t: TestContext, server: S3Server, host: string) {
  worlds += 1
  const name = `retention-${worlds}`
  await server.makeBucket(name)
  const address = parseS3Address(`s3://${name}/toy?endpoint=${server.url}&region=${server.region}`)
  const credentials = { accessKeyId: server.accessKey, secretAccessKey: server.secretKey }
  const client = s3Client(address, { ca: null, credentials })
  const { send, ...sender } = httpSender(null)
  const folder = temporaryFolder('retention')
  const db = await openSqlite(join(folder.path, 'state.sqlite'))
  t.after(async () => {
    client.destroy()
    sender.close()
    await db.destroy()
    folder.remove()
  })
  const bucket = s3Bucket({ address, client, clock: systemClock, threshold: 1024 * 1024, leaseTimes: QUICK })
  const at = parseRegistryAddress(`${host}/${name}`)
  const session = new Session({ address: at, send, clock: systemClock, credentials: null })
  const registry = distributionRegistry(at, session)
  let now = BEGIN
  const lists: ListParts = {
    bucket,
    place: 's3',
    registry,
    signer,
    check: documentCheck(parsePublicKey(signer.publicKey.line, 'test')),
    render: renderSite,
    documentation: null,
    name: 'toy',
    baseUrl: 'https://releases.example.org',
    note: () => undefined,
    clock: { ...systemClock, now: () => now },
    metering: unmetered,
    writer: await takeOver(db),
    async exclusively(work) {
      const lease = await bucket.lease({
        owner: name,
        wait: 30_000,
        onWait: () => {},
        onUnsupported: () => {},
        signal: never,
      })
      return work().finally(() => lease.release())
    },
  }
  const old = await putRelease(bucket, registry, 'v1.0.0', BEGIN - DAY)
  const young = await putRelease(bucket, registry, 'v1.0.1', BEGIN)
  await rebuildPages(lists, never)
  const retention = { channels: new Map([['stable', { keep: 1, for: null }]]), pins: [], grace: 7 * DAY }
  return {
    bucket,
    registry,
    old,
    young,
    apply(time: number) {
      now = time
      return applyRetention({ lists, retention }, never, () => undefined)
    },
    async versions(): Promise<readonly string[]> {
      const index = await bucket.read(KEYS.index, 1024 * 1024)
      return (JSON.parse(index?.toString() ?? '{}') as { versions: string[] }).versions
    },
    async keysOf(version: string): Promise<readonly string[]> {
      const keys: string[] = []
      for await (const { key } of bucket.list(KEYS.releases))
        if (key.includes(version) && !/_retired\/.*sig$/.test(key)) keys.push(key)
      return keys
    },
  }
}

async function putRelease(bucket: Bucket, registry: Registry, version: string, time: number) {
  const put = (repository: string, bytes: Buffer) =>
    registry.putBlob(repository, { digest: digestOf(bytes), size: bytes.length, open: () => Readable.from([bytes]) })
  const describe = (mediaType: string, bytes: Buffer) => ({ mediaType, digest: digestOf(bytes), size: bytes.length })
  const config = Buffer.from(JSON.stringify({ version }))
  const layer = Buffer.from('the same layer')
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: MEDIA_TYPES.manifest,
      config: describe(MEDIA_TYPES.config, config),
      layers: [describe(MEDIA_TYPES.layer, layer)],
    }),
  )
  for (const repository of [OWN, REPOSITORY]) {
    for (const bytes of [config, layer]) await put(repository, bytes)
    await registry.putManifest(repository, MEDIA_TYPES.manifest, manifest)
  }
  const descriptor = describe(MEDIA_TYPES.manifest, manifest)
  const index = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: MEDIA_TYPES.index, manifests: [descriptor] }))
  const multi = await registry.putManifest(REPOSITORY, MEDIA_TYPES.index, index)
  await registry.putTag(OWN, version, descriptor)
  await registry.putTag(REPOSITORY, version, multi)

  const target = 'x86_64-unknown-linux-musl'
  const binary = Buffer.from(`the binary of ${version}`)
  const body = bodyOf(binary)
  const example = exampleDocument(version)
  const [file] = example.files
  assert.ok(file)
  const document: ReleaseDocument = {
    ...example,
    name: 'toy',
    committedAt: isoSeconds(time),
    publishedAt: isoSeconds(time),
    signing: { scheme: 'minisign', publicKey: signer.publicKey.line, keyId: signer.keyId },
    files: [{ ...file, target, path: KEYS.binary(version, target, file.name), size: body.size, sha256: body.sha256 }],
    image: {
      repository: REPOSITORY,
      tag: version,
      digest: multi.digest,
      layout: null,
      platforms: [
        {
          platform: 'linux/amd64',
          target,
          repository: OWN,
          tag: version,
          digest: descriptor.digest,
          size: layer.length,
        },
      ],
    },
  }
  const bytes = encodeDocument(document)
  const all = new Map<string, Buffer>(objectsOf(document, new Map()).map((key) => [key, Buffer.from(`beside ${key}`)]))
  all.set(document.files[0]?.path ?? '', binary)
  all.set(KEYS.document(version), bytes)
  for (const side of signDocument(signer, 'toy', version, KEYS.document(version), bytes)) all.set(side.key, side.bytes)
  for (const [key, content] of all)
    await bucket.put(key, bodyOf(content), { contentType: 'text/plain', cacheControl: 'no-cache', exclusive: false })
  return { document, manifest: digestOf(manifest), config: digestOf(config), layer: digestOf(layer) }
}

import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import { test } from 'node:test'
import { gunzipSync, gzipSync } from 'node:zlib'
import type { PlannedImage } from '../plan/plan.ts'
import { TARGETS } from '../plan/targets.ts'
import { PitlaneError } from '../errors.ts'
import { checkImage, type ExpectedImage } from './check.ts'
import type { ExpectedBinary } from './check-layer.ts'
import { assembleImage, type LayerFacts } from './image.ts'
import { type Layer, writeLayer } from './layer.ts'
import { DOCKER_MEDIA_TYPES, MEDIA_TYPES } from './media-types.ts'
import { digestOf } from './names.ts'
import type { Deletion, Descriptor, Registry } from './types.ts'

/** A registry without any rule, so that every lie can be told. */
class LyingRegistry implements Registry {
  readonly location = 'memory'
  readonly blobs = new Map<string, Buffer>()
  readonly tags = new Map<string, Descriptor>()

  add(bytes: Buffer): string {
    this.blobs.set(digestOf(bytes), bytes)
    return digestOf(bytes)
  }
  async requireWritable(): Promise<void> {}
  async hasBlob(): Promise<boolean> {
    return true
  }
  async putBlob(): Promise<void> {}
  async openBlob(_: string, digest: string): Promise<Readable | null> {
    const bytes = this.blobs.get(digest)
    return bytes === undefined ? null : Readable.from([bytes])
  }
  async putManifest(_: string, mediaType: string, bytes: Buffer): Promise<Descriptor> {
    return { mediaType, digest: this.add(bytes), size: bytes.length }
  }
  async readManifest(_: string, digest: string): Promise<Buffer | null> {
    const bytes = this.blobs.get(digest)
    if (bytes === undefined) return null
    if (digestOf(bytes) !== digest) throw new PitlaneError('CONTRADICTION', `the blob ${digest} has other bytes`)
    return bytes
  }
  async resolveTag(repository: string, tag: string): Promise<Descriptor | null> {
    return this.tags.get(`${repository}:${tag}`) ?? null
  }
  async putTag(repository: string, tag: string, descriptor: Descriptor): Promise<void> {
    this.tags.set(`${repository}:${tag}`, descriptor)
  }
  async listTags(): Promise<readonly string[]> {
    return [...this.tags.keys()].sort()
  }
  async deleteTag(): Promise<Deletion> {
    return 'unsupported'
  }
  async deleteManifest(): Promise<Deletion> {
    return 'unsupported'
  }
  async deleteBlob(): Promise<Deletion> {
    return 'unsupported'
  }
}

interface World {
  readonly registry: LyingRegistry
  readonly image: ExpectedImage
  readonly binaries: Map<string, ExpectedBinary>
}

const AMD64 = 'x86_64-unknown-linux-musl'
const ARM = 'armv6l-unknown-linux-musleabihf'

type Tamper = (layers: Map<string, LayerFacts>, registry: LyingRegistry) => void

/** A release of two platforms; `tamper` changes the layers before anything is built on them. */
async function worldOf(tamper: Tamper = () => undefined, format: Pick<PlannedImage, 'format'> = {}): Promise<World> {
  const registry = new LyingRegistry()
  const targets = TARGETS.filter(({ triple }) => triple === AMD64 || triple === ARM)
  const planned: PlannedImage = {
    repository: 'a/toy',
    tag: 'v1',
    command: ['/toy'],
    env: [],
    labels: {},
    ...format,
    platforms: targets.map(({ triple, platform, architecture }) => ({
      target: triple,
      platform,
      repository: `a/${architecture}_toy`,
    })),
  }
  const layers = new Map<string, LayerFacts>()
  const binaries = new Map<string, ExpectedBinary>()
  for (const { triple } of targets) {
    const bytes = Buffer.from(`binary of ${triple}\n`.repeat(100))
    const sha256 = createHash('sha256').update(bytes).digest('hex')
    const body = { size: bytes.length, sha256, open: () => Readable.from([bytes]) }
    const put = async (chunks: AsyncIterable<Uint8Array>) => {
      const stored = Buffer.concat(await Readable.from(chunks).toArray())
      return { sha256: registry.add(stored).slice('sha256:'.length), size: stored.length }
    }
    const layer: Layer = await writeLayer({ name: 'toy', body, mtime: 1, put })
    layers.set(triple, layer)
    binaries.set(triple, { name: 'toy', size: bytes.length, sha256 })
  }
  tamper(layers, registry)
  const facts = { name: 'toy', version: 'v1', revision: 'c'.repeat(40), commitTime: 1 }
  const { platforms, index } = assembleImage(planned, facts, layers)
  for (const platform of platforms) {
    registry.add(platform.config.bytes)
    registry.add(platform.manifest.bytes)
    await registry.putTag(platform.repository, 'v1', platform.manifest.descriptor)
  }
  registry.add(index.bytes)
  await registry.putTag('a/toy', 'v1', index.descriptor)
  const image: ExpectedImage = {
    repository: 'a/toy',
    tag: 'v1',
    digest: index.descriptor.digest,
    platforms: platforms.map(({ platform, target, repository, manifest, layer }) => ({
      platform,
      target,
      repository,
      tag: 'v1',
      digest: manifest.descriptor.digest,
      size: layer.size,
    })),
  }
  return { registry, image, binaries }
}

async function findings({ registry, image, binaries }: World): Promise<readonly string[]> {
  return (await checkImage(registry, image, binaries)).map(({ subject, problem }) => `${subject}: ${problem}`)
}

/** Replaces the amd64 layer by one with this archive, with every digest above it right. */
const withArchive =
  (change: (archive: Buffer) => Buffer): Tamper =>
  (layers, registry) => {
    const old = layers.get(AMD64)
    assert.ok(old)
    const archive = change(gunzipSync(registry.blobs.get(old.digest) ?? Buffer.alloc(0)))
    const bytes = gzipSync(archive)
    layers.set(AMD64, { digest: registry.add(bytes), size: bytes.length, diffId: digestOf(archive) })
  }

test('images as they were published have no finding', async () => {
  assert.deepEqual(await findings(await worldOf()), [])
  assert.deepEqual(await findings(await worldOf(() => undefined, { format: 'docker' })), [])
})

test('a tag and what it has to name are asked for at the same time', async () => {
  const { registry, image, binaries } = await worldOf()
  const asked = new Set<string>()
  const slow: Registry = Object.assign(Object.create(registry), {
    readManifest(repository: string, digest: string) {
      asked.add(digest)
      return registry.readManifest(repository, digest)
    },
    async resolveTag(repository: string, tag: string) {
      const named = await registry.resolveTag(repository, tag)
      await new Promise(setImmediate)
      assert.ok(asked.has(named?.digest ?? ''), `${repository}:${tag} is waited for`)
      return named
    },
  })
  assert.deepEqual(await checkImage(slow, image, binaries), [])
})

test('a mixture of media types, or a tag that is served as something else than it is, is found', async () => {
  const world = await worldOf(() => undefined, { format: 'docker' })
  const tagged = world.registry.tags.get('a/toy:v1')
  const arm = world.registry.tags.get('a/arm_toy:v1')
  assert.ok(tagged && arm)
  world.registry.tags.set('a/toy:v1', { ...tagged, mediaType: MEDIA_TYPES.index })
  assert.deepEqual(await findings(world), [
    `a/toy:v1: the media type of the tag is ${MEDIA_TYPES.index} instead of ${DOCKER_MEDIA_TYPES.index}`,
  ])
  const manifest = JSON.parse(world.registry.blobs.get(arm.digest)?.toString() ?? '')
  const bytes = Buffer.from(JSON.stringify({ ...manifest, mediaType: MEDIA_TYPES.manifest }))
  const mixed = { mediaType: MEDIA_TYPES.manifest, digest: world.registry.add(bytes), size: bytes.length }
  world.registry.tags.set('a/toy:v1', tagged)
  world.registry.tags.set('a/arm_toy:v1', mixed)
  const platforms = world.image.platforms.map((one) =>
    one.repository === 'a/arm_toy' ? { ...one, digest: mixed.digest } : one,
  )
  const found = (await findings({ ...world, image: { ...world.image, platforms } })).join('\n')
  assert.match(found, /the media type of the layer is application\/vnd\.docker\.\S+ instead of \S+oci/)
  assert.match(found, /the media type of the config is application\/vnd\.docker\.\S+ instead of \S+oci/)
})

test('a tag that is absent or names something else is found', async () => {
  const world = await worldOf()
  world.registry.tags.delete('a/toy:v1')
  const arm = world.registry.tags.get('a/arm_toy:v1')
  assert.ok(arm)
  world.registry.tags.set('a/amd64_toy:v1', arm)
  assert.deepEqual(await findings(world), [
    'a/toy:v1: there is no such tag',
    `a/amd64_toy:v1 (linux/amd64): the tag names ${arm.digest} instead of ${world.image.platforms[0]?.digest}`,
  ])
})

test('every missing or changed blob is found', async () => {
  const { registry } = await worldOf()
  for (const digest of registry.blobs.keys()) {
    const absent = await worldOf()
    absent.registry.blobs.delete(digest)
    assert.notDeepEqual(await findings(absent), [], `${digest} absent`)
    for (const change of [
      (b: Buffer) => b.subarray(1),
      (b: Buffer) => Buffer.concat([b, b]),
      (b: Buffer) => Buffer.from(b.map((byte, i) => (i === b.length - 1 ? byte ^ 1 : byte))),
    ]) {
      const changed = await worldOf()
      changed.registry.blobs.set(digest, change(changed.registry.blobs.get(digest) ?? Buffer.alloc(0)))
      const found = await findings(changed)
      assert.notDeepEqual(found, [], `${digest} changed`)
    }
  }
})

test('an index with more, fewer, doubled or crossed platforms is found', async () => {
  const expectations: [RegExp, (manifests: Descriptor[]) => Descriptor[]][] = [
    [/no entry for linux\/arm\/v6/, ([amd64]) => [amd64!]],
    [/two entries for linux\/amd64/, ([amd64, arm]) => [amd64!, amd64!, arm!]],
    [
      /an entry for linux\/sparc, which/,
      ([amd64, arm]) => [amd64!, arm!, { ...arm!, platform: { os: 'linux', architecture: 'sparc' } }],
    ],
    [
      /an entry for linux\/arm, which/,
      ([amd64, arm]) => [amd64!, { ...arm!, platform: { os: 'linux', architecture: 'arm' } }],
    ],
    [
      /an entry for no platform/,
      ([amd64, arm]) => [amd64!, arm!, { mediaType: arm!.mediaType, digest: arm!.digest, size: arm!.size }],
    ],
    [/the digest of linux\/amd64 is/, ([amd64, arm]) => [{ ...amd64!, digest: arm!.digest, size: arm!.size }, arm!]],
    [/the size of the manifest of linux\/amd64/, ([amd64, arm]) => [{ ...amd64!, size: 1 }, arm!]],
    [/media type of linux\/amd64/, ([amd64, arm]) => [{ ...amd64!, mediaType: MEDIA_TYPES.index }, arm!]],
  ]
  for (const [expected, change] of expectations) {
    const world = await worldOf()
    const index = JSON.parse(world.registry.blobs.get(world.image.digest)?.toString() ?? '')
    const bytes = Buffer.from(JSON.stringify({ ...index, manifests: change(index.manifests) }))
    const digest = world.registry.add(bytes)
    world.registry.tags.set('a/toy:v1', { mediaType: MEDIA_TYPES.index, digest, size: bytes.length })
    const found = await findings({ ...world, image: { ...world.image, digest } })
    assert.equal(found.length > 0 && expected.test(found.join('\n')), true, `${expected}: ${found.join('\n')}`)
  }
})

test('a manifest or config of another shape is found', async () => {
  const changes: [RegExp, (manifest: Record<string, unknown>, registry: LyingRegistry) => unknown][] = [
    [/2 layers instead of one/, (m) => ({ ...m, layers: [...(m.layers as unknown[]), ...(m.layers as unknown[])] })],
    [/0 layers instead of one/, (m) => ({ ...m, layers: [] })],
    [
      /the media type of the layer/,
      (m) => ({ ...m, layers: (m.layers as Descriptor[]).map((l) => ({ ...l, mediaType: 'application/zip' })) }),
    ],
    [
      /the size of the layer is 5/,
      (m) => ({ ...m, layers: (m.layers as Descriptor[]).map((l) => ({ ...l, size: 5 })) }),
    ],
    [
      /the config would have 2000000 bytes/,
      (m) => ({ ...m, config: { ...(m.config as Descriptor), size: 2_000_000 } }),
    ],
    [/is not valid/, (m) => ({ ...m, schemaVersion: 1 })],
    [/is not valid/, (m) => ({ ...m, config: { ...(m.config as Descriptor), digest: 'sha256:../../etc/passwd' } })],
    [
      /the platform of the config is linux\/amd64\/v3 instead of linux\/amd64/,
      (m, r) => withConfig(m, r, { variant: 'v3' }),
    ],
    [
      /the config has 0 layers instead of one/,
      (m, r) => withConfig(m, r, { rootfs: { type: 'layers', diff_ids: [] } }),
    ],
    [
      /its config says sha256:0000/,
      (m, r) => withConfig(m, r, { rootfs: { type: 'layers', diff_ids: [`sha256:${'0'.repeat(64)}`] } }),
    ],
  ]
  for (const [expected, change] of changes) {
    const world = await worldOf()
    const [amd64, ...others] = world.image.platforms
    assert.ok(amd64)
    const manifest = JSON.parse(world.registry.blobs.get(amd64.digest)?.toString() ?? '')
    const bytes = Buffer.from(JSON.stringify(change(manifest, world.registry)))
    const digest = world.registry.add(bytes)
    world.registry.tags.set('a/amd64_toy:v1', { mediaType: MEDIA_TYPES.manifest, digest, size: bytes.length })
    const found = await findings({ ...world, image: { ...world.image, platforms: [{ ...amd64, digest }, ...others] } })
    assert.equal(
      expected.test(found.filter((text) => text.startsWith('a/amd64_toy')).join('\n')),
      true,
      `${expected}: ${found.join('\n')}`,
    )
  }
})

function withConfig(manifest: Record<string, unknown>, registry: LyingRegistry, change: object): unknown {
  const old = manifest.config as Descriptor
  const config = Buffer.from(
    JSON.stringify({ ...JSON.parse(registry.blobs.get(old.digest)?.toString() ?? ''), ...change }),
  )
  return { ...manifest, config: { ...old, digest: registry.add(config), size: config.length } }
}

const edit = (offset: number, text: string) => (archive: Buffer) => {
  archive.write(text, offset, 'latin1')
  return archive
}

test('a layer that is not exactly the binary is found', async () => {
  const notOne = /is not one file toy of \d+ bytes and mode 0755/
  const changes: [RegExp, Tamper][] = [
    [notOne, withArchive(edit(0, 'sh\0'))],
    [notOne, withArchive(edit(100, '0004755'))],
    [notOne, withArchive(edit(108, '0001750'))],
    [notOne, withArchive(edit(156, '2'))],
    [notOne, withArchive(edit(157, '/bin/sh'))],
    [notOne, withArchive(edit(345, 'usr/bin'))],
    [notOne, withArchive((archive) => archive.subarray(0, -1024))],
    [notOne, withArchive((archive) => archive.fill(1, archive.length - 1))],
    [/the binary in the layer has the SHA-256/, withArchive(edit(512, 'other'))],
    [/more than the \d+ bytes of its binary/, withArchive((archive) => Buffer.concat([archive, Buffer.alloc(512)]))],
    [/more than the \d+ bytes of its binary/, withArchive(() => Buffer.alloc(300 * 1024 * 1024))],
    [
      /cannot be unpacked/,
      (layers, registry) => {
        const bytes = Buffer.from('not gzip')
        layers.set(AMD64, { ...layers.get(AMD64)!, digest: registry.add(bytes), size: bytes.length })
      },
    ],
    [
      /cannot be unpacked/,
      (layers, registry) => {
        const bytes = registry.blobs.get(layers.get(AMD64)!.digest)!.subarray(0, -9)
        layers.set(AMD64, { ...layers.get(AMD64)!, digest: registry.add(bytes), size: bytes.length })
      },
    ],
  ]
  for (const [expected, tamper] of changes) {
    const found = await findings(await worldOf(tamper))
    assert.match(found.join('\n'), expected)
    assert.equal(
      found.every((text) => text.startsWith('a/amd64_toy:v1 (linux/amd64)')),
      true,
      found.join('\n'),
    )
  }
})

test('a layer with bytes after its gzip end is found', async () => {
  for (const rest of [Buffer.from('#!/bin/sh\n'), Buffer.alloc(10), Buffer.alloc(1_000_000), gzipSync('more')]) {
    const world = await worldOf((layers, registry) => {
      const layer = layers.get(AMD64)!
      const bytes = Buffer.concat([registry.blobs.get(layer.digest)!, rest])
      layers.set(AMD64, { ...layer, digest: registry.add(bytes), size: bytes.length })
    })
    assert.match((await findings(world)).join('\n'), /the layer (cannot be unpacked|unpacks to more|has bytes after)/)
  }
})

test('a release that contradicts itself is found, not obeyed', async () => {
  const world = await worldOf()
  const [amd64, arm] = world.image.platforms
  assert.ok(amd64 && arm)
  const of = async (image: Partial<ExpectedImage>, binaries = world.binaries) =>
    (await findings({ ...world, image: { ...world.image, ...image }, binaries })).join('\n')
  assert.match(await of({ repository: '../a' }), /cannot be one/)
  assert.match(await of({ platforms: [{ ...amd64, tag: 'a/b' }, arm] }), /cannot be one/)
  assert.match(await of({ platforms: [amd64, amd64, arm] }), /names a platform twice/)
  assert.match(await of({ platforms: [amd64] }), /which the release does not have/)
  const binary = world.binaries.get(AMD64)
  assert.ok(binary)
  assert.match(await of({}, new Map()), /the release has no binary for x86_64/)
  assert.match(await of({}, new Map(world.binaries).set(AMD64, { ...binary, name: '../toy' })), /cannot be the name/)
})

test('a registry that cannot be read gives no verdict', async () => {
  const world = await worldOf()
  const layer = world.image.platforms[0]
  assert.ok(layer)
  const open = world.registry.openBlob.bind(world.registry)
  let broken = ''
  world.registry.openBlob = async (repository, digest) => {
    if (world.registry.blobs.get(digest)?.length !== layer.size) return open(repository, digest)
    broken = digest
    return new Readable({
      read() {
        this.destroy(new PitlaneError('STORAGE_FAILED', 'the disk is gone'))
      },
    })
  }
  await assert.rejects(findings(world), { code: 'STORAGE_FAILED', message: 'the disk is gone' })
  assert.notEqual(broken, '')
})

/** What every `Registry` promises, whatever is behind it. An adapter's test file calls it with a way to make an empty one. */
import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { Readable } from 'node:stream'
import { type TestContext, test } from 'node:test'
import { DOCKER_MEDIA_TYPES, MANIFEST_LIMIT, MEDIA_TYPES, type MediaTypes } from '../../src/image/media-types.ts'
import type { Descriptor, Registry } from '../../src/image/types.ts'

export interface RegistryUnderTest {
  /** Opens the same registry; another object each time, as another process would. */
  readonly open: () => Registry
  /** Damages a stored blob or manifest behind the registry's back, where that can be done. */
  readonly damage?: (digest: string) => Promise<void>
}

const REPOSITORY = 'dxflrs/garage'
const OTHER = 'dxflrs/amd64_garage'

const nameRefused = (action: Promise<unknown>, what: string) => assert.rejects(action, { code: 'IMAGE_NAME' }, what)

/**
 * @param damageable whether its bytes can be damaged from here; a server's are its own matter
 * @param deletesTags whether it takes a tag away by its name; who does not loses it with the manifest
 */
export function registryContract(
  name: string,
  make: (t: TestContext) => Promise<RegistryUnderTest>,
  { damageable, deletesTags }: { readonly damageable: boolean; readonly deletesTags: boolean },
): void {
  const contract = (what: string, run: (under: RegistryUnderTest) => Promise<void>) =>
    test(`${name}: ${what}`, async (t) => run(await make(t)))

  contract('an empty registry definitely has nothing', async ({ open }) => {
    const registry = open()
    assert.equal(await registry.hasBlob(REPOSITORY, digestOf(Buffer.from('x'))), false)
    assert.equal(await registry.openBlob(REPOSITORY, digestOf(Buffer.from('x'))), null)
    assert.equal(await registry.readManifest(REPOSITORY, digestOf(Buffer.from('x'))), null)
    assert.equal(await registry.resolveTag(REPOSITORY, 'v1'), null)
    assert.deepEqual(await registry.listTags(REPOSITORY), [])
  })

  contract('whether it can be written is found out without leaving anything', async ({ open }) => {
    await open().requireWritable(REPOSITORY)
    assert.deepEqual(await open().listTags(REPOSITORY), [])
    await nameRefused(open().requireWritable('Not/A/Name'), 'a name that is none')
  })

  contract('a blob comes back as it was put, and putting it again does nothing', async ({ open }) => {
    const blob = blobOf(randomBytes(300_000))
    await open().putBlob(REPOSITORY, blob)
    await open().putBlob(REPOSITORY, blob)
    assert.equal(await open().hasBlob(REPOSITORY, blob.digest), true)
    assert.deepEqual(await content(await open().openBlob(REPOSITORY, blob.digest)), blob.bytes)
  })

  contract('the same blob put many times at once is one blob', async ({ open }) => {
    const blob = blobOf(randomBytes(200_000))
    const registry = open()
    await Promise.all([REPOSITORY, OTHER, REPOSITORY, OTHER].map((repository) => registry.putBlob(repository, blob)))
    assert.deepEqual(await content(await open().openBlob(OTHER, blob.digest)), blob.bytes)
  })

  contract('a blob with other bytes than its digest or size says is refused and not there', async ({ open }) => {
    const blob = blobOf(randomBytes(1000))
    const wrong = [
      { ...blob, open: () => Readable.from([randomBytes(1000)]) },
      { ...blob, open: () => Readable.from([blob.bytes, blob.bytes]) },
      { ...blob, open: () => Readable.from([blob.bytes.subarray(1)]) },
      { ...blob, size: 999 },
      { ...blob, size: 1001 },
    ]
    for (const body of wrong) {
      await assert.rejects(open().putBlob(REPOSITORY, body), {
        code: 'CONTRADICTION',
        message: new RegExp(blob.digest),
      })
      assert.equal(await open().hasBlob(REPOSITORY, blob.digest), false)
    }
    await open().putBlob(REPOSITORY, blob)
    assert.equal(await open().hasBlob(REPOSITORY, blob.digest), true)
  })

  contract('a source that breaks half-way leaves no blob', async ({ open }) => {
    const blob = blobOf(randomBytes(1000))
    const broken = Readable.from(
      (function* () {
        yield blob.bytes.subarray(0, 500)
        throw new Error('gone')
      })(),
    )
    await assert.rejects(open().putBlob(REPOSITORY, { ...blob, open: () => broken }), /gone/)
    assert.equal(await open().hasBlob(REPOSITORY, blob.digest), false)
  })

  contract('a manifest comes back with exactly its bytes', async ({ open }) => {
    const { bytes, descriptor } = await putImage(open(), REPOSITORY, 'a')
    assert.deepEqual(descriptor, { mediaType: MEDIA_TYPES.manifest, digest: digestOf(bytes), size: bytes.length })
    assert.deepEqual(await open().readManifest(REPOSITORY, descriptor.digest), bytes)
    assert.deepEqual(await open().putManifest(REPOSITORY, MEDIA_TYPES.manifest, bytes), descriptor)
    assert.deepEqual(await open().listTags(REPOSITORY), [], 'a manifest without a tag is invisible')
  })

  contract("an image with Docker's media types is one as well, under its own name", async ({ open }) => {
    const { descriptor, bytes } = await putImage(open(), REPOSITORY, 'a', DOCKER_MEDIA_TYPES)
    assert.equal(descriptor.mediaType, DOCKER_MEDIA_TYPES.manifest)
    assert.deepEqual(await open().readManifest(REPOSITORY, descriptor.digest), bytes)
    const list = indexOf([descriptor], DOCKER_MEDIA_TYPES)
    const multi = await open().putManifest(REPOSITORY, DOCKER_MEDIA_TYPES.index, list)
    await open().putTag(REPOSITORY, 'v1', multi)
    assert.deepEqual(await open().resolveTag(REPOSITORY, 'v1'), multi)
    await assert.rejects(open().putManifest(REPOSITORY, MEDIA_TYPES.index, list), { name: 'PitlaneError' })
    await assert.rejects(open().putManifest(REPOSITORY, DOCKER_MEDIA_TYPES.index, bytes), { name: 'PitlaneError' })
  })

  contract('a manifest or index whose parts are absent is refused', async ({ open }) => {
    const config = blobOf(Buffer.from('{"absent":true}'))
    const manifest = manifestOf(config, [])
    await assert.rejects(open().putManifest(REPOSITORY, MEDIA_TYPES.manifest, manifest), {
      code: 'NOT_FOUND',
      message: new RegExp(config.digest),
    })
    assert.equal(await open().readManifest(REPOSITORY, digestOf(manifest)), null)
    const index = indexOf([{ mediaType: MEDIA_TYPES.manifest, digest: digestOf(manifest), size: manifest.length }])
    await assert.rejects(open().putManifest(REPOSITORY, MEDIA_TYPES.index, index), { code: 'NOT_FOUND' })
  })

  contract('what is no OCI manifest, or too large, is refused', async ({ open }) => {
    const refused = (mediaType: string, bytes: Buffer) =>
      assert.rejects(open().putManifest(REPOSITORY, mediaType, bytes), { name: 'PitlaneError' })
    const { bytes } = await putImage(open(), REPOSITORY, 'a')
    await refused('text/plain', bytes)
    await refused(MEDIA_TYPES.index, bytes)
    await refused(MEDIA_TYPES.manifest, Buffer.from('{'))
    await refused(MEDIA_TYPES.manifest, Buffer.concat([bytes, Buffer.alloc(MANIFEST_LIMIT, 0x20)]))
  })

  contract('a blob too large to be a manifest is not read as one', async ({ open }) => {
    const blob = blobOf(Buffer.alloc(MANIFEST_LIMIT + 1))
    await open().putBlob(REPOSITORY, blob)
    // A server keeps the two apart: there, it is no manifest at all, or one that it fails to read.
    const read = await open()
      .readManifest(REPOSITORY, blob.digest)
      .catch((error: Error & { code: string }) => error.code)
    assert.ok(read === null || read === 'STORAGE_FAILED' || read === 'FETCH_FAILED', String(read))
  })

  contract('a tag names what it was given, in its own repository only', async ({ open }) => {
    const { descriptor } = await putImage(open(), REPOSITORY, 'a')
    await open().putTag(REPOSITORY, 'v1.0.0', descriptor)
    await open().putTag(REPOSITORY, 'v1.0.0', descriptor)
    assert.deepEqual(await open().resolveTag(REPOSITORY, 'v1.0.0'), descriptor)
    assert.equal(await open().resolveTag(REPOSITORY, 'v1.0'), null)
    assert.equal(await open().resolveTag(OTHER, 'v1.0.0'), null)
    assert.deepEqual(await open().listTags(REPOSITORY), ['v1.0.0'])
  })

  contract('a tag never moves: both digests are told', async ({ open }) => {
    const first = await putImage(open(), REPOSITORY, 'a')
    const second = await putImage(open(), REPOSITORY, 'b')
    await open().putTag(REPOSITORY, 'v1', first.descriptor)
    await assert.rejects(open().putTag(REPOSITORY, 'v1', second.descriptor), (error: Error & { code: string }) => {
      assert.equal(error.code, 'CONTRADICTION')
      assert.match(error.message, new RegExp(first.descriptor.digest))
      assert.match(error.message, new RegExp(second.descriptor.digest))
      return true
    })
    assert.equal((await open().resolveTag(REPOSITORY, 'v1'))?.digest, first.descriptor.digest)
  })

  contract('a tag that moves on goes from what was told, and from nowhere else', async ({ open }) => {
    const images = []
    for (const one of ['a', 'b', 'c']) images.push((await putImage(open(), REPOSITORY, one)).descriptor)
    const [first, second, third] = images
    assert.ok(first && second && third)
    const led = async () => (await open().resolveTag(REPOSITORY, 'latest'))?.digest
    await open().putTag(REPOSITORY, 'latest', first, null)
    await open().putTag(REPOSITORY, 'latest', second, first.digest)
    assert.equal(await led(), second.digest)
    await assert.rejects(open().putTag(REPOSITORY, 'latest', third, first.digest), { code: 'CONTRADICTION' })
    await assert.rejects(open().putTag(REPOSITORY, 'latest', third, null), { code: 'CONTRADICTION' })
    const absent = { ...third, digest: digestOf(Buffer.from('absent')) }
    await assert.rejects(open().putTag(REPOSITORY, 'latest', absent, second.digest), { code: 'NOT_FOUND' })
    assert.equal(await led(), second.digest)
    assert.deepEqual(await open().listTags(REPOSITORY), ['latest'])
  })

  contract('a tag for an absent manifest, or with another size, is refused', async ({ open }) => {
    const { descriptor } = await putImage(open(), REPOSITORY, 'a')
    const absent = { ...descriptor, digest: digestOf(Buffer.from('absent')) }
    await assert.rejects(open().putTag(REPOSITORY, 'v1', absent), { code: 'NOT_FOUND' })
    await assert.rejects(open().putTag(REPOSITORY, 'v1', { ...descriptor, size: 1 }), { code: 'CONTRADICTION' })
    assert.equal(await open().resolveTag(REPOSITORY, 'v1'), null)
    assert.deepEqual(await open().listTags(REPOSITORY), [])
  })

  contract('tags put at once are all there, listed in order', async ({ open }) => {
    const registry = open()
    const { descriptor } = await putImage(registry, REPOSITORY, 'a')
    const other = await putImage(registry, OTHER, 'a')
    const tags = ['v1.10.0', 'v1.9.0', 'a', 'Z', '_x', '0']
    await Promise.all([
      ...tags.map((tag) => registry.putTag(REPOSITORY, tag, descriptor)),
      registry.putTag(OTHER, 'v1', other.descriptor),
    ])
    assert.deepEqual(await open().listTags(REPOSITORY), tags.toSorted())
    assert.deepEqual(await open().listTags(OTHER), ['v1'])
  })

  contract(
    'tags, manifests and blobs are deleted one by one, and deleting again finds them absent',
    async ({ open }) => {
      const { descriptor, config } = await putImage(open(), REPOSITORY, 'a')
      const other = await putImage(open(), REPOSITORY, 'b')
      await open().putTag(REPOSITORY, 'v1', descriptor)
      await open().putTag(REPOSITORY, 'v2', other.descriptor)
      const taken = await open().deleteTag(REPOSITORY, 'v1', descriptor.digest)
      assert.equal(taken, deletesTags ? 'deleted' : 'unsupported')
      assert.equal((await open().resolveTag(REPOSITORY, 'v1')) === null, deletesTags)
      assert.ok(await open().readManifest(REPOSITORY, descriptor.digest), 'what it named stays')
      if (deletesTags) assert.equal(await open().deleteTag(REPOSITORY, 'v1', descriptor.digest), 'absent')
      assert.equal(await open().deleteManifest(REPOSITORY, descriptor.digest), 'deleted')
      assert.equal(await open().readManifest(REPOSITORY, descriptor.digest), null)
      assert.equal(await open().deleteManifest(REPOSITORY, descriptor.digest), 'absent')
      assert.equal(await open().deleteBlob(REPOSITORY, config.digest), 'deleted')
      assert.equal(await open().hasBlob(REPOSITORY, config.digest), false)
      assert.equal(await open().deleteBlob(REPOSITORY, config.digest), 'absent')
      assert.deepEqual(await open().listTags(REPOSITORY), ['v2'])
      assert.equal((await open().resolveTag(REPOSITORY, 'v2'))?.digest, other.descriptor.digest)
      assert.deepEqual(await open().readManifest(REPOSITORY, other.descriptor.digest), other.bytes)
      assert.equal(await open().hasBlob(REPOSITORY, other.config.digest), true)
    },
  )

  contract('what was deleted can be put again', async ({ open }) => {
    const { descriptor, config } = await putImage(open(), REPOSITORY, 'a')
    const registry = open()
    await registry.deleteManifest(REPOSITORY, descriptor.digest)
    await registry.deleteBlob(REPOSITORY, config.digest)
    const again = await putImage(registry, REPOSITORY, 'a')
    await registry.putTag(REPOSITORY, 'v1', again.descriptor)
    assert.deepEqual(await open().readManifest(REPOSITORY, descriptor.digest), again.bytes)
    assert.equal(await open().hasBlob(REPOSITORY, config.digest), true)
  })

  contract('a tag that names something else is not deleted', async ({ open }) => {
    const { descriptor } = await putImage(open(), REPOSITORY, 'a')
    const other = await putImage(open(), REPOSITORY, 'b')
    await open().putTag(REPOSITORY, 'v1', descriptor)
    await assert.rejects(open().deleteTag(REPOSITORY, 'v1', other.descriptor.digest), { code: 'CONTRADICTION' })
    assert.equal((await open().resolveTag(REPOSITORY, 'v1'))?.digest, descriptor.digest)
  })

  contract('names that are none are refused before anything happens', async ({ open }) => {
    const registry = open()
    const { descriptor, bytes } = await putImage(registry, REPOSITORY, 'a')
    const blob = blobOf(Buffer.from('x'))
    const repositories = [
      '',
      '/',
      '..',
      '../x',
      'a/../b',
      '/a',
      'a/',
      'a//b',
      'A/b',
      'a b',
      'a:b',
      'a@b',
      '-a',
      'a-',
      'a..b',
      'a\0',
      'é',
      'a'.repeat(256),
    ]
    for (const repository of repositories) {
      const shown = JSON.stringify(repository)
      await nameRefused(registry.hasBlob(repository, blob.digest), shown)
      await nameRefused(registry.putBlob(repository, blob), shown)
      await nameRefused(registry.openBlob(repository, blob.digest), shown)
      await nameRefused(registry.putManifest(repository, MEDIA_TYPES.manifest, bytes), shown)
      await nameRefused(registry.readManifest(repository, descriptor.digest), shown)
      await nameRefused(registry.resolveTag(repository, 'v1'), shown)
      await nameRefused(registry.putTag(repository, 'v1', descriptor), shown)
      await nameRefused(registry.deleteTag(repository, 'v1', descriptor.digest), shown)
      await nameRefused(registry.deleteManifest(repository, descriptor.digest), shown)
      await nameRefused(registry.deleteBlob(repository, descriptor.digest), shown)
    }
    for (const tag of ['', '.', '..', '-a', 'a/b', '../a', 'a:b', 'a b', 'a+b', 'a\n', 'é', 'a'.repeat(129)]) {
      await nameRefused(registry.resolveTag(REPOSITORY, tag), JSON.stringify(tag))
      await nameRefused(registry.putTag(REPOSITORY, tag, descriptor), JSON.stringify(tag))
      await nameRefused(registry.deleteTag(REPOSITORY, tag, descriptor.digest), JSON.stringify(tag))
    }
    const hex = 'a'.repeat(64)
    for (const digest of [
      '',
      hex,
      `sha256:${hex}\n`,
      `sha256:${hex}a`,
      `sha256:${hex.toUpperCase()}`,
      `sha512:${hex}`,
      'sha256:../../index.json',
      `sha256:${'../'.repeat(21)}a`,
    ]) {
      await nameRefused(registry.hasBlob(REPOSITORY, digest), digest)
      await nameRefused(registry.putBlob(REPOSITORY, { ...blob, digest }), digest)
      await nameRefused(registry.openBlob(REPOSITORY, digest), digest)
      await nameRefused(registry.readManifest(REPOSITORY, digest), digest)
      await nameRefused(registry.putTag(REPOSITORY, 'v1', { ...descriptor, digest }), digest)
      await nameRefused(registry.deleteTag(REPOSITORY, 'v1', digest), digest)
      await nameRefused(registry.deleteManifest(REPOSITORY, digest), digest)
      await nameRefused(registry.deleteBlob(REPOSITORY, digest), digest)
    }
  })

  if (!damageable) return
  test(`${name}: damaged bytes are never taken for the right ones`, async (t) => {
    const { open, damage } = await make(t)
    assert.ok(damage !== undefined)
    const { descriptor, config } = await putImage(open(), REPOSITORY, 'a')
    await open().putTag(REPOSITORY, 'v1', descriptor)
    await damage(config.digest)
    await assert.rejects(open().putBlob(REPOSITORY, config), {
      code: 'CONTRADICTION',
      message: new RegExp(config.digest),
    })
    await assert.rejects(open().hasBlob(REPOSITORY, config.digest), { code: 'CONTRADICTION' })
    await damage(descriptor.digest)
    await assert.rejects(open().readManifest(REPOSITORY, descriptor.digest), { code: 'CONTRADICTION' })
    await assert.rejects(open().putTag(REPOSITORY, 'v2', descriptor), { code: 'CONTRADICTION' })
  })
}

interface Blob {
  readonly bytes: Buffer
  readonly digest: string
  readonly size: number
  open(): Readable
}

function blobOf(bytes: Buffer): Blob {
  return { bytes, digest: digestOf(bytes), size: bytes.length, open: () => Readable.from([bytes]) }
}

async function putImage(registry: Registry, repository: string, name: string, types: MediaTypes = MEDIA_TYPES) {
  const config = blobOf(Buffer.from(JSON.stringify({ config: name })))
  const layer = blobOf(Buffer.from(`layer ${name}`))
  await registry.putBlob(repository, config)
  await registry.putBlob(repository, layer)
  const bytes = manifestOf(config, [layer], types)
  return { bytes, config, descriptor: await registry.putManifest(repository, types.manifest, bytes) }
}

function manifestOf(config: Blob, layers: readonly Blob[], types: MediaTypes = MEDIA_TYPES): Buffer {
  const describe = (mediaType: string, { digest, size }: Blob) => ({ mediaType, digest, size })
  return Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: types.manifest,
      config: describe(types.config, config),
      layers: layers.map((layer) => describe(types.layer, layer)),
    }),
  )
}

function indexOf(manifests: readonly Descriptor[], types: MediaTypes = MEDIA_TYPES): Buffer {
  return Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: types.index, manifests }))
}

function digestOf(bytes: Buffer): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`
}

async function content(stream: Readable | null): Promise<Buffer> {
  assert.ok(stream, 'the blob is absent')
  const chunks: Buffer[] = []
  for await (const chunk of stream) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}

import assert from 'node:assert/strict'
import { lstat, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { type TestContext, test } from 'node:test'
import * as fc from 'fast-check'
import { encodeLayoutIndex, parseLayoutIndex, tagsOf, withTag } from './layout-index.ts'
import { layoutRegistry } from './layout.ts'
import { MEDIA_TYPES } from './media-types.ts'
import { digestOf } from './names.ts'
import type { Registry } from './types.ts'

async function folderOf(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'pitlane-layout-'))
  t.after(() => rm(folder, { recursive: true }))
  return folder
}

async function putConfig(registry: Registry, text: string) {
  const bytes = Buffer.from(text)
  const blob = { digest: digestOf(bytes), size: bytes.length, open: () => Readable.from([bytes]) }
  await registry.putBlob('a/b', blob)
  return { mediaType: MEDIA_TYPES.config, digest: blob.digest, size: blob.size }
}

async function putManifest(registry: Registry, text: string) {
  const config = await putConfig(registry, text)
  const manifest = { schemaVersion: 2, mediaType: MEDIA_TYPES.manifest, config, layers: [] }
  return registry.putManifest('a/b', MEDIA_TYPES.manifest, Buffer.from(JSON.stringify(manifest)))
}

test('the folder is a layout after the first blob, and nothing unfinished stays', async (t) => {
  const folder = await folderOf(t)
  const registry = layoutRegistry(folder)
  const { digest } = await putConfig(registry, '{}')
  assert.equal(await readFile(join(folder, 'oci-layout'), 'utf8'), '{"imageLayoutVersion":"1.0.0"}')
  assert.equal(await readFile(join(folder, 'index.json'), 'utf8'), '{"schemaVersion":2,"manifests":[]}')
  assert.deepEqual((await readdir(folder, { recursive: true })).sort(), [
    'blobs',
    'blobs/sha256',
    `blobs/sha256/${digest.slice(7)}`,
    'index.json',
    'oci-layout',
  ])
})

test('reading makes nothing', async (t) => {
  const folder = await folderOf(t)
  const registry = layoutRegistry(join(folder, 'images'))
  await registry.listTags('a/b')
  await registry.resolveTag('a/b', 'v1')
  assert.deepEqual(await readdir(folder), [])
})

test('what a killed run left unfinished is written over', async (t) => {
  const folder = await folderOf(t)
  const bytes = Buffer.from('{}')
  const blobs = join(folder, 'blobs', 'sha256')
  await mkdir(blobs, { recursive: true })
  await writeFile(join(blobs, `.${digestOf(bytes).slice(7)}.partial`), 'half of something longer')
  await writeFile(join(folder, '.index.json.partial'), '{"schema')
  const registry = layoutRegistry(folder)
  await registry.putTag('a/b', 'v1', await putManifest(registry, '{}'))
  assert.deepEqual((await readdir(folder)).sort(), ['blobs', 'index.json', 'oci-layout'])
  assert.equal((await readdir(blobs)).filter((name) => name.startsWith('.')).length, 0)
  assert.equal(await registry.hasBlob('a/b', digestOf(bytes)), true)
})

test('links in the place of what is unfinished are not written through', async (t) => {
  const folder = await folderOf(t)
  const images = join(folder, 'images')
  const outside = join(folder, 'outside')
  await writeFile(outside, 'kept', { mode: 0o600 })
  await mkdir(join(images, 'blobs', 'sha256'), { recursive: true })
  const blob = digestOf(Buffer.from('{}')).slice(7)
  for (const place of ['.index.json', '.oci-layout', `blobs/sha256/.${blob}`])
    await symlink(outside, join(images, `${place}.partial`))
  await putConfig(layoutRegistry(images), '{}')
  assert.equal(await readFile(outside, 'utf8'), 'kept')
  assert.equal((await stat(outside)).mode & 0o777, 0o600)
  for (const place of ['index.json', 'oci-layout', `blobs/sha256/${blob}`])
    assert.ok((await lstat(join(images, place))).isFile(), place)
})

test('an index that cannot be understood is an error, never empty', async (t) => {
  const folder = await folderOf(t)
  const registry = layoutRegistry(folder)
  const descriptor = await putManifest(registry, '{}')
  const bad = [
    '',
    '{',
    '[]',
    'null',
    '{"schemaVersion":1,"manifests":[]}',
    '{"schemaVersion":2}',
    '{"schemaVersion":2,"manifests":[3]}',
    '\xff',
  ]
  for (const text of bad) {
    await writeFile(join(folder, 'index.json'), text, 'latin1')
    const failed = { code: 'STORAGE_FAILED', message: /index\.json is malformed/ }
    await assert.rejects(registry.listTags('a/b'), failed, text)
    await assert.rejects(registry.resolveTag('a/b', 'v1'), failed, text)
    await assert.rejects(registry.putTag('a/b', 'v1', descriptor), failed, text)
    await assert.rejects(putConfig(registry, 'new'), failed, text)
    assert.equal(await readFile(join(folder, 'index.json'), 'latin1'), text, 'and it is not overwritten')
  }
})

test('a layout of an unknown version is neither read nor written', async (t) => {
  const folder = await folderOf(t)
  await writeFile(join(folder, 'oci-layout'), '{"imageLayoutVersion":"2.0.0"}')
  const registry = layoutRegistry(folder)
  await assert.rejects(registry.listTags('a/b'), { code: 'STORAGE_FAILED', message: /oci-layout is malformed/ })
  await assert.rejects(putConfig(registry, '{}'), { code: 'STORAGE_FAILED' })
})

test('an entry with our name that is malformed or ambiguous is an error', async (t) => {
  const folder = await folderOf(t)
  const registry = layoutRegistry(folder)
  const annotations = { 'org.opencontainers.image.ref.name': 'a/b:v1' }
  const entry = { mediaType: MEDIA_TYPES.manifest, digest: `sha256:${'1'.repeat(64)}`, size: 5, annotations }
  const write = (manifests: unknown[]) =>
    writeFile(join(folder, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests }))
  await write([{ ...entry, digest: 'sha256:../../x' }])
  await assert.rejects(registry.resolveTag('a/b', 'v1'), { code: 'STORAGE_FAILED' })
  await write([{ ...entry, size: -1 }])
  await assert.rejects(registry.resolveTag('a/b', 'v1'), { code: 'STORAGE_FAILED' })
  await write([entry, { ...entry, digest: `sha256:${'2'.repeat(64)}` }])
  await assert.rejects(registry.resolveTag('a/b', 'v1'), { code: 'CONTRADICTION', message: /1111.*2222/ })
  await write([entry, entry])
  assert.equal((await registry.resolveTag('a/b', 'v1'))?.digest, entry.digest)
})

test('entries of other tools stay as they are', async (t) => {
  const folder = await folderOf(t)
  const registry = layoutRegistry(folder)
  const descriptor = await putManifest(registry, '{}')
  const foreign = [
    { mediaType: 'application/x', digest: 'blake3:abc', size: 3, extra: { deep: [1] } },
    {
      mediaType: 'application/x',
      digest: 'x',
      size: 1,
      annotations: { 'org.opencontainers.image.ref.name': 'latest' },
    },
  ]
  await writeFile(
    join(folder, 'index.json'),
    JSON.stringify({ schemaVersion: 2, mediaType: MEDIA_TYPES.index, manifests: foreign, annotations: { a: 'b' } }),
  )
  await registry.putTag('a/b', 'v1', descriptor)
  const index = JSON.parse(await readFile(join(folder, 'index.json'), 'utf8'))
  assert.deepEqual(
    index.manifests.filter((entry: { mediaType: string }) => entry.mediaType === 'application/x'),
    foreign,
  )
  assert.deepEqual([index.mediaType, index.annotations], [MEDIA_TYPES.index, { a: 'b' }])
  assert.deepEqual(await registry.listTags('a/b'), ['v1'])
})

const build = (names: readonly string[]) =>
  names.reduce(
    (index, name) => withTag(index, 'a/b', name, { mediaType: 'm', digest: digestOf(Buffer.from(name)), size: 1 }),
    parseLayoutIndex(Buffer.from('{"schemaVersion":2,"manifests":[]}'), 'index.json'),
  )

test('the order in which tags were put does not show', () => {
  const tag = fc.stringMatching(/^[a-z0-9]{1,3}$/)
  fc.assert(
    fc.property(fc.uniqueArray(tag, { maxLength: 8 }), fc.infiniteStream(fc.nat()), (tags, random) => {
      const shuffled = tags
        .map((name) => ({ name, key: random.next().value ?? 0 }))
        .sort((a, b) => a.key - b.key)
        .map(({ name }) => name)
      const bytes = encodeLayoutIndex(build(shuffled))
      assert.deepEqual(bytes, encodeLayoutIndex(build(tags)))
      // Nor which of them were there before.
      assert.deepEqual(encodeLayoutIndex(parseLayoutIndex(bytes, 'a layout')), bytes)
      assert.deepEqual(tagsOf(build(tags), 'a/b'), tags.toSorted())
    }),
  )
})

test('random bytes as an index never crash the reader', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.uint8Array({ maxLength: 200 }),
        fc.json().map((text) => Buffer.from(text)),
      ),
      (bytes) => {
        try {
          tagsOf(parseLayoutIndex(Buffer.from(bytes), 'index.json'), 'a/b')
        } catch (error) {
          assert.equal((error as { code?: string }).code, 'STORAGE_FAILED')
        }
      },
    ),
  )
})

test('a folder that is a file, and a blob that is a folder, are errors', async (t) => {
  const folder = await folderOf(t)
  await writeFile(join(folder, 'file'), '')
  const registry = layoutRegistry(join(folder, 'file'))
  await assert.rejects(registry.listTags('a/b'), { code: 'STORAGE_FAILED' })
  await assert.rejects(putConfig(registry, '{}'), { code: 'STORAGE_FAILED' })
  const digest = digestOf(Buffer.from('x'))
  await mkdir(join(folder, 'blobs', 'sha256', digest.slice(7)), { recursive: true })
  await assert.rejects(layoutRegistry(folder).hasBlob('a/b', digest), {
    code: 'STORAGE_FAILED',
    message: /not a regular file/,
  })
  await symlink('/dev/zero', join(folder, 'blobs', 'sha256', digestOf(Buffer.from('y')).slice(7)))
  await assert.rejects(layoutRegistry(folder).readManifest('a/b', digestOf(Buffer.from('y'))), {
    code: 'STORAGE_FAILED',
  })
})

test('an index that cannot be opened is an error, never empty', async (t) => {
  const folder = await folderOf(t)
  await symlink('index.json', join(folder, 'index.json'))
  await assert.rejects(layoutRegistry(folder).listTags('a/b'), { code: 'STORAGE_FAILED', message: /ELOOP/ })
})

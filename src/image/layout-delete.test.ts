import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { test, type TestContext } from 'node:test'
import { layoutRegistry } from './layout.ts'
import { MEDIA_TYPES } from './media-types.ts'
import { digestOf } from './names.ts'

function layout(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), 'pitlane-delete-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const registry = layoutRegistry(folder)
  const image = async (repository: string, name: string) => {
    const config = Buffer.from(JSON.stringify({ name }))
    const layer = Buffer.from('the same layer')
    for (const bytes of [config, layer])
      await registry.putBlob(repository, {
        digest: digestOf(bytes),
        size: bytes.length,
        open: () => Readable.from([bytes]),
      })
    const describe = (mediaType: string, bytes: Buffer) => ({ mediaType, digest: digestOf(bytes), size: bytes.length })
    const manifest = Buffer.from(
      JSON.stringify({
        schemaVersion: 2,
        mediaType: MEDIA_TYPES.manifest,
        config: describe(MEDIA_TYPES.config, config),
        layers: [describe(MEDIA_TYPES.layer, layer)],
      }),
    )
    const descriptor = await registry.putManifest(repository, MEDIA_TYPES.manifest, manifest)
    return { descriptor, config: digestOf(config), layer: digestOf(layer) }
  }
  return { folder, registry, image }
}

test('what a tag of another repository leads to stays, through an index as well', async (t) => {
  const { registry, image } = layout(t)
  const one = await image('a/one', 'one')
  const two = await image('a/two', 'two')
  const index = Buffer.from(
    JSON.stringify({ schemaVersion: 2, mediaType: MEDIA_TYPES.index, manifests: [two.descriptor] }),
  )
  await registry.putTag('a/one', 'v1', one.descriptor)
  await registry.putTag('a/both', 'v2', await registry.putManifest('a/both', MEDIA_TYPES.index, index))
  assert.equal(await registry.deleteManifest('a/two', two.descriptor.digest), 'in-use')
  assert.equal(await registry.deleteBlob('a/two', two.config), 'in-use')
  await registry.deleteTag('a/one', 'v1', one.descriptor.digest)
  assert.equal(await registry.deleteManifest('a/one', one.descriptor.digest), 'deleted')
  assert.equal(await registry.deleteBlob('a/one', one.config), 'deleted')
  assert.equal(await registry.deleteBlob('a/one', one.layer), 'in-use', 'the other image has the same layer')
  await registry.deleteTag('a/both', 'v2', digestOf(index))
  assert.equal(await registry.deleteBlob('a/two', two.layer), 'deleted')
})

test('an entry that another tool put there keeps what it leads to; one that cannot be read keeps everything', async (t) => {
  const { folder, registry, image } = layout(t)
  const one = await image('a/one', 'one')
  const path = join(folder, 'index.json')
  const entry = { ...one.descriptor, annotations: { 'org.example.name': 'theirs' } }
  writeFileSync(path, JSON.stringify({ schemaVersion: 2, manifests: [entry] }))
  assert.equal(await registry.deleteManifest('a/one', one.descriptor.digest), 'in-use')
  assert.equal(await registry.deleteBlob('a/one', one.layer), 'in-use')
  const text = Buffer.from('no manifest')
  await registry.putBlob('a/one', { digest: digestOf(text), size: text.length, open: () => Readable.from([text]) })
  const unreadable = { mediaType: 'text/plain', digest: digestOf(text), size: text.length }
  writeFileSync(path, JSON.stringify({ schemaVersion: 2, manifests: [unreadable] }))
  await assert.rejects(registry.deleteBlob('a/one', one.layer), { code: 'STORAGE_FAILED' })
  assert.equal(JSON.parse(readFileSync(path, 'utf8')).manifests.length, 1)
})

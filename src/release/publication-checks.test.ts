import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { type TestContext, test } from 'node:test'
import { folderBucket } from '../buckets/folder/bucket.ts'
import { systemClock } from '../clock.ts'
import { openSqlite } from '../database/sqlite.ts'
import { takeOver } from '../database/writer.ts'
import { layoutRegistry } from '../image/layout.ts'
import type { Registry } from '../image/types.ts'
import { bodyOf } from './digest.ts'
import type { Operation } from './publication.ts'
import { readBack } from './publication-checks.ts'
import { unmetered } from '../run/meter.ts'

const layer = bodyOf(Buffer.from('a layer'))
const operations: readonly Operation[] = ['example/amd64_toy', 'example/toy'].map((repository) => ({
  to: 'blob',
  entry: 'objects',
  repository,
  body: layer,
}))

/** The layer is in a layout, and the registry is that layout as `told` has it. */
async function reading(t: TestContext, told: (layout: Registry) => Registry) {
  const folder = await mkdtemp(join(tmpdir(), 'pitlane-read-back-'))
  const db = await openSqlite(join(folder, 'state.sqlite'))
  t.after(async () => {
    await db.destroy()
    await rm(folder, { recursive: true })
  })
  const layout = layoutRegistry(join(folder, 'images'))
  await layout.putBlob('example/toy', { digest: `sha256:${layer.sha256}`, size: layer.size, open: () => layer.open() })
  const bucket = folderBucket(join(folder, 'bucket'), systemClock)
  const registry = told(layout)
  const parts = {
    bucket,
    registry,
    readers: { bucket, registry },
    lists: { metering: unmetered },
    engine: { clock: systemClock, report: () => undefined },
    stop: { drain: new AbortController().signal, interrupt: new AbortController().signal },
  }
  return readBack(parts, { writer: await takeOver(db), version: 'v1.0.0' }, operations)
}

test('a server that says it has a blob, and gives out another, is not believed', async (t) => {
  const server = (bytes: string) => (layout: Registry) => ({
    ...layout,
    location: 'https://registry.example',
    hasBlob: () => Promise.resolve(true),
    openBlob: () => Promise.resolve(Readable.from([Buffer.from(bytes)])),
  })
  await assert.rejects(reading(t, server('another')), { code: 'STORAGE_FAILED', message: /example\/toy.* instead of/ })
  assert.equal((await reading(t, server('a layer'))).size, operations.length)
})

test('a layout that holds a blob once for two repositories is read once', async (t) => {
  const asked: string[] = []
  const read = await reading(t, (layout) => ({
    ...layout,
    hasBlob: (repository, digest) => {
      asked.push(repository)
      return layout.hasBlob(repository, digest)
    },
  }))
  assert.deepEqual(asked, ['example/amd64_toy'])
  assert.deepEqual([...read.values()], [layer.sha256, layer.sha256])
})

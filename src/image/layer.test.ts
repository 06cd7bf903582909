import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { type TestContext, test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import type { Body } from '../buckets/types.ts'
import { digestOf } from './names.ts'
import { contentStore } from '../artifact/content.ts'
import { systemClock } from '../clock.ts'
import { type LayerInput, writeLayer } from './layer.ts'

async function folderOf(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'pitlane-layer-'))
  t.after(() => rm(folder, { recursive: true }))
  return folder
}

function layerIn(folder: string, input: Omit<LayerInput, 'put'>) {
  const store = contentStore(folder, systemClock)
  return writeLayer({ ...input, put: (bytes) => store.putChunks(bytes, 'the layer') })
}

/** Bytes that compress somewhat, as code does. */
function sample(size: number): Buffer {
  const bytes = Buffer.alloc(size)
  let state = 1
  for (let i = 0; i < size; i += 1) {
    state = (state * 1103515245 + 12345) % 2147483648
    bytes[i] = (state >>> 16) & (i % 7 === 0 ? 0xff : 0x1f)
  }
  return bytes
}

function bodyOf(bytes: Buffer, chunk = 65536): Body {
  return {
    size: bytes.length,
    sha256: createHash('sha256').update(bytes).digest('hex'),
    open: () =>
      Readable.from(
        (function* () {
          for (let i = 0; i < bytes.length; i += chunk) yield bytes.subarray(i, i + chunk)
        })(),
      ),
  }
}

test('a layer is the gzipped archive of one file, measured on both sides', async (t) => {
  const folder = await folderOf(t)
  const bytes = sample(100_000)
  const layer = await layerIn(folder, { name: 'garage', body: bodyOf(bytes), mtime: 1_700_000_000 })
  const stored = await readFile(join(folder, layer.digest.slice(7)))
  assert.equal(digestOf(stored), layer.digest)
  assert.equal(stored.length, layer.size)
  const archive = gunzipSync(stored)
  assert.equal(digestOf(archive), layer.diffId)
  assert.deepEqual(archive.subarray(512, 512 + bytes.length), bytes)
  assert.deepEqual(
    [...stored.subarray(0, 10)],
    [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255],
    'no time and no system in the header',
  )
  assert.deepEqual(await readdir(folder), [layer.digest.slice(7)])
})

test('the archive of known bytes has a known digest, for ever', async (t) => {
  // The same as `tar --format=ustar -b 1 --mtime=@1700000000 --owner=0 --group=0 --numeric-owner` of GNU tar 1.34.
  const toy = { name: 'toy', body: bodyOf(Buffer.from('toy\n')), mtime: 1_700_000_000 }
  const layer = await layerIn(await folderOf(t), toy)
  assert.equal(layer.diffId, 'sha256:9c73cc7c3d5ed5e0fb3a77b888b778a30f2eff5f499e4fc10774b28d2919a283')
})

test('the same input gives the same bytes, however it is cut and however many are written at once', async (t) => {
  const folder = await folderOf(t)
  const bytes = sample(1_500_000)
  const cuts = [777, 65_536, 2_000_000]
  const layers = await Promise.all(
    cuts.map((chunk) => layerIn(folder, { name: 'a', body: bodyOf(bytes, chunk), mtime: 5 })),
  )
  assert.equal(new Set(layers.map((layer) => layer.digest)).size, 1)
  assert.equal((await readdir(folder)).length, 1)
})

test('name and time are part of the identity', async (t) => {
  const folder = await folderOf(t)
  const body = bodyOf(sample(1000))
  const layers = await Promise.all([
    layerIn(folder, { name: 'a', body, mtime: 5 }),
    layerIn(folder, { name: 'b', body, mtime: 5 }),
    layerIn(folder, { name: 'a', body, mtime: 6 }),
  ])
  assert.equal(new Set(layers.map((layer) => layer.diffId)).size, 3)
})

test('a binary with other bytes than announced is refused, with both digests, and nothing is left', async (t) => {
  const folder = await folderOf(t)
  const good = bodyOf(sample(1000))
  const other = bodyOf(sample(1000).fill(1, 0, 1))
  const bodies = [
    { ...good, open: () => other.open() },
    { ...good, size: 999 },
    { ...good, size: 1001 },
  ]
  for (const body of bodies) {
    await assert.rejects(layerIn(folder, { name: 'a', body, mtime: 5 }), (error: Error & { code: string }) => {
      assert.equal(error.code, 'CONTRADICTION')
      assert.match(error.message, new RegExp(good.sha256))
      return true
    })
  }
  await assert.rejects(layerIn(folder, { name: 'a', body: { ...good, open: () => other.open() }, mtime: 5 }), {
    message: new RegExp(other.sha256),
  })
  assert.deepEqual(await readdir(folder), [])
})

test('a source that breaks and a folder that cannot be made are storage failures', async (t) => {
  const folder = await folderOf(t)
  const broken = new Readable({
    read() {
      this.destroy(Object.assign(new Error('gone'), { code: 'EIO' }))
    },
  })
  const body: Body = { ...bodyOf(sample(10)), open: () => broken }
  await assert.rejects(layerIn(folder, { name: 'a', body, mtime: 5 }), { code: 'STORAGE_FAILED', message: /EIO/ })
  assert.deepEqual(await readdir(folder), [])
  const { digest } = await layerIn(folder, { name: 'a', body: bodyOf(sample(10)), mtime: 5 })
  const file = join(folder, digest.slice(7))
  await assert.rejects(layerIn(join(file, 'x'), { name: 'a', body: bodyOf(sample(10)), mtime: 5 }), {
    code: 'STORAGE_FAILED',
  })
})

test('memory stays flat over a large binary', async (t) => {
  const folder = await folderOf(t)
  const block = sample(1024 * 1024)
  const count = 64
  const hash = createHash('sha256')
  for (let i = 0; i < count; i += 1) hash.update(block)
  const body: Body = {
    size: count * block.length,
    sha256: hash.digest('hex'),
    open: () =>
      Readable.from(
        (function* () {
          for (let i = 0; i < count; i += 1) yield block
        })(),
      ),
  }
  const before = process.memoryUsage().rss
  let peak = before
  const timer = setInterval(() => {
    peak = Math.max(peak, process.memoryUsage().rss)
  }, 5)
  t.after(() => clearInterval(timer))
  await layerIn(folder, { name: 'large', body, mtime: 5 })
  assert.ok(peak - before < 40 * 1024 * 1024, `grew by ${Math.round((peak - before) / 1048576)} MiB`)
})

import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { folderBucket } from '../buckets/folder/bucket.ts'
import { systemClock } from '../clock.ts'
import { renderSite } from '../pages/site.ts'
import { rawPublicKey, privateKeyOf } from './ed25519.ts'
import type { ListParts } from './lists.ts'
import { rebuildPages } from './rebuild-pages.ts'
import { createSigner } from './sign.ts'

const DAY = 86_400_000
const BEGIN = Date.UTC(2026, 2, 1)

function signerOf(byte: number) {
  const seed = Buffer.alloc(32, byte)
  return createSigner({ seed, keyId: Buffer.alloc(8, byte), key: rawPublicKey(privateKeyOf(seed)) })
}

function emptyBucket(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), 'pitlane-pages-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const bucket = folderBucket(folder, systemClock)
  const parts: ListParts = {
    bucket,
    registry: null,
    note: () => {},
    signer: signerOf(7),
    check: null,
    render: renderSite,
    name: 'toy',
    baseUrl: 'https://releases.example.org',
  }
  const path = join(folder, '_releases/index.json')
  const serial = () => (JSON.parse(readFileSync(path, 'utf8')) as { serial: number }).serial
  return { parts, path, serial }
}

test('an index is renewed from half of its time on, and reported once readers refuse it', async (t) => {
  const { parts, serial } = emptyBucket(t)
  await rebuildPages(parts, { now: BEGIN, write: true })
  assert.equal(serial(), 1)
  assert.deepEqual(await rebuildPages(parts, { now: BEGIN + 44 * DAY, write: true }), [])
  assert.deepEqual(await rebuildPages(parts, { now: BEGIN + 46 * DAY, write: false }), [])
  const reported = await rebuildPages(parts, { now: BEGIN + 91 * DAY, write: false })
  assert.ok(reported.includes('_releases/index.json'))
  assert.equal(serial(), 1)
  const renewed = await rebuildPages(parts, { now: BEGIN + 46 * DAY, write: true })
  assert.ok(renewed.includes('_releases/index.json'))
  assert.equal(serial(), 2)
})

test('a damaged or lost index is made again, and goes on counting where its signature says', async (t) => {
  const { parts, path, serial } = emptyBucket(t)
  await rebuildPages(parts, { now: BEGIN, write: true })
  writeFileSync(path, '{')
  await rebuildPages(parts, { now: BEGIN, write: true })
  assert.equal(serial(), 2)
  rmSync(path)
  await rebuildPages(parts, { now: BEGIN, write: true })
  assert.equal(serial(), 3)
})

test('a serial that the key did not sign counts for nothing', async (t) => {
  const { parts, path, serial } = emptyBucket(t)
  await rebuildPages(parts, { now: BEGIN, write: true })
  const signature = readFileSync(`${path}.minisig`, 'utf8')
  writeFileSync(`${path}.minisig`, signature.replace('serial-1', 'serial-900'))
  rmSync(path)
  await rebuildPages(parts, { now: BEGIN, write: true })
  assert.equal(serial(), 1)
})

test('another key is refused', async (t) => {
  const { parts } = emptyBucket(t)
  await rebuildPages(parts, { now: BEGIN, write: true })
  await assert.rejects(rebuildPages({ ...parts, signer: signerOf(8) }, { now: BEGIN, write: true }), {
    code: 'KEY_CHANGED',
  })
})

import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { folderBucket } from '../buckets/folder/bucket.ts'
import { systemClock } from '../clock.ts'
import { renderSite } from '../pages/site.ts'
import { exampleDocument } from '../pages/fixtures/documents.ts'
import { KEYS } from '../plan/keys.ts'
import { bodyOf } from './digest.ts'
import type { ReleaseDocument } from './document.ts'
import { documentCheck } from './documents.ts'
import { rawPublicKey, privateKeyOf } from './ed25519.ts'
import type { ListParts } from './lists.ts'
import { parsePublicKey } from './public-key.ts'
import { rebuildPages } from './rebuild-pages.ts'
import { createSigner } from './sign.ts'

const DAY = 86_400_000
const BEGIN = Date.UTC(2026, 2, 1)
const { signal: stop } = new AbortController()

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
  await rebuildPages(parts, { now: BEGIN, write: true, stop })
  assert.equal(serial(), 1)
  assert.deepEqual(await rebuildPages(parts, { now: BEGIN + 44 * DAY, write: true, stop }), [])
  assert.deepEqual(await rebuildPages(parts, { now: BEGIN + 46 * DAY, write: false, stop }), [])
  const reported = await rebuildPages(parts, { now: BEGIN + 91 * DAY, write: false, stop })
  assert.ok(reported.includes('_releases/index.json'))
  assert.equal(serial(), 1)
  const renewed = await rebuildPages(parts, { now: BEGIN + 46 * DAY, write: true, stop })
  assert.ok(renewed.includes('_releases/index.json'))
  assert.equal(serial(), 2)
})

test('a damaged or lost index is made again, and goes on counting where its signature says', async (t) => {
  const { parts, path, serial } = emptyBucket(t)
  await rebuildPages(parts, { now: BEGIN, write: true, stop })
  writeFileSync(path, '{')
  await rebuildPages(parts, { now: BEGIN, write: true, stop })
  assert.equal(serial(), 2)
  rmSync(path)
  await rebuildPages(parts, { now: BEGIN, write: true, stop })
  assert.equal(serial(), 3)
})

test('a serial that the key did not sign counts for nothing', async (t) => {
  const { parts, path, serial } = emptyBucket(t)
  await rebuildPages(parts, { now: BEGIN, write: true, stop })
  const signature = readFileSync(`${path}.minisig`, 'utf8')
  writeFileSync(`${path}.minisig`, signature.replace('serial-1', 'serial-900'))
  rmSync(path)
  await rebuildPages(parts, { now: BEGIN, write: true, stop })
  assert.equal(serial(), 1)
})

test('another key is refused', async (t) => {
  const { parts } = emptyBucket(t)
  await rebuildPages(parts, { now: BEGIN, write: true, stop })
  await assert.rejects(rebuildPages({ ...parts, signer: signerOf(8) }, { now: BEGIN, write: true, stop }), {
    code: 'KEY_CHANGED',
  })
})

test('a bucket of another project is refused', async (t) => {
  const { parts } = emptyBucket(t)
  await rebuildPages(parts, { now: BEGIN, write: true, stop })
  await assert.rejects(rebuildPages({ ...parts, name: 'other' }, { now: BEGIN, write: true, stop }), {
    code: 'PROJECT_CHANGED',
  })
})

test('a document that says it needs no signature is not listed by a project that signs', async (t) => {
  const { parts } = emptyBucket(t)
  const planted: ReleaseDocument = { ...exampleDocument('v9.9.9'), name: 'toy', signing: { scheme: 'none' } }
  const key = KEYS.document('v9.9.9')
  await parts.bucket.put(key, bodyOf(Buffer.from(JSON.stringify(planted))), {
    contentType: 'application/json',
    cacheControl: 'no-cache',
    exclusive: true,
  })
  const check = documentCheck(parsePublicKey(signerOf(7).publicKey.line, 'test'))
  await assert.rejects(rebuildPages({ ...parts, check }, { now: BEGIN, write: true, stop }), {
    code: 'VERIFICATION_FAILED',
    message: /says that it is not signed/,
  })
})

test('stopped before the first write, it writes nothing and says so', async (t) => {
  const { parts } = emptyBucket(t)
  const stopped = { now: BEGIN, write: true, stop: AbortSignal.abort() }
  await assert.rejects(rebuildPages(parts, stopped), { code: 'INTERRUPTED' })
  assert.equal(await parts.bucket.head(KEYS.page), null)
})

import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { folderBucket } from '../../buckets/folder/bucket.ts'
import { systemClock } from '../../clock.ts'
import { openSqlite } from '../../database/sqlite.ts'
import { takeOver, type Writer } from '../../database/writer.ts'
import { renderSite } from '../../pages/site.ts'
import { exampleDocument } from '../../pages/fixtures/documents.ts'
import { KEYS } from '../../plan/keys.ts'
import { bodyOf } from '../digest.ts'
import { publishSite } from '../documentation/publish-site.ts'
import type { ReleaseDocument } from '../document.ts'
import { documentCheck } from '../documents.ts'
import { rawPublicKey, privateKeyOf } from '../keys/ed25519.ts'
import { requireNotRetired } from '../retention/retired.ts'
import type { ListParts } from './list-parts.ts'
import { parsePublicKey } from '../keys/public-key.ts'
import { checkPages, rebuildPages } from './rebuild-pages.ts'
import { createSigner } from '../keys/sign.ts'
import { unmetered } from '../../run/meter.ts'

const DAY = 86_400_000
const BEGIN = Date.UTC(2026, 2, 1)

function signerOf(byte: number) {
  const seed = Buffer.alloc(32, byte)
  return createSigner({ seed, keyId: Buffer.alloc(8, byte), key: rawPublicKey(privateKeyOf(seed)) })
}

/** An empty bucket, and a state that has published nothing yet. `now` sets the clock. */
async function emptyBucket(t: TestContext) {
  const root = mkdtempSync(join(tmpdir(), 'pitlane-pages-'))
  const folder = join(root, 'bucket')
  let now = BEGIN
  const clock = { ...systemClock, now: () => now }
  const bucket = folderBucket(folder, clock)
  const writer = await newState(t, root)
  t.after(() => rmSync(root, { recursive: true, force: true }))
  const notes: string[] = []
  const parts: ListParts = {
    bucket,
    place: './bucket',
    registry: null,
    note: (message) => notes.push(message),
    signer: signerOf(7),
    check: documentCheck(parsePublicKey(signerOf(7).publicKey.line, 'test')),
    render: renderSite,
    documentation: null,
    name: 'toy',
    baseUrl: 'https://releases.example.org',
    metering: unmetered,
    clock,
    writer,
    exclusively: (work) => work(),
  }
  const path = join(folder, '_releases/index.json')
  const serial = () => (JSON.parse(readFileSync(path, 'utf8')) as { serial: number }).serial
  const at = (time: number) => {
    now = time
  }
  return { parts, path, serial, at, notes, elsewhere: async () => ({ ...parts, writer: await newState(t, root) }) }
}

let states = 0
async function newState(t: TestContext, root: string): Promise<Writer> {
  states += 1
  const db = await openSqlite(join(root, `state-${states}.sqlite`))
  t.after(() => db.destroy())
  return takeOver(db)
}

const never = new AbortController().signal
const rebuild = (parts: ListParts) => rebuildPages(parts, never)

test('an index is renewed from half of its time on, and reported once readers refuse it', async (t) => {
  const { parts, serial, at } = await emptyBucket(t)
  await rebuild(parts)
  assert.equal(serial(), 1)
  at(BEGIN + 44 * DAY)
  assert.deepEqual(await rebuild(parts), [])
  at(BEGIN + 46 * DAY)
  assert.deepEqual(await checkPages(parts), [])
  at(BEGIN + 91 * DAY)
  assert.ok((await checkPages(parts)).includes('_releases/index.json'))
  assert.equal(serial(), 1)
  at(BEGIN + 46 * DAY)
  assert.ok((await rebuild(parts)).includes('_releases/index.json'))
  assert.equal(serial(), 2)
})

test('a damaged or lost index is made again, and goes on counting where its signature says', async (t) => {
  const { parts, path, serial, elsewhere } = await emptyBucket(t)
  await rebuild(parts)
  writeFileSync(path, '{')
  await rebuild(await elsewhere())
  assert.equal(serial(), 2)
  rmSync(path)
  await rebuild(await elsewhere())
  assert.equal(serial(), 3)
})

test('where the signature is lost, too, it goes on where this state knows that it was', async (t) => {
  const { parts, path, serial } = await emptyBucket(t)
  await rebuild(parts)
  for (const side of ['', '.minisig', '.sig']) rmSync(`${path}${side}`)
  await rebuild(parts)
  assert.equal(serial(), 2)
})

test('a serial that the key did not sign counts for nothing', async (t) => {
  const { parts, path, serial, elsewhere } = await emptyBucket(t)
  await rebuild(parts)
  const signature = readFileSync(`${path}.minisig`, 'utf8')
  writeFileSync(`${path}.minisig`, signature.replace('serial-1', 'serial-900'))
  rmSync(path)
  await rebuild(await elsewhere())
  assert.equal(serial(), 1)
})

test('another key is refused', async (t) => {
  const { parts } = await emptyBucket(t)
  await rebuild(parts)
  await assert.rejects(rebuild({ ...parts, signer: signerOf(8) }), {
    code: 'KEY_CHANGED',
  })
})

test('a bucket of another project is refused', async (t) => {
  const { parts } = await emptyBucket(t)
  await rebuild(parts)
  await assert.rejects(rebuild({ ...parts, name: 'other' }), {
    code: 'PROJECT_CHANGED',
  })
})

test('a document that says it needs no signature is not listed by a project that signs', async (t) => {
  const { parts } = await emptyBucket(t)
  const planted: ReleaseDocument = { ...exampleDocument('v9.9.9'), name: 'toy', signing: { scheme: 'none' } }
  const key = KEYS.document('v9.9.9')
  await parts.bucket.put(key, bodyOf(Buffer.from(JSON.stringify(planted))), {
    contentType: 'application/json',
    cacheControl: 'no-cache',
    exclusive: true,
  })
  await assert.rejects(rebuild(parts), {
    code: 'VERIFICATION_FAILED',
    message: /says that it is not signed/,
  })
})

test('a release that was listed and whose document is gone stops the lists, until it is given up or comes back', async (t) => {
  const { parts, notes, serial, path } = await emptyBucket(t)
  const unsigned = { ...parts, signer: null, check: null }
  const plain = { contentType: 'application/json', cacheControl: 'no-cache', exclusive: true }
  for (const version of ['v1.0.0', 'v1.1.0']) {
    const document = { ...exampleDocument(version), name: 'toy', signing: { scheme: 'none' }, files: [], image: null }
    await parts.bucket.put(KEYS.document(version), bodyOf(Buffer.from(JSON.stringify(document))), plain)
  }
  await rebuild(unsigned)
  assert.deepEqual(notes, [])
  await parts.bucket.delete(KEYS.document('v1.0.0'))
  const serialBefore = serial()
  const lost = {
    code: 'RELEASE_LOST',
    message:
      /has lost _releases\/v1\.0\.0\/release\.json, and readers are shown v1\.0\.0: lists made now would not name it/,
    hint: /Put _releases\/v1\.0\.0\/ back from a copy, or release it again where it was published\. .*`pitlane pages rebuild --without v1\.0\.0`/,
  }
  await assert.rejects(rebuild(unsigned), lost)
  await assert.rejects(checkPages(unsigned), lost)
  for (const [named, fault] of [
    ['v1.2.0', { code: 'USAGE', message: /--without v1\.2\.0: no list names it/ }],
    ['../v1', { code: 'VERSION_NAME' }],
  ] as const)
    await assert.rejects(rebuild({ ...unsigned, without: new Set([named]) }), fault)
  await assert.rejects(rebuild({ ...unsigned, without: new Set(['v1.1.0']) }), {
    code: 'USAGE',
    message: /--without v1\.1\.0: .* has its document/,
  })
  assert.equal(serial(), serialBefore)
  await rebuild({ ...unsigned, without: new Set(['v1.0.0']) })
  assert.deepEqual(notes, ['v1.0.0 is not listed any more: _releases/v1.0.0/release.json is gone from the bucket'])
  assert.deepEqual(await rebuild(unsigned), [])
  // Its name is nobody else's from now on.
  await assert.rejects(requireNotRetired(parts.bucket, 'v1.0.0', null), {
    code: 'CONTRADICTION',
    message: /v1\.0\.0 was retired at .*: its document was lost, and it was given up/,
    hint: /release under a new version/,
  })
  // Also what pointers lead to.
  const kept = await parts.bucket.read(KEYS.document('v1.1.0'), 1_000_000)
  await parts.bucket.delete(KEYS.document('v1.1.0'))
  await assert.rejects(rebuild(unsigned), { code: 'RELEASE_LOST' })
  await rebuild({ ...unsigned, without: new Set(['v1.1.0']) })
  assert.deepEqual(await rebuild(unsigned), [])
  // Somebody finds a copy.
  await parts.bucket.put(KEYS.document('v1.1.0'), bodyOf(kept ?? Buffer.alloc(0)), plain)
  await rebuild(unsigned)
  assert.match(readFileSync(path, 'utf8'), /"version": "v1\.1\.0"/)
})

test('stopped, it says so and goes on with the serial and the date that were written down', async (t) => {
  const { parts, path, serial, at } = await emptyBucket(t)
  await assert.rejects(rebuildPages(parts, AbortSignal.abort()), {
    code: 'INTERRUPTED',
    message: 'the rebuilding of the pages was stopped before it was complete',
  })
  assert.ok(!existsSync(path))
  at(BEGIN + DAY)
  await rebuild(parts)
  assert.equal(serial(), 1)
  assert.equal((JSON.parse(readFileSync(path, 'utf8')) as { generatedAt: string }).generatedAt, '2026-03-01T00:00:00Z')
  assert.deepEqual(await rebuild(parts), [])
})

test('what a run had confirmed before it died, and was changed since, is put again', async (t) => {
  const { parts, path } = await emptyBucket(t)
  const { bucket } = parts
  const failing: ListParts['bucket'] = {
    location: bucket.location,
    put: (key, body, options) =>
      key === KEYS.index ? Promise.reject(new Error('the disk failed')) : bucket.put(key, body, options),
    requireWritable: () => bucket.requireWritable(),
    head: (key) => bucket.head(key),
    read: (key, limit) => bucket.read(key, limit),
    open: (key) => bucket.open(key),
    list: (prefix) => bucket.list(prefix),
    contents: (prefix, wanted) => bucket.contents(prefix, wanted),
    folders: (prefix) => bucket.folders(prefix),
    abandoned: () => bucket.abandoned(),
    delete: (key) => bucket.delete(key),
    lease: (request) => bucket.lease(request),
  }
  await assert.rejects(rebuild({ ...parts, bucket: failing }), /the disk failed/)
  const page = join(path, '../../_releases.html')
  const whole = readFileSync(page, 'utf8')
  writeFileSync(page, 'something else')
  await rebuild(parts)
  assert.equal(readFileSync(page, 'utf8'), whole)
  assert.deepEqual(await rebuild(parts), [])
})

test('versions that only the list of an older tool names are not dropped: they are to be adopted', async (t) => {
  const { parts } = await emptyBucket(t)
  const put = (list: unknown) =>
    parts.bucket.put(KEYS.garageList, bodyOf(Buffer.from(JSON.stringify(list))), {
      contentType: 'application/json',
      cacheControl: 'no-cache',
      exclusive: false,
    })
  await put([{ name: 'Release', builds: ['v0.9.0', 'v0.8.0'].map((version) => ({ version, builds: [] })) }])
  await assert.rejects(rebuild(parts), { code: 'NOT_ADOPTED', message: /not name v0\.9\.0, v0\.8\.0: these versions/ })
  const site = { files: [], version: null, open: () => Promise.reject(new Error('nothing is read')) }
  await assert.rejects(publishSite(parts, never, site), { code: 'NOT_ADOPTED' })
  await put([{ builds: Array.from({ length: 1000 }, (_, n) => ({ version: `v0.${n}.0`, builds: [] })) }])
  const head = t.mock.method(parts.bucket, 'head')
  await assert.rejects(rebuild(parts), { message: /not name v0\.0\.0, .*, v0\.4\.0 and others: these versions/ })
  assert.ok(head.mock.callCount() < 50)
  assert.equal(await parts.bucket.head(KEYS.index), null)
  await put([{ name: 'Release', builds: [] }])
  await rebuild(parts)
  assert.notEqual(await parts.bucket.head(KEYS.index), null)
})

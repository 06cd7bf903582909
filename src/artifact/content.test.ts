import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { open } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { after, test } from 'node:test'
import { CHUNK } from '../bytes/chunks.ts'
import { systemClock } from '../clock.ts'
import { contentStore } from './content.ts'

const top = mkdtempSync(join(tmpdir(), 'pitlane-content-'))
after(() => rmSync(top, { recursive: true }))
let count = 0

function fresh() {
  count += 1
  const folder = join(top, `${count}/artifacts/sha256`)
  const source = join(top, `source-${count}`)
  return { folder, source, store: contentStore(folder, systemClock) }
}

const digest = (algorithm: string, bytes: Buffer) => createHash(algorithm).update(bytes).digest('hex')

test('content is stored under its digest, read-only, with both digests, at every size around a chunk', async () => {
  for (const size of [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK + 17]) {
    const { folder, source, store } = fresh()
    const bytes = randomBytes(size)
    writeFileSync(source, bytes)
    const stored = await store.put(source)
    const expected = { sha256: digest('sha256', bytes), blake2b512: digest('blake2b512', bytes), size }
    assert.deepEqual(stored, expected)
    assert.equal(store.path(stored.sha256), join(folder, expected.sha256))
    assert.ok(readFileSync(store.path(stored.sha256)).equals(bytes))
    assert.equal(statSync(store.path(stored.sha256)).mode & 0o777, 0o444)
    assert.deepEqual(readdirSync(folder), [expected.sha256])
    assert.equal(await store.inspect(stored.sha256), 'whole')
  }
})

test('the same bytes again are one file, and heal a damaged one', async () => {
  const { folder, source, store } = fresh()
  writeFileSync(source, 'first')
  const { sha256 } = await store.put(source)
  chmodSync(store.path(sha256), 0o644)
  writeFileSync(store.path(sha256), 'fIrst')
  assert.equal(await store.inspect(sha256), 'changed')
  assert.equal((await store.put(source)).sha256, sha256)
  assert.equal(await store.inspect(sha256), 'whole')
  assert.equal(readdirSync(folder).length, 1)
})

test('puts of the same and of other bytes at once', async () => {
  const { folder, source, store } = fresh()
  writeFileSync(source, randomBytes(2 * CHUNK))
  writeFileSync(`${source}.other`, randomBytes(2 * CHUNK))
  const stored = await Promise.all([source, `${source}.other`, source, source].map((path) => store.put(path)))
  assert.equal(new Set(stored.map(({ sha256 }) => sha256)).size, 2)
  assert.equal(readdirSync(folder).length, 2)
  for (const { sha256 } of stored) assert.equal(await store.inspect(sha256), 'whole')
})

test('a body opens a fresh stream each time', async () => {
  const { source, store } = fresh()
  writeFileSync(source, 'bytes')
  const { sha256 } = await store.put(source)
  const body = await store.open(sha256)
  assert.deepEqual([body.size, body.sha256], [5, sha256])
  for (let turn = 0; turn < 2; turn += 1) {
    assert.equal(Buffer.concat(await body.open().toArray()).toString(), 'bytes')
  }
})

test('absent content and names that are no digests', async () => {
  const { store } = fresh()
  const absent = 'a'.repeat(64)
  await assert.rejects(store.open(absent), { code: 'STORAGE_FAILED', message: /ENOENT/ })
  assert.equal(await store.inspect(absent), 'removed')
  for (const name of ['', '../x', 'A'.repeat(64), `${absent}/..`]) {
    assert.throws(() => store.path(name), { code: 'INTERNAL' })
  }
})

test('a failed put leaves nothing: source absent, a folder, too large, closed in between', async () => {
  const { folder, source, store } = fresh()
  await assert.rejects(store.put(source), { code: 'STORAGE_FAILED', message: /reading failed: ENOENT/ })
  mkdirSync(source)
  await assert.rejects(store.put(source), { code: 'STORAGE_FAILED', message: /reading failed: EISDIR/ })
  const file = `${source}.file`
  writeFileSync(file, randomBytes(3 * CHUNK))
  const handle = await open(file)
  await assert.rejects(store.putFrom(handle, file, 2 * CHUNK), { code: 'OUTPUT_UNFIT', message: /larger than 1048576/ })
  await store.putFrom(handle, file, 3 * CHUNK)
  await handle.close()
  await assert.rejects(store.putFrom(handle, file, 3 * CHUNK), { code: 'STORAGE_FAILED' })
  assert.equal(readdirSync(folder).length, 1)
})

test('a store whose folder cannot be made says where', async () => {
  const { source } = fresh()
  writeFileSync(source, 'x')
  const store = contentStore(join(source, 'artifacts'), systemClock)
  await assert.rejects(store.put(source), {
    code: 'STORAGE_FAILED',
    message: /artifacts: writing failed: ENOTDIR/,
  })
})

test('leftovers of a crash are removed, content is not', async () => {
  const { folder, source, store } = fresh()
  assert.equal(await store.removeLeftovers(), 0)
  writeFileSync(source, 'x')
  const { sha256 } = await store.put(source)
  writeFileSync(join(folder, '.put-1-dead'), 'half')
  // As an earlier version wrote image layers.
  writeFileSync(join(folder, `.${sha256}.partial`), 'half')
  assert.equal(await store.removeLeftovers(), 2)
  assert.deepEqual(readdirSync(folder), [sha256])
})

// A real full disk and a real read-only one, in a mount namespace of our own.
const program = `
  import { contentStore } from ${JSON.stringify(new URL('content.ts', import.meta.url).href)}
  import { systemClock } from ${JSON.stringify(new URL('../clock.ts', import.meta.url).href)}
  import { readdirSync } from 'node:fs'
  const [folder, source] = process.argv.slice(1)
  const error = await contentStore(folder, systemClock).put(source).catch((error) => error)
  console.log(JSON.stringify({ code: error.code, message: error.message, hint: error.hint, left: readdirSync(folder) }))`

function onMount(options: string, source: string) {
  const mount = join(top, `mount-${(count += 1)}`)
  mkdirSync(mount)
  const script = 'mount -t tmpfs -o "$1" none "$2" && shift && folder=$1 && shift && exec "$@" "$folder" "$SOURCE"'
  const node = [process.execPath, '--disable-warning=ExperimentalWarning', '--input-type=module', '-e', program]
  const run = spawnSync('unshare', ['-Urm', 'sh', '-c', script, 'sh', options, mount, ...node], {
    env: { ...process.env, SOURCE: source },
    encoding: 'utf8',
  })
  return run.status === 0
    ? (JSON.parse(run.stdout) as { code: string; message: string; hint: string; left: string[] })
    : { failed: `${run.error?.message ?? ''}${run.stderr}` }
}

for (const [options, errno, hint] of [
  ['size=1m', 'ENOSPC', /free some space/],
  ['ro', 'EROFS', /read-only/],
] as const) {
  test(`${errno} is told and leaves nothing behind`, (t) => {
    const source = join(top, `large-${errno}`)
    writeFileSync(source, randomBytes(3 * CHUNK))
    const outcome = onMount(options, source)
    if ('failed' in outcome) {
      assert.match(outcome.failed, /unshare|mount/, outcome.failed)
      t.skip(`no mount namespace here: ${outcome.failed.trim()}`)
      return
    }
    assert.equal(outcome.code, 'STORAGE_FAILED')
    assert.match(outcome.message, new RegExp(`mount-\\d+.* writing failed: ${errno}`))
    assert.match(outcome.hint, hint)
    assert.deepEqual(outcome.left, [])
    assert.ok(existsSync(source))
  })
}

test('what was lost is put back from a copy with the same bytes, and from no other', async () => {
  const { folder, source, store } = fresh()
  writeFileSync(source, 'what was built')
  const { sha256 } = await store.put(source)
  const copy = (...chunks: string[]) => Readable.from(chunks.map((chunk) => Buffer.from(chunk)))
  rmSync(store.path(sha256))
  assert.equal(await store.restore(sha256, copy('something ', 'else'), 'a bucket'), false)
  assert.deepEqual(readdirSync(folder), [])
  assert.equal(await store.restore(sha256, copy('what ', 'was built'), 'a bucket'), true)
  assert.equal(await store.inspect(sha256), 'whole')
  assert.deepEqual(readdirSync(folder), [sha256])
})

test('what comes in chunks is stored the same way, and what breaks on the way leaves nothing', async () => {
  const { folder, store } = fresh()
  const half = (async function* () {
    yield Buffer.from('half')
    throw Object.assign(new Error('broken'), { code: 'EIO' })
  })()
  await assert.rejects(store.putChunks(half, 'a layer'), {
    code: 'STORAGE_FAILED',
    message: 'a layer: reading failed: EIO',
  })
  assert.deepEqual(readdirSync(folder), [])
  const bytes = randomBytes(CHUNK)
  const stored = await store.putChunks(Readable.from([bytes.subarray(0, 5), bytes.subarray(5)]), 'a layer')
  assert.deepEqual(stored, { sha256: digest('sha256', bytes), size: CHUNK })
  assert.equal(statSync(store.path(stored.sha256)).mode & 0o777, 0o444)
  assert.deepEqual(readdirSync(folder), [stored.sha256])
})

import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import * as fs from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { Readable } from 'node:stream'
import { type TestContext, test } from 'node:test'
import * as fc from 'fast-check'
import {
  bodyOf,
  bucketContract,
  EXCLUSIVE,
  keysOf,
  REPLACE,
  refusedWith,
} from '../../../test/contracts/bucket.contract.ts'
import { systemClock } from '../../clock.ts'
import { folderBucket } from './bucket.ts'
import { storageFailure } from './failure.ts'
import { keyFault, TEMPORARY } from './key.ts'

const DAY = 24 * 60 * 60 * 1000

function temporaryFolder(t: TestContext): string {
  const folder = fs.mkdtempSync(join(tmpdir(), 'bucket-'))
  t.after(() => fs.rmSync(folder, { recursive: true, force: true }))
  return folder
}

function make(t: TestContext): { bucket: ReturnType<typeof folderBucket>; root: string } {
  const root = join(temporaryFolder(t), 'not', 'yet')
  return { bucket: folderBucket(root, systemClock), root }
}

/** Every path below a folder, folders with a final slash. */
function tree(root: string): string[] {
  return fs
    .readdirSync(root, { recursive: true, withFileTypes: true })
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1) + (entry.isDirectory() ? '/' : ''))
    .sort()
}

function openFiles(): number {
  return fs.readdirSync('/proc/self/fd').length
}

bucketContract('folder', async (t) => make(t).bucket)

test('the folder holds the objects and nothing else', async (t) => {
  const { bucket, root } = make(t)
  assert.deepEqual(await keysOf(bucket), [])
  assert.equal(fs.existsSync(root), false)
  await bucket.put('a/b/c', bodyOf('1'), EXCLUSIVE)
  await bucket.put('a/b/c', bodyOf('2'), REPLACE)
  await assert.rejects(bucket.put('a/b/c', bodyOf('3'), EXCLUSIVE))
  await assert.rejects(bucket.put('a/x/y', { ...bodyOf('3'), open: () => Readable.from([]) }, EXCLUSIVE))
  assert.deepEqual(
    tree(root).filter((path) => !path.endsWith('/')),
    ['a/b/c'],
  )
  await bucket.put('d', bodyOf('4'), REPLACE)
  await bucket.delete('a/b/c')
  assert.ok(!tree(root).includes('a/b/'))
})

test('modes are those of published things, whatever the umask', async (t) => {
  const { bucket, root } = make(t)
  const before = process.umask(0o077)
  try {
    await bucket.put('a/b', bodyOf('1'), EXCLUSIVE)
  } finally {
    process.umask(before)
  }
  assert.equal(fs.statSync(join(root, 'a/b')).mode & 0o7777, 0o644)
  assert.equal(fs.statSync(join(root, 'a')).mode & 0o7777, 0o755)
  assert.equal(fs.statSync(root).mode & 0o7777, 0o755)
})

test('writers and a deleter that prunes the same folders do not fail each other', async (t) => {
  const { bucket, root } = make(t)
  const other = folderBucket(root, systemClock)
  const writeAndDelete = async (by: typeof bucket, name: string) => {
    for (let round = 0; round < 40; round += 1) {
      const key = `a/b/c/${name}`
      assert.equal(await by.put(key, bodyOf(name), round % 2 === 0 ? EXCLUSIVE : REPLACE), 'written')
      await by.delete(key)
    }
  }
  await Promise.all(
    Array.from('123456789abc').map((name, index) => writeAndDelete(index % 2 === 0 ? bucket : other, name)),
  )
  assert.deepEqual(tree(root), [])
})

test('what a crash left behind is invisible, and gone after a day', async (t) => {
  const { root } = make(t)
  let now = Date.now()
  const bucket = folderBucket(root, { ...systemClock, now: () => now })
  fs.mkdirSync(join(root, TEMPORARY), { recursive: true })
  fs.writeFileSync(join(root, TEMPORARY, 'half'), 'half an obj')
  await bucket.put('a', bodyOf('1'), REPLACE)
  assert.deepEqual(await keysOf(bucket), ['a'])
  for (const prefix of ['.', '.pitlane', TEMPORARY]) assert.deepEqual(await keysOf(bucket, prefix), [])
  await assert.rejects(keysOf(bucket, `${TEMPORARY}/`), refusedWith('STORAGE_FAILED', 'reserved'))
  await assert.rejects(bucket.read(`${TEMPORARY}/half`, 100), refusedWith('STORAGE_FAILED', 'reserved'))
  assert.ok(fs.existsSync(join(root, TEMPORARY, 'half')), 'a fresh one may belong to another writer')
  now += DAY - 60_000
  await bucket.put('b', bodyOf('1'), REPLACE)
  assert.ok(fs.existsSync(join(root, TEMPORARY, 'half')))
  assert.deepEqual(await bucket.abandoned(), [])
  now += 120_000
  assert.deepEqual(await bucket.abandoned(), [`${TEMPORARY}/half`])
  await bucket.put('c', bodyOf('1'), REPLACE)
  assert.equal(fs.existsSync(join(root, TEMPORARY)), false)
  assert.deepEqual(await keysOf(bucket), ['a', 'b', 'c'])
})

test('a put of what is already there writes nothing', async (t) => {
  const { bucket, root } = make(t)
  await bucket.put('a', bodyOf('1'), REPLACE)
  const before = fs.statSync(join(root, 'a'))
  const unopened = { ...bodyOf('1'), open: () => assert.fail('the body was opened') }
  assert.equal(await bucket.put('a', unopened, REPLACE), 'present')
  assert.equal(await bucket.put('a', unopened, EXCLUSIVE), 'present')
  const after = fs.statSync(join(root, 'a'))
  assert.deepEqual([after.ino, after.ctimeMs], [before.ino, before.ctimeMs])
})

test('an object and a folder of the same name are a contradiction', async (t) => {
  const { bucket, root } = make(t)
  await bucket.put('a', bodyOf('1'), REPLACE)
  for (const options of [REPLACE, EXCLUSIVE]) {
    await assert.rejects(bucket.put('a/b', bodyOf('2'), options), refusedWith('CONTRADICTION', "'a'", "'a/b'"))
    await bucket.put('c/d', bodyOf('2'), REPLACE)
    await assert.rejects(bucket.put('c', bodyOf('3'), options), refusedWith('CONTRADICTION', "'c'"))
  }
  assert.deepEqual(tree(root), ['a', 'c/', 'c/d'])
  fs.mkdirSync(join(root, 'empty'))
  assert.equal(await bucket.put('empty', bodyOf('4'), EXCLUSIVE), 'written')
})

test('a symbolic link is never followed', async (t) => {
  const { bucket, root } = make(t)
  const outside = temporaryFolder(t)
  fs.writeFileSync(join(outside, 'secret'), 'secret')
  await bucket.put('a/b', bodyOf('1'), REPLACE)
  fs.symlinkSync(join(outside, 'secret'), join(root, 'a/file'))
  fs.symlinkSync(outside, join(root, 'folder'))
  for (const key of ['a/file', 'folder/secret']) {
    await assert.rejects(bucket.head(key), refusedWith('STORAGE_FAILED', 'symbolic link'))
    await assert.rejects(bucket.read(key, 100), refusedWith('STORAGE_FAILED', 'symbolic link'))
    await assert.rejects(bucket.open(key), refusedWith('STORAGE_FAILED', 'symbolic link'))
    await assert.rejects(bucket.put(key, bodyOf('2'), REPLACE), refusedWith('STORAGE_FAILED'))
    await assert.rejects(bucket.put(key, bodyOf('2'), EXCLUSIVE), refusedWith('STORAGE_FAILED'))
  }
  await assert.rejects(bucket.put('folder/new', bodyOf('2'), REPLACE), refusedWith('STORAGE_FAILED'))
  await assert.rejects(bucket.delete('folder/secret'), refusedWith('STORAGE_FAILED'))
  await assert.rejects(keysOf(bucket), refusedWith('STORAGE_FAILED'))
  await assert.rejects(keysOf(bucket, 'folder/'), refusedWith('STORAGE_FAILED'))
  assert.deepEqual(tree(outside), ['secret'])
  assert.equal(fs.readFileSync(join(outside, 'secret'), 'utf8'), 'secret')
})

test('the folder itself may be reached through a link', async (t) => {
  const { bucket, root } = make(t)
  await bucket.put('a/b', bodyOf('1'), REPLACE)
  const alias = join(dirname(root), 'alias')
  fs.symlinkSync(root, alias)
  const other = folderBucket(alias, systemClock)
  assert.equal(String(await other.read('a/b', 10)), '1')
  assert.deepEqual(await keysOf(other), ['a/b'])
  assert.equal(await other.put('a/c', bodyOf('2'), EXCLUSIVE), 'written')
})

test('a pipe or a name that is not UTF-8 is an error, not an absence', async (t) => {
  const { bucket, root } = make(t)
  await bucket.put('a', bodyOf('1'), REPLACE)
  execFileSync('mkfifo', [join(root, 'pipe')])
  await assert.rejects(bucket.read('pipe', 10), refusedWith('STORAGE_FAILED', 'pipe'))
  await assert.rejects(keysOf(bucket), refusedWith('STORAGE_FAILED', 'pipe'))
  fs.rmSync(join(root, 'pipe'))
  fs.writeFileSync(Buffer.concat([Buffer.from(`${root}/`), Buffer.from([0xff])]), '')
  await assert.rejects(keysOf(bucket), refusedWith('STORAGE_FAILED', 'UTF-8'))
})

test('an object that gets shorter while it is read is an error', async (t) => {
  const { bucket, root } = make(t)
  await bucket.put('a', bodyOf(Buffer.alloc(2_000_000)), REPLACE)
  const stream = await bucket.open('a')
  fs.truncateSync(join(root, 'a'), 10)
  await assert.rejects(
    async () => {
      for await (const _ of stream ?? []);
    },
    refusedWith('STORAGE_FAILED', 'changed'),
  )
})

test('a stream that nobody reads closes its file', async (t) => {
  const { bucket } = make(t)
  await bucket.put('a', bodyOf('1'), REPLACE)
  const before = openFiles()
  for (let n = 0; n < 20; n += 1) {
    const stream = await bucket.open('a')
    await new Promise<void>((done) => stream?.on('close', done).destroy())
  }
  assert.equal(openFiles(), before)
})

test('system errors say where and what to do', () => {
  for (const code of ['ENOSPC', 'EDQUOT', 'EROFS', 'EACCES']) {
    const error = storageFailure('writing', '/b/k', Object.assign(new Error(code), { code }))
    assert.equal(error.code, 'STORAGE_FAILED')
    assert.match(error.message, new RegExp(`^/b/k: writing failed: ${code}$`))
    assert.ok(error.hint)
  }
})

test('a full disk and a folder that may not be written are reported, and leave nothing', async (t) => {
  if (process.getuid?.() !== 0) return t.skip('needs root to mount a small file system')
  const folder = temporaryFolder(t)
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', folder])
  if (mounted.status !== 0) return t.skip('this machine does not let root mount')
  try {
    const bucket = folderBucket(folder, systemClock)
    await bucket.put('small', bodyOf('1'), EXCLUSIVE)
    await assert.rejects(
      bucket.put('large', bodyOf(Buffer.alloc(200_000)), EXCLUSIVE),
      refusedWith('STORAGE_FAILED', 'ENOSPC', 'large'),
    )
    assert.deepEqual(tree(folder), ['small'])
    spawnSync('mount', ['-o', 'remount,ro', folder])
    await assert.rejects(bucket.put('other', bodyOf('1'), EXCLUSIVE), refusedWith('STORAGE_FAILED', 'EROFS', 'other'))
    await assert.rejects(bucket.delete('small'), refusedWith('STORAGE_FAILED', 'EROFS'))
    assert.equal(String(await bucket.read('small', 10)), '1')
  } finally {
    spawnSync('umount', ['-l', folder])
  }
})

test('keys go in and come out of the list as they are, in order', async (t) => {
  const segment = fc.oneof(
    fc.string({ unit: 'grapheme', minLength: 1, maxLength: 3 }),
    fc.constantFrom('a', 'a-', 'a.', 'a0', 'b'),
  )
  const key = fc.array(segment, { minLength: 1, maxLength: 3 }).map((segments) => segments.join('/'))
  await fc.assert(
    fc.asyncProperty(fc.uniqueArray(key, { maxLength: 12 }), async (candidates) => {
      const { bucket, root } = make(t)
      const keys: string[] = []
      for (const candidate of candidates) {
        const clash = keys.some((other) => other.startsWith(`${candidate}/`) || candidate.startsWith(`${other}/`))
        const expected = keyFault(candidate) !== null ? 'STORAGE_FAILED' : clash ? 'CONTRADICTION' : null
        if (expected !== null) {
          await assert.rejects(bucket.put(candidate, bodyOf(candidate), EXCLUSIVE), refusedWith(expected))
          continue
        }
        keys.push(candidate)
        await bucket.put(candidate, bodyOf(candidate), EXCLUSIVE)
      }
      keys.sort((one, other) => Buffer.compare(Buffer.from(one), Buffer.from(other)))
      assert.deepEqual(await keysOf(bucket), keys)
      for (const one of keys) await bucket.delete(one)
      assert.deepEqual(fs.existsSync(root) ? tree(root).filter((path) => !path.endsWith('/')) : [], [])
    }),
    { numRuns: 25 },
  )
})

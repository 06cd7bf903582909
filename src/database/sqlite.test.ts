import assert from 'node:assert/strict'
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { DatabaseSync } from 'node:sqlite'
import { sql } from 'kysely'
import { openSqlite } from './sqlite.ts'
import { takeOver } from './writer.ts'

function inFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'pitlane-sqlite-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

async function opened(folder: string) {
  const db = await openSqlite(join(folder, 'state.sqlite'))
  const writer = await takeOver(db)
  const put = (key: string) => writer.write((trx) => trx.insertInto('meta').values({ key, value: '' }).execute())
  const keys = async () => (await db.selectFrom('meta').select('key').orderBy('key').execute()).map(({ key }) => key)
  return { db, put, keys }
}

const LOSSES: Readonly<Record<string, { lose: (file: string) => void; says: RegExp }>> = {
  'removed with its folder': { lose: (file) => rmSync(join(file, '..'), { recursive: true }), says: /was removed/ },
  removed: { lose: (file) => rmSync(file), says: /state\.sqlite was removed/ },
  'without its log': { lose: (file) => rmSync(`${file}-wal`), says: /state\.sqlite-wal was removed/ },
  'cut off': { lose: (file) => truncateSync(file), says: /state\.sqlite was cut off from \d+ to 0 bytes/ },
  'with its log cut off': { lose: (file) => truncateSync(`${file}-wal`), says: /state\.sqlite-wal was cut off/ },
  replaced: {
    lose: (file) => {
      copyFileSync(file, `${file}.copy`)
      renameSync(`${file}.copy`, file)
    },
    says: /state\.sqlite was replaced/,
  },
}

for (const [what, { lose, says }] of Object.entries(LOSSES)) {
  test(`a database that is ${what} while it is open takes no more writes, and the next start has a sane one`, async (t) => {
    const folder = join(inFolder(t), 'state')
    mkdirSync(folder)
    const { db, put } = await opened(folder)
    await put('before')
    lose(join(folder, 'state.sqlite'))
    await assert.rejects(put('after'), (error: Error) => {
      assert.match(error.message, says)
      return 'code' in error && error.code === 'STATE_LOST'
    })
    await assert.rejects(put('and again'), { code: 'STATE_LOST' })
    await db.destroy()
    mkdirSync(folder, { recursive: true })
    const next = await opened(folder)
    await next.put('new')
    const keys = await next.keys()
    assert.ok(keys.includes('new') && !keys.includes('after'))
    await next.db.destroy()
    assert.equal(
      new DatabaseSync(join(folder, 'state.sqlite')).prepare('pragma integrity_check').get()?.['integrity_check'],
      'ok',
    )
  })
}

test('a log that is removed between a write and its commit is noticed with this write', async (t) => {
  const folder = inFolder(t)
  const db = await openSqlite(join(folder, 'state.sqlite'))
  const writer = await takeOver(db)
  const late = writer.write(async (trx) => {
    await trx.insertInto('meta').values({ key: 'late', value: '' }).execute()
    rmSync(join(folder, 'state.sqlite'))
  })
  await assert.rejects(late, { code: 'STATE_LOST' })
  await db.destroy()
})

test('a transaction is forced to disk unless it asks otherwise', async (t) => {
  const forcing = { forced: true }
  const db = await openSqlite(join(inFolder(t), 'state.sqlite'), forcing)
  const writer = await takeOver(db, forcing)
  // 1: NORMAL, 2: FULL (sqlite.org/pragma.html#pragma_synchronous).
  const level = async (options?: { forced: boolean }) =>
    writer.write(
      async (trx) => (await sql<{ synchronous: number }>`PRAGMA synchronous`.execute(trx)).rows[0]?.synchronous,
      options,
    )
  const levels = [await level(), await level({ forced: false }), await level({ forced: false }), await level()]
  assert.deepEqual(levels, [2, 1, 1, 2])
  await db.destroy()
})

test('there is no shared memory that somebody could cut off, and nobody else gets in', async (t) => {
  const folder = inFolder(t)
  const { db, put } = await opened(folder)
  await put('mine')
  assert.deepEqual(readdirSync(folder).toSorted(), ['state.sqlite', 'state.sqlite-wal'])
  const other = new DatabaseSync(join(folder, 'state.sqlite'))
  assert.throws(() => other.exec('begin immediate'), /locked/)
  other.close()
  await db.destroy()
})

test('a database that a dead process left in pieces is not taken for a whole one', async (t) => {
  const folder = inFolder(t)
  const { db, put } = await opened(folder)
  for (let row = 0; row < 200; row += 1) await put(`${row} ${'x'.repeat(500)}`)
  await db.destroy()
  const again = await opened(folder)
  await again.put('second')
  // As the death of a process leaves them: the log has a part of the pages, the file had the rest.
  const left = inFolder(t)
  for (const name of ['state.sqlite', 'state.sqlite-wal']) copyFileSync(join(folder, name), join(left, name))
  await again.db.destroy()
  // A page that opening does not come across, then the end of the file.
  const file = join(left, 'state.sqlite')
  const bytes = readFileSync(file)
  const page = Math.floor(bytes.indexOf('100 xxx') / 4096) * 4096
  writeFileSync(file, Buffer.from(bytes).fill(0, page, page + 4096))
  await assert.rejects(openSqlite(file), { code: 'STORAGE_FAILED', message: /malformed/ })
  writeFileSync(file, bytes)
  truncateSync(join(left, 'state.sqlite'), statSync(join(left, 'state.sqlite')).size - 5 * 4096)
  await assert.rejects(openSqlite(join(left, 'state.sqlite')), { code: 'STORAGE_FAILED', message: /malformed/ })
})

test('what cannot be opened leaves nothing open', async (t) => {
  const folder = inFolder(t)
  const file = join(folder, 'state.sqlite')
  const { db, put } = await opened(folder)
  await put('x')
  await db.destroy()
  const newer = new DatabaseSync(file)
  newer.exec("update meta set value = '999' where key = 'schema'")
  newer.close()
  await assert.rejects(openSqlite(file), { code: 'STATE_NEWER' })
  writeFileSync(file, 'this is no database, and as long as a page of one'.repeat(100))
  await assert.rejects(openSqlite(file), { code: 'STORAGE_FAILED', message: /not a database/ })
  const open = readdirSync('/proc/self/fd').filter((fd) => {
    const link = `/proc/self/fd/${fd}`
    return existsSync(link) && readlinkSync(link).startsWith(folder)
  })
  assert.deepEqual(open, [])
  assert.ok(readFileSync(file).length > 0)
})

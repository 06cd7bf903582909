import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { prepared } from './prepared.ts'
import { openSqlite } from './sqlite.ts'

test('a query is built once for each database, and runs with the values of each call', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'pitlane-prepared-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const [first, second] = [await openSqlite(join(folder, '1')), await openSqlite(join(folder, '2'))]
  let built = 0
  const put = prepared<{ key: string; value: string }, unknown>((db, value) => {
    built++
    return db.insertInto('meta').values({ value: value('value'), key: value('key') })
  })
  const get = prepared<{ key: string }, { value: string }>((db, value) =>
    db.selectFrom('meta').select('value').where('key', '=', value('key')).limit(1),
  )
  await put(first, { key: 'a', value: '1' })
  await first.transaction().execute((trx) => put(trx, { key: 'b', value: '2' }))
  assert.equal(built, 1)
  await put(second, { key: 'a', value: '3' })
  assert.equal(built, 2)
  const values = async (db: typeof first) =>
    (await Promise.all(['a', 'b'].map((key) => get(db, { key })))).map(({ rows }) => rows[0]?.value)
  assert.deepEqual(await values(first), ['1', '2'])
  assert.deepEqual(await values(second), ['3', undefined])
  await first.destroy()
  await second.destroy()
})

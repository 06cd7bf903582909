import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { PitlaneError } from '../errors.ts'
import { openSqlite } from './sqlite.ts'
import { takeOver } from './writer.ts'

test('of two writers on one database the older one changes nothing any more', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'pitlane-writer-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const db = await openSqlite(join(folder, 's'))
  const older = await takeOver(db)
  const put = (value: string) => older.write((trx) => trx.insertInto('meta').values({ key: value, value }).execute())
  await put('while it was the only one')

  const newer = await takeOver(db)
  let ran = false
  const refused = older.write(async (trx) => {
    ran = true
    await trx.insertInto('meta').values({ key: 'too late', value: '' }).execute()
  })
  await assert.rejects(refused, (error) => error instanceof PitlaneError && error.code === 'FENCED')
  await assert.rejects(put('and again'), { code: 'FENCED' })
  assert.equal(ran, false)
  await newer.write((trx) => trx.insertInto('meta').values({ key: 'the newer one', value: '' }).execute())

  const keys = (await db.selectFrom('meta').select('key').orderBy('key').execute()).map((row) => row.key)
  assert.deepEqual(keys, ['epoch', 'schema', 'the newer one', 'while it was the only one'])
  await db.destroy()
})

test('work that fails leaves nothing behind, and the next write goes on', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'pitlane-writer-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const db = await openSqlite(join(folder, 's'))
  const writer = await takeOver(db)
  // Transactions of one connection come one after the other: what rejects leaves nothing for the next one to commit.
  const failing = writer.write(async (trx) => {
    await trx.insertInto('meta').values({ key: 'half', value: '' }).execute()
    throw new PitlaneError('INTERNAL', 'the work failed')
  })
  const next = writer.write((trx) => trx.insertInto('meta').values({ key: 'whole', value: '' }).execute())
  await assert.rejects(failing, { code: 'INTERNAL' })
  await next
  const keys = (await db.selectFrom('meta').select('key').execute()).map((row) => row.key)
  assert.ok(keys.includes('whole') && !keys.includes('half'))
  await db.destroy()
})

import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { openSqlite } from '../sqlite.ts'
import { takeOver } from '../writer.ts'
import { finishOperations, reopenOperation, replaceOperations, startOperations, wasBegun } from './publications.ts'

test('what was tried once was begun, also when it is opened again because its effect is gone', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'pitlane-publications-'))
  const db = await openSqlite(join(folder, 's'))
  t.after(async () => {
    await db.destroy()
    rmSync(folder, { recursive: true, force: true })
  })
  const writer = await takeOver(db)
  const row = {
    position: 1,
    entry: 'documents',
    kind: 'put-if-absent',
    destination: 'k',
    sha256: 'a',
    size: 1,
  } as const
  await writer.write((trx) => replaceOperations(trx, 'v1.0.0', 'documents', [row]))
  assert.equal(await wasBegun(db, 'v1.0.0', ['documents']), false)
  await writer.write((trx) => startOperations(trx, 'v1.0.0', [1]))
  await writer.write((trx) => finishOperations(trx, 'v1.0.0', [1]))
  await writer.write((trx) => reopenOperation(trx, 'v1.0.0', 'k'))
  assert.equal(await wasBegun(db, 'v1.0.0', ['documents']), true)
  assert.equal(await wasBegun(db, 'v1.0.0', ['tags']), false)
})

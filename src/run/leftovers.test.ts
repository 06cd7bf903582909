import assert from 'node:assert/strict'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { systemClock } from '../clock.ts'
import { openSqlite } from '../database/sqlite.ts'
import { takeOver } from '../database/writer.ts'
import { ProcessExecutor } from '../executors/process/executor.ts'
import { removeLeftovers } from './leftovers.ts'
import { stagePlaces } from './places.ts'

test('what a build still runs whose rows were lost is ended, and its logs stay', async (t) => {
  const root = mkdtempSync(join(tmpdir(), 'pitlane-leftovers-'))
  t.after(() => rmSync(root, { recursive: true, force: true }))
  const folder = join(root, 'builds')
  const before = new ProcessExecutor({ clock: systemClock })
  const attempts = []
  for (const stage of ['checks', 'build/triple']) {
    const places = stagePlaces(folder, { id: 'build-3', number: 3 }, stage)
    const attempt = places.attempt(2)
    await before.prepare(attempt)
    mkdirSync(places.workspace, { recursive: true })
    const env = { PATH: process.env['PATH'] ?? '' }
    await before.start({ attempt, index: 0, run: 'echo runs; sleep 60', env, cwd: places.workspace })
    attempts.push({ attempt, places, output: before.outputPath({ attempt, index: 0 }) })
  }
  await before.close()

  const db = await openSqlite(join(root, 'state.sqlite'))
  const executor = new ProcessExecutor({ clock: systemClock })
  await removeLeftovers({ repository: 'local', writer: await takeOver(db), executor, folder })
  for (const { attempt, places, output } of attempts) {
    assert.notEqual(await executor.attach({ attempt, index: 0 }), 'running')
    assert.equal(existsSync(places.workspace), false)
    assert.match(readFileSync(output, 'utf8'), /^(runs\n)?$/)
  }
  await executor.close()
  await db.destroy()
})

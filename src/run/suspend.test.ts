import assert from 'node:assert/strict'
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { checksWorld } from '../../test/world/checks.ts'
import { NEWEST_BUILDS } from './places.ts'
import { suspendOthers } from './suspend.ts'

const NOTHING = { checks: null, release: null }

test('a build that was cut off waits until as many builds have begun since as keep their logs, then it is given up', async (t) => {
  const world = await checksWorld(t, { a: ':', b: 'touch "$FOLDER/began"; sleep 60' })
  const { db, folder } = world
  const first = await world.engine()
  const interrupt = new AbortController()
  const going = first.carryOut({ interrupt: interrupt.signal })
  while (!existsSync(join(folder, 'began'))) await delay(10)
  interrupt.abort()
  await assert.rejects(going, { code: 'INTERRUPTED' })
  const state = async () =>
    (await db.selectFrom('builds').select('state').where('number', '=', 1).executeTakeFirst())?.state
  const checkout = join(folder, 'builds/1/checks/workspace')
  const newer = async (number: number) => {
    const build = await db.selectFrom('builds').selectAll().where('number', '=', 1).executeTakeFirstOrThrow()
    const row = { ...build, id: `build-${number}`, number, state: 'failed' as const }
    await db.insertInto('builds').values(row).execute()
  }

  for (let number = 2; number <= NEWEST_BUILDS; number += 1) await newer(number)
  const said: string[] = []
  const { parts } = await world.engine({ report: (progress) => 'message' in progress && said.push(progress.message) })
  await suspendOthers(parts, NOTHING)
  assert.equal(await state(), 'running')
  // Its first step is not run again.
  assert.ok(existsSync(checkout))
  assert.deepEqual(said, [])

  await newer(NEWEST_BUILDS + 1)
  await suspendOthers(parts, { ...NOTHING, checks: 'x' })
  assert.equal(await state(), 'running')
  await suspendOthers(parts, NOTHING)
  assert.equal(await state(), 'failed')
  const stage = await db.selectFrom('stages').select(['error', 'note']).executeTakeFirstOrThrow()
  const note = `it was cut off, and ${NEWEST_BUILDS} builds have begun since`
  assert.deepEqual({ ...stage }, { error: 'INTERRUPTED', note: `given up: ${note}` })
  assert.deepEqual(said, [`build 1 of 5c11de2744bdbaac5fd67f5f5faa70ad9f1c9d12 is given up: ${note}`])
  assert.ok(!existsSync(checkout))
})

test('what has ended by itself since counts', async (t) => {
  const world = await checksWorld(t, {
    a: 'touch "$FOLDER/began"; until test -e "$FOLDER/go"; do sleep 0.01; done',
  })
  const { db, folder } = world
  const first = await world.engine()
  const gone = first.carryOut()
  while (!existsSync(join(folder, 'began'))) await delay(10)
  // The engine is gone, and the step goes on.
  await first.parts.executor.close()
  await assert.rejects(gone, { code: 'INTERRUPTED' })
  writeFileSync(join(folder, 'go'), '')
  const { parts } = await world.engine()
  const step = {
    attempt: { attemptId: 'build-1/checks/1', folder: join(folder, 'builds/1/checks/attempt-1') },
    index: 0,
  }
  while ((await parts.executor.attach(step)) === 'running') await delay(10)
  await suspendOthers(parts, NOTHING)
  assert.equal((await db.selectFrom('builds').select('state').executeTakeFirst())?.state, 'succeeded')
})

// What counts as a lost attempt: through rows, engines and real processes.
import assert from 'node:assert/strict'
import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { checksWorld } from '../../test/world/checks.ts'

test('a build goes on however often a person stopped it, and fails with the third start of the machine that ended it', async (t) => {
  const world = await checksWorld(t, {
    a: 'touch "$FOLDER/began"; sleep 60',
  })
  const { folder, db } = world
  const began = join(folder, 'began')
  const stop = async (bootId: string) => {
    const interrupt = new AbortController()
    const running = (await world.engine({ bootId })).carryOut({ interrupt: interrupt.signal })
    for (let tries = 0; !existsSync(began); tries++) {
      assert.ok(tries < 1000)
      await delay(10)
    }
    interrupt.abort()
    await assert.rejects(running, { code: 'INTERRUPTED' })
    rmSync(began)
  }
  /** Attempts, one character each: `L` for those that were lost. */
  const attempts = async () => {
    const rows = await db.selectFrom('attempts').select('lost').orderBy('number').execute()
    return rows.map(({ lost }) => (lost === 1 ? 'L' : '.')).join('')
  }
  for (let times = 0; times < 4; times++) await stop('first start')
  assert.equal(await attempts(), '....')
  for (const start of ['second start', 'third start']) {
    // What the rows say when a machine stops while the step runs.
    await db.updateTable('steps').set({ state: 'running' }).execute()
    await stop(start)
  }
  assert.equal(await attempts(), '...LL.')
  await db.updateTable('steps').set({ state: 'running' }).execute()
  const build = await (await world.engine({ bootId: 'fourth start' })).carryOut()
  assert.equal(build.state, 'failed')
  assert.equal(await attempts(), '...LLL')
  const stage = await db.selectFrom('stages').select(['error', 'note']).executeTakeFirst()
  assert.deepEqual(
    { ...stage },
    {
      error: 'EXECUTOR_FAILED',
      note: '3 attempts were lost, the last one when the machine was restarted',
    },
  )
})

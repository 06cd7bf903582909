// Steps in a row, through the engine and real processes: the next one is with its lane before the one before has ended.
import assert from 'node:assert/strict'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { checksWorld } from '../../test/world/checks.ts'
import type { EngineParts } from './parts.ts'

/** Three checks in a row, each said to `log`. */
async function world(t: TestContext, runs: readonly string[], limits: Partial<EngineParts['limits']> = {}) {
  const checks = runs.map((run, at) => ['abc'[at], `cd "$FOLDER"; echo ${'abc'[at]} >>log; ${run}`])
  const checked = await checksWorld(t, Object.fromEntries(checks))
  const { folder, db, attempt } = checked
  const log = join(folder, 'log')
  return {
    log: () => (existsSync(log) ? readFileSync(log, 'utf8').trim().split('\n') : []),
    /** Whether the lane has the step. */
    handed: (index: number) => existsSync(join(attempt, 'steps', `${index}.output`)),
    make: (file: string) => writeFileSync(join(folder, file), ''),
    rows: () => db.selectFrom('steps').select(['state', 'attempt']).orderBy('position').execute(),
    /** By an engine of its own. */
    async carryOut(stop: { drain?: AbortSignal; interrupt?: AbortSignal } = {}): Promise<string> {
      const { carryOut } = await checked.engine({ limits: { jobs: 1, attempts: 3, ...limits } })
      return carryOut(stop).then(
        (build) => build.state,
        (error: { code: string }) => error.code,
      )
    },
  }
}

async function until(holds: () => boolean): Promise<void> {
  for (let tries = 0; !holds(); tries++) {
    assert.ok(tries < 1000)
    await delay(10)
  }
}

const WAITS = 'until test -e go; do sleep 0.01; done'

test('a step that was handed over is not begun after the first Ctrl-C, and runs in the same attempt later', async (t) => {
  const w = await world(t, [WAITS, ':', ':'])
  const drain = new AbortController()
  const stopped = w.carryOut({ drain: drain.signal })
  await until(() => w.handed(1))
  drain.abort()
  // As a person would: what runs ends after it, not together with it.
  await until(() => !w.handed(1))
  w.make('go')
  assert.equal(await stopped, 'INTERRUPTED')
  await delay(50)
  assert.deepEqual(w.log(), ['a'])
  assert.deepEqual(
    (await w.rows()).map(({ state, attempt }) => `${state} ${attempt}`),
    ['succeeded 1', 'waiting 0', 'waiting 0'],
  )
  assert.equal(await w.carryOut(), 'succeeded')
  assert.deepEqual(w.log(), ['a', 'b', 'c'])
  assert.deepEqual(
    (await w.rows()).map(({ attempt }) => attempt),
    [1, 1, 1],
  )
})

test('a Ctrl-C at any moment: every step runs once', async (t) => {
  for (let round = 0; round < 6; round++) {
    const w = await world(t, ['sleep 0.005', 'sleep 0.005', 'sleep 0.005'])
    for (let tries = 0; ; tries++) {
      const drain = new AbortController()
      const running = w.carryOut({ drain: drain.signal })
      await until(() => w.handed(0))
      // The first step is done after the first try: an engine needs a moment to come to the next.
      await delay(round + tries * 25)
      drain.abort()
      const outcome = await running
      if (outcome === 'succeeded') break
      assert.equal(outcome, 'INTERRUPTED')
      assert.ok(tries < 30)
    }
    assert.deepEqual(w.log(), ['a', 'b', 'c'])
    assert.ok((await w.rows()).every(({ attempt }) => attempt === 1))
  }
})

test('after the second Ctrl-C neither the step nor the one that was handed over goes on', async (t) => {
  const w = await world(t, [WAITS, ':', ':'])
  const interrupt = new AbortController()
  const stopped = w.carryOut({ interrupt: interrupt.signal })
  await until(() => w.handed(1) && w.log().length === 1)
  interrupt.abort()
  assert.equal(await stopped, 'INTERRUPTED')
  w.make('go')
  await delay(50)
  assert.deepEqual(w.log(), ['a'])
  assert.equal(await w.carryOut(), 'succeeded')
  assert.deepEqual(w.log(), ['a', 'a', 'b', 'c'])
})

test('what was handed over behind a red step, or behind one that wrote too much, is skipped and does not finish', async (t) => {
  const red = await world(t, [`${WAITS}; exit 3`, ':', ':'])
  const running = red.carryOut()
  await until(() => red.handed(1))
  red.make('go')
  assert.equal(await running, 'failed')
  assert.deepEqual(red.log(), ['a'])
  const loud = await world(t, [`${WAITS}; head -c 1001 /dev/zero`, 'sleep 0.3; echo finished >>log', ':'], {
    output: 1000,
  })
  const failing = loud.carryOut()
  await until(() => loud.handed(1))
  loud.make('go')
  assert.equal(await failing, 'failed')
  assert.deepEqual(
    (await loud.rows()).map(({ state }) => state),
    ['failed', 'skipped', 'skipped'],
  )
  await delay(350)
  assert.ok(!loud.log().includes('finished') && !loud.log().includes('c'))
})

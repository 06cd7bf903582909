import assert from 'node:assert/strict'
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { checksWorld } from '../../test/world/checks.ts'
import { systemClock } from '../clock.ts'
import { buildFailure } from './build.ts'

async function outcomeOf(t: TestContext, run: string): Promise<{ message: string; written: number }> {
  const world = await checksWorld(t, { noise: run })
  const { parts, carryOut } = await world.engine({
    clock: { ...systemClock, sleep: (time, signal) => systemClock.sleep(Math.min(time, 20_000) / 20, signal) },
    limits: { jobs: 1, attempts: 3, output: 100_000 },
  })
  const build = await carryOut()
  const { size } = statSync(join(world.attempt, 'steps/0.output'))
  if (build.state === 'succeeded') return { message: 'succeeded', written: size }
  const { code, message } = await buildFailure(parts, build)
  return { message: `${code}: ${message}`, written: size }
}

test('a step that goes on writing is killed', async (t) => {
  const { message, written } = await outcomeOf(t, 'while :; do echo noise; done')
  assert.equal(message, 'STEP_OUTPUT_LIMIT: checks: step noise wrote more than 100000 bytes of output')
  assert.ok(written > 100_000)
})

test('a step that wrote too much fails also when it is over before anybody looked', async (t) => {
  const { message } = await outcomeOf(t, 'head -c 100001 /dev/zero')
  assert.equal(message, 'STEP_OUTPUT_LIMIT: checks: step noise wrote more than 100000 bytes of output')
})

test('as much as it may is no failure', async (t) => {
  assert.deepEqual(await outcomeOf(t, 'head -c 100000 /dev/zero'), { message: 'succeeded', written: 100_000 })
})

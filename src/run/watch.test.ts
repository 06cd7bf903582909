import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Clock } from '../clock.ts'
import type { Fact } from './reducer.ts'
import { Watch } from './watch.ts'

/** Time that passes when the test says so. */
function handClock() {
  let now = 0
  let sleeping: { until: number; wake: () => void }[] = []
  const sleeps: number[] = []
  const clock: Clock = {
    now: () => now,
    monotonic: () => now,
    random: (bytes) => Buffer.alloc(bytes),
    sleep: (milliseconds, signal) => {
      sleeps.push(milliseconds)
      return new Promise((resolve, reject) => {
        sleeping.push({ until: now + milliseconds, wake: resolve })
        signal?.addEventListener('abort', () => reject(signal.reason as Error))
      })
    },
  }
  return {
    clock,
    sleeps,
    async pass(milliseconds: number) {
      now += milliseconds
      for (const { until, wake } of sleeping) if (until <= now) wake()
      sleeping = sleeping.filter(({ until }) => until > now)
      await new Promise(setImmediate)
    },
  }
}

function watching() {
  const time = handClock()
  const told: Fact[] = []
  const fail = (error: unknown) => assert.fail(String(error))
  const watch = new Watch({ clock: time.clock, output: 100, tell: (fact) => told.push(fact), fail })
  const add = (step: string, left: number, output = '/absent') =>
    watch.add({ at: { stage: 's', attempt: 1, step }, output, left })
  return { watch, time, told, add }
}

const overdue = (step: string): Fact => ({ kind: 'overdue', stage: 's', attempt: 1, step })

test('each step is told to be overdue at its own time, once, also one that came later and has less', async () => {
  const { watch, time, told, add } = watching()
  add('long', 10_000)
  add('short', 500)
  const over = add('over', 400)
  await time.pass(300)
  over(true)
  await time.pass(199)
  assert.deepEqual(told, [])
  await time.pass(1)
  assert.deepEqual(told, [overdue('short')])
  for (let second = 0; second < 20; second++) await time.pass(1000)
  assert.deepEqual(told, [overdue('short'), overdue('long')])
  await watch.close()
})

test('steps that follow each other share one sleep; later ones are watched, too', async () => {
  const { watch, time, told, add } = watching()
  for (let step = 0; step < 100; step++) {
    add(`${step}`, 60_000)(true)
    await time.pass(1)
  }
  assert.deepEqual(time.sleeps, [2000])
  await time.pass(5000)
  add('late', 100)
  await time.pass(100)
  assert.deepEqual(told, [overdue('late')])
  await watch.close()
})

test('who writes too much is told while it runs and when it is over, and once', async () => {
  const { watch, time, told, add } = watching()
  const flooding = (step: string): Fact => ({ kind: 'flooding', stage: 's', attempt: 1, step, bytes: 100 })
  const over = add('runs', 60_000, import.meta.filename)
  await time.pass(2000)
  await time.pass(2000)
  over(true)
  add('quick', 60_000, import.meta.filename)(true)
  add('lost', 60_000, import.meta.filename)(false)
  assert.deepEqual(told, [flooding('runs'), flooding('quick')])
  await watch.close()
})

test('what is closed tells nothing more', async () => {
  const { watch, time, told, add } = watching()
  add('one', 100)
  await watch.close()
  add('two', 100)
  await time.pass(5000)
  assert.deepEqual(told, [])
})

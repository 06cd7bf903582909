import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { atOnce, exclusively, inParallel, together } from './parallel.ts'

test('results come in the order of the items, and no more than the limit run at once', async () => {
  let running = 0
  let most = 0
  const results = await inParallel([30, 5, 20, 1, 10], 2, async (time) => {
    running += 1
    most = Math.max(most, running)
    await delay(time)
    running -= 1
    return time * 2
  })
  assert.deepEqual(results, [60, 10, 40, 2, 20])
  assert.equal(most, 2)
})

test('different works give what each of them gives; of their failures the first in order is thrown, once all have ended', async () => {
  assert.deepEqual(await atOnce([async () => 1, () => delay(5, 'a')]), [1, 'a'])
  let isOver = false
  const failing = atOnce([
    () => delay(20).then(() => Promise.reject(new Error('first'))),
    () => Promise.reject(new Error('second')),
    () => delay(40).then(() => (isOver = true)),
  ])
  await assert.rejects(failing, /first/)
  assert.ok(isOver)
})

test('after a failure nothing is begun, what runs ends first, and the first failure by position is thrown', async () => {
  const begun: number[] = []
  const ended: number[] = []
  const running = inParallel([0, 1, 2, 3], 2, async (item) => {
    begun.push(item)
    await delay(item === 0 ? 20 : 1)
    ended.push(item)
    throw new Error(`item ${item}`)
  })
  await assert.rejects(running, /item 0/)
  assert.deepEqual(begun, [0, 1])
  assert.deepEqual(ended, [1, 0])
})

test('nothing to do is done', async () => {
  assert.deepEqual(await inParallel([], 4, () => Promise.reject(new Error('never'))), [])
})

test('what is asked for while the work is on is done together, in its order, and each hears of its own failure', async () => {
  const done: (readonly number[])[] = []
  const ask = together(async (items: readonly number[]) => {
    await new Promise((resolve) => setImmediate(resolve))
    done.push(items)
    if (items.includes(4)) throw new Error('four')
  })
  const first = ask(1)
  await new Promise((resolve) => process.nextTick(resolve))
  const second = [ask(2), ask(3)]
  await Promise.all([first, ...second])
  const failed = await Promise.allSettled([ask(4), ask(5)])
  await ask(6)
  assert.deepEqual(done, [[1], [2, 3], [4, 5], [6]])
  assert.deepEqual(
    failed.map(({ status }) => status),
    ['rejected', 'rejected'],
  )
})

test('under one name there is one action at a time, also after one that failed', async () => {
  let running = 0
  let most = 0
  const action = (fails: boolean) => async () => {
    most = Math.max(most, (running += 1))
    await new Promise((resolve) => setImmediate(resolve))
    running -= 1
    if (fails) throw new Error('failed')
  }
  const asked = [true, false, false].map((fails) => exclusively('name', action(fails)))
  const outcomes = await Promise.allSettled(asked)
  assert.deepEqual(
    outcomes.map(({ status }) => status),
    ['rejected', 'fulfilled', 'fulfilled'],
  )
  assert.equal(most, 1)
})

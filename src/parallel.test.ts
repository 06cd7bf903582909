import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { inParallel } from './parallel.ts'

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

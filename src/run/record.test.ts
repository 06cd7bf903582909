import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checksWorld } from '../../test/world/checks.ts'
import { takeOver, type Writer } from '../database/writer.ts'
import type { Progress } from './progress.ts'

test('what a restart of the machine undoes is not forced to disk, everything else is, and both are told in order', async (t) => {
  const world = await checksWorld(t, { a: ':', b: ':', c: ':' })
  const writer = await takeOver(world.db)
  /** A line for each transaction, with what was told after it. */
  const told: string[][] = []
  const watched: Writer = {
    db: world.db,
    async write(work, options = { forced: true }) {
      const result = await writer.write(work, options)
      told.push([options.forced ? 'forced' : 'not forced'])
      return result
    },
  }
  const report = (progress: Progress) => {
    if (progress.event === 'step' || progress.event === 'stage') {
      told.at(-1)?.push(`${progress.event === 'step' ? progress.step : 'stage'} ${progress.state}`)
    }
  }
  await (await world.engine({ writer: watched, report })).carryOut()
  assert.deepEqual(told, [
    ['forced'],
    ['forced', 'stage preparing'],
    ['forced', 'a running', 'stage running'],
    ['not forced', 'a succeeded', 'b running'],
    ['not forced', 'b succeeded', 'c running'],
    ['forced', 'c succeeded', 'stage collecting'],
    ['forced', 'stage succeeded'],
  ])
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { handClock } from '../../test/world/hand-clock.ts'
import { type Metered, type Meter, metering } from './meter.ts'
import type { Progress } from './progress.ts'
import { wait } from './waiting.ts'

const MIB = 1024 * 1024
type Told = Extract<Progress, { event: 'progress' }>

/** Work that goes on until it is told to end. */
function world(bytes: number, pieces = 2) {
  const clock = handClock()
  const told: Progress[] = []
  const report = (progress: Progress) => void told.push(progress)
  const about: Metered = { of: 'binaries', doing: 'sending', pieces, bytes }
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  let meter: Meter | undefined
  const ended = metering({ clock, report })(about, (made) => {
    meter = made
    return promise
  })
  const last = () => told.at(-1) as Told
  return { clock, report, told, ended, last, meter: meter ?? assert.fail(), end: resolve, fail: reject }
}

test('what ends within a second is not told at all; what is small, not before ten', async () => {
  for (const [bytes, quiet] of [
    [MIB, 1000],
    [MIB - 1, 10_000],
    [0, 10_000],
  ] as const) {
    const quick = world(bytes)
    await quick.clock.pass(quiet - 1)
    quick.end()
    await quick.ended
    await quick.clock.pass(60_000)
    assert.deepEqual(quick.told, [], `${bytes} bytes`)
    const slow = world(bytes)
    await slow.clock.pass(quiet)
    assert.equal(slow.told.length, 1, `${bytes} bytes`)
    slow.end()
    await slow.ended
    await slow.clock.pass(60_000)
    assert.equal(slow.told.length, 2, 'nothing is told after the end')
    assert.equal(slow.last().state, 'done')
  }
})

test('bytes and pieces that are through, those that were there, the rate and what is left', async () => {
  const { clock, meter, last, end, ended } = world(100 * MIB, 3)
  const [sent, present, manifest] = [meter.piece(60 * MIB), meter.piece(39 * MIB), meter.piece(MIB)]
  present.done()
  sent.at(3 * MIB)
  await clock.pass(1000)
  const about = { event: 'progress', of: 'binaries', doing: 'sending', pieces: 3, bytes: 100 * MIB } as const
  assert.deepEqual(last(), {
    ...about,
    state: 'going',
    complete: 1,
    moved: 3 * MIB,
    spared: 39 * MIB,
    rate: 3 * MIB,
    left: null,
    elapsed: 1000,
  })
  for (let second = 2; second <= 15; second += 1) {
    sent.at(3 * second * MIB)
    await clock.pass(1000)
  }
  // From what moved in the last ten seconds.
  assert.deepEqual([last().rate, last().left], [3 * MIB, 5333])
  sent.done()
  manifest.at(MIB)
  manifest.done()
  end()
  await ended
  assert.deepEqual(last(), {
    ...about,
    state: 'done',
    complete: 3,
    moved: 61 * MIB,
    spared: 39 * MIB,
    rate: Math.round((61 * MIB) / 15),
    left: null,
    elapsed: 15_000,
  })
})

test('an attempt that begins anew counts only what is new, is part of the rate and of what is left', async () => {
  const { clock, meter, last } = world(40 * MIB, 1)
  const piece = meter.piece(40 * MIB)
  for (let second = 1; second <= 6; second += 1) {
    piece.at(5 * second * MIB)
    await clock.pass(1000)
  }
  assert.deepEqual([last().moved, last().left], [30 * MIB, 2000])
  piece.at(0)
  piece.at(5 * MIB)
  await clock.pass(1000)
  assert.deepEqual([last().moved, last().rate, last().left], [30 * MIB, 5 * MIB, 7000])
  piece.at(35 * MIB)
  await clock.pass(250)
  assert.equal(last().moved, 35 * MIB)
})

test('what stands still has a rate that falls, and nothing says when it ends', async () => {
  const { clock, meter, last } = world(40 * MIB, 1)
  const piece = meter.piece(40 * MIB)
  for (let second = 1; second <= 6; second += 1) {
    piece.at(5 * second * MIB)
    await clock.pass(1000)
  }
  await clock.pass(2000)
  assert.equal(last().left, null)
  await clock.pass(8000)
  assert.deepEqual([last().rate, last().moved, last().left], [0, 30 * MIB, null])
})

test('nothing moved yet: no rate, and no estimate', async () => {
  const { clock, meter, last } = world(40 * MIB, 2)
  meter.piece(20 * MIB).done()
  await clock.pass(20_000)
  assert.deepEqual([last().rate, last().left, last().spared], [null, null, 20 * MIB])
})

test('work that fails is told as stopped, and its error stays what it is', async () => {
  const { clock, last, fail, ended } = world(MIB)
  await clock.pass(1000)
  fail(new Error('no'))
  await assert.rejects(ended, /^Error: no$/)
  assert.equal(last().state, 'stopped')
})

test('whatever attempts do, what is through never goes back and never exceeds the whole', async () => {
  const step = fc.record({ piece: fc.nat(2), at: fc.integer({ min: -5, max: 3 * MIB }), done: fc.boolean() })
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      const { clock, meter, last, end, ended } = world(6 * MIB, 3)
      const pieces = [MIB, 2 * MIB, 3 * MIB].map((bytes) => meter.piece(bytes))
      await clock.pass(1000)
      let before = 0
      for (const { piece, at, done } of steps) {
        pieces[piece]?.at(at)
        if (done) pieces[piece]?.done()
        await clock.pass(250)
        const { moved, spared, left, rate } = last()
        assert.ok(moved + spared >= before && moved + spared <= 6 * MIB)
        assert.ok((left ?? 0) >= 0 && (rate ?? 0) >= 0)
        before = moved + spared
      }
      for (const piece of pieces) piece.done()
      end()
      await ended
      assert.equal(last().moved + last().spared, 6 * MIB)
    }),
    { numRuns: 50 },
  )
})

test('a wait is told when it begins, every second, and when it is over; once', async () => {
  const clock = handClock()
  const told: unknown[] = []
  const waiting = wait({ clock, report: (progress) => void told.push(progress) }, 'publisher')
  waiting.end()
  assert.deepEqual(told, [], 'nothing was waited for')
  waiting.begin('process 7 on other to end')
  waiting.begin('process 7 on other to end')
  await clock.pass(2500)
  waiting.end()
  waiting.end()
  await clock.pass(5000)
  const about = { event: 'waiting', on: 'publisher', for: 'process 7 on other to end' }
  assert.deepEqual(told, [
    { ...about, state: 'started', duration: null },
    { ...about, state: 'going', duration: 1000 },
    { ...about, state: 'going', duration: 2000 },
    { ...about, state: 'done', duration: 2500 },
  ])
})

// The state's database fails at a write, before or after it was committed, and the process lives: it says so, stops, shows nothing
// wrong, and the same command goes on.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { look } from './readers.ts'
import { each, Runs } from './runs.ts'
import * as worlds from './worlds.ts'

const LANES = 2
/** Of the writes before anything is published, every so many-th fails after its commit, unless all are asked for. */
const STRIDE = process.env['PITLANE_CRASH_POINTS'] === 'all' ? 1 : 4

let runs: Runs
let fresh: worlds.World
let built: worlds.World
let reference: {
  readonly published: Record<string, string>
  readonly steps: string[]
  readonly points: readonly string[]
}

before(async () => {
  runs = await Runs.open()
  fresh = worlds.freshWorld()
  reference = await record(fresh)
  built = worlds.copyOf(fresh)
  const start = reference.points.find((point) => point.startsWith('bucket.put'))
  const { code, output } = await runs.warm(built, { fault: { at: start ?? '', how: 'fail' } })
  assert.equal(code, 4, output)
})

after(() => {
  worlds.removeWorld(fresh)
  worlds.removeWorld(built)
  runs.close()
})

async function record(world: worlds.World) {
  const copy = worlds.copyOf(world)
  const { code, output, points } = await runs.warm(copy)
  assert.equal(code, 0, output)
  const found = { points, published: worlds.published(copy), steps: worlds.stepLines(copy) }
  worlds.removeWorld(copy)
  return found
}

async function assertWhole(world: worlds.World): Promise<void> {
  assert.deepEqual(worlds.published(world), reference.published)
  worlds.assertStepsRanOnce(world, reference.steps)
  worlds.assertRowsAreWhole(world)
  await worlds.assertNothingRuns(world)
}

test('when writes fail before their commit, run after run, each run gets further', { timeout: 400_000 }, async () => {
  for (const [when, start, floor] of [
    ['before', fresh, 60],
    ['uncommitted', built, 30],
  ] as const) {
    const world = worlds.copyOf(start)
    let failures = 0
    // What a run that goes on does again needs some writes: where it gets no further, the next one gets one write more.
    let last = ''
    for (let allowed = 1; ; ) {
      const { code, output, struck } = await runs.warm(world, {
        fault: { at: `write #${allowed} ${when}`, how: 'fail' },
      })
      assert.deepEqual(look(world).problems, [])
      if (!struck) {
        assert.equal(code, 0, output)
        break
      }
      assert.equal(code, 4, output)
      assert.match(output, /STORAGE_FAILED/)
      failures += 1
      const now = worlds.progressOf(world)
      allowed = now === last ? allowed + 1 : 2
      last = now
    }
    assert.ok(failures >= floor, `only ${failures} writes failed`)
    await assertWhole(world)
    worlds.removeWorld(world)
  }
})

test('when a write fails after its commit, the next run finds it', { timeout: 400_000 }, async () => {
  const { points } = await record(built)
  const writes = (of: readonly string[]) => of.filter((name) => /^write .* after$/.test(name))
  const early = writes(
    reference.points.slice(
      0,
      reference.points.findIndex((name) => name.startsWith('bucket.put')),
    ),
  )
  const cases = [
    ...early.filter((_, index) => index % STRIDE === 0).map((name) => ({ base: fresh, at: name })),
    ...writes(points).map((name) => ({ base: built, at: name })),
  ]
  await each(cases, LANES, async ({ base, at }) => {
    const world = worlds.copyOf(base)
    try {
      const failed = await runs.warm(world, { fault: { at, how: 'fail' } })
      assert.equal(failed.code, failed.struck ? 4 : 0, failed.output)
      assert.deepEqual(look(world).problems, [])
      const { code, output } = await runs.warm(world)
      assert.equal(code, 0, output)
      await assertWhole(world)
    } catch (error) {
      throw new Error(`failed at ${at} (left in ${world.root})`, { cause: error })
    }
    worlds.removeWorld(world)
  })
})

test('a bucket or registry that fails ends the run in the same way', { timeout: 400_000 }, async () => {
  const { points } = await record(built)
  const outside = points.filter((name) => /^(bucket|registry)\.put.* after$/.test(name))
  const cases = outside.filter((_, index) => index % STRIDE === 0)
  await each(cases, LANES, async (at) => {
    const world = worlds.copyOf(built)
    const failed = await runs.warm(world, { fault: { at, how: 'fail' } })
    assert.equal(failed.code, 4, `${at}: ${failed.output}`)
    assert.deepEqual(look(world).problems, [])
    const { code, output } = await runs.warm(world)
    assert.equal(code, 0, `${at}: ${output}`)
    await assertWhole(world)
    worlds.removeWorld(world)
  })
})

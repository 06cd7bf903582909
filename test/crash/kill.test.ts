// `kill -9`, really, wherever a release touches the outside; then the same command again, and all has to be as if nothing had been.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { Point } from './faults.ts'
import { look } from './readers.ts'
import { each, Runs } from './runs.ts'
import * as worlds from './worlds.ts'

/** Worlds at a time; steps and starts leave the processors idle now and then. */
const LANES = 3
/** Fewer points than this: the faults are not where they should be. */
const FLOOR = { all: 500, killed: 150 }
/** `all` also kills where nothing was written since the point before. */
const EVERY = process.env['PITLANE_CRASH_POINTS'] === 'all'

let runs: Runs
let reference: Record<string, string>
let steps: string[]
/** A start world, and the points that are reached from it until the next one takes over. */
const segments: { world: worlds.World; points: readonly Point[] }[] = []
let pointCount = 0

before(async () => {
  runs = await Runs.open()
  const fresh = worlds.freshWorld()
  const whole = await record(fresh)
  reference = whole.published
  steps = whole.steps
  pointCount = whole.points.length
  // A run that is to die late begins late: in a world that was left by a run that died between two parts, when no step ran.
  const starts = [/^executor\.destroy build-1\/checks\/1 #1 after$/, /^bucket\.put .* #1 before$/]
  let world = fresh
  let { points } = whole
  for (const start of starts) {
    const end = points.findIndex((point) => start.test(point.name))
    assert.notEqual(end, -1, `no point ${start}`)
    segments.push({ world, points: points.slice(0, end + 1) })
    const left = worlds.copyOf(world)
    const { signal } = await runs.run(left, { fault: { at: points[end]?.name ?? '', how: 'kill' } })
    assert.equal(signal, 'SIGKILL')
    world = left
    points = (await record(left)).points
  }
  segments.push({ world, points })
})

after(() => {
  for (const { world } of segments) worlds.removeWorld(world)
  runs.close()
})

/** An undisturbed run in a copy of the world. */
async function record(world: worlds.World) {
  const copy = worlds.copyOf(world)
  try {
    const { code, output } = await runs.run(copy)
    assert.equal(code, 0, output)
    const points = JSON.parse(readFileSync(join(copy.root, 'points.json'), 'utf8')) as Point[]
    return { points, published: worlds.published(copy), steps: worlds.stepLines(copy) }
  } finally {
    worlds.removeWorld(copy)
  }
}

test('killed at any point, the same command goes on and leaves the same bytes', { timeout: 200_000 }, async () => {
  const cases = segments.flatMap(({ world, points }) =>
    points.filter((point) => EVERY || point.distinct).map((point) => ({ world, kills: [point.name] })),
  )
  const missed = await killAndGoOn(cases)
  console.log(`${pointCount} points, killed at ${cases.length - missed}, not reached again ${missed}`)
  assert.ok(pointCount >= FLOOR.all, `only ${pointCount} points`)
  assert.ok(cases.length - missed >= FLOOR.killed, `killed at ${cases.length - missed} points only`)
})

test('killed twice, it still does', { timeout: 100_000 }, async () => {
  const random = seeded(20_260_302)
  const cases = Array.from({ length: 40 }, () => {
    const at = Math.floor(random() * segments.length)
    const { world, points } = segments[at] ?? { world: undefined, points: [] }
    const pick = () => points[Math.floor(random() * points.length)]?.name ?? ''
    assert.ok(world !== undefined)
    return { world, kills: [pick(), pick()] }
  })
  await killAndGoOn(cases)
})

interface Case {
  readonly world: worlds.World
  readonly kills: readonly string[]
}

/** @returns how often a kill's point was not reached: two builds that overlap need not come to the same number of writes */
async function killAndGoOn(cases: readonly Case[]): Promise<number> {
  let missed = 0
  await each(cases, LANES, async ({ world: base, kills }) => {
    const world = worlds.copyOf(base)
    try {
      for (const at of kills) {
        const killed = await runs.run(world, { fault: { at, how: 'kill' } })
        if (killed.signal !== 'SIGKILL') {
          assert.equal(killed.code, 0, killed.output)
          missed += 1
        }
        assertReadersSeeNothingWrong(world)
      }
      const { code, output } = await runs.warm(world)
      assert.equal(code, 0, output)
      assert.deepEqual(worlds.published(world), reference)
      worlds.assertStepsRanOnce(world, steps)
      worlds.assertRowsAreWhole(world)
      await worlds.assertNothingRuns(world)
    } catch (error) {
      throw new Error(`killed at ${kills.join(', then at ')} (left in ${world.root})`, { cause: error })
    }
    worlds.removeWorld(world)
  })
  return missed
}

/** With one publication, whatever is there has to be what it will be in the end; but for the tags, which come one by one. */
function assertReadersSeeNothingWrong(world: worlds.World): void {
  assert.deepEqual(look(world).problems, [])
  for (const [path, sha256] of Object.entries(worlds.published(world))) {
    if (path === 'images/index.json' || path.endsWith('.partial')) continue
    assert.equal(sha256, reference[path], path)
  }
}

/** mulberry32 */
function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
}

// `kill -9`, really, wherever a release touches the outside; then the same command again, and all has to be as if nothing had been.
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { Point } from './faults.ts'
import { backwards, look } from './readers.ts'
import { each, RELEASE, Runs } from './runs.ts'
import * as worlds from './worlds.ts'

/** Worlds at a time; steps and starts leave the processors idle now and then. */
const LANES = 3
/** Fewer points than this: the faults are not where they should be. */
const FLOOR = { all: 500, killed: 150, second: 15 }
/** A minute or so on two free processors; ten times that on busy ones. */
const TIMEOUT = 600_000
/** `all` also kills where nothing was written since the point before. */
const EVERY = process.env['PITLANE_CRASH_POINTS'] === 'all'

/** Wherever a run dies, the same command ends in this. */
interface Goal {
  readonly args: readonly string[]
  readonly published: Readonly<Record<string, string>>
  readonly steps: readonly string[]
  /** It is the only release, so that nothing but its own bytes may ever be there. */
  readonly only: boolean
}

/** A start world, and the points that are reached from it until the next one takes over. */
interface Segment {
  readonly world: worlds.World
  readonly goal: Goal
  readonly points: readonly Point[]
}

let runs: Runs
const first: Segment[] = []
const second: Segment[] = []
let pointCount = 0

before(async () => {
  runs = await Runs.open()
  // A run that is to die late begins late: in a world that was left by a run that died between two parts, when no step ran.
  const fresh = worlds.freshWorld()
  const starts = [/^executor\.destroy build-1\/checks\/1 #1 after$/, /^bucket\.put .* #1 before$/]
  pointCount = await makeSegments(first, fresh, RELEASE, starts)

  const released = worlds.copyOf(fresh)
  assert.equal((await runs.warm(released)).code, 0)
  writeFileSync(join(released.project, 'source.txt'), 'the second source of toy\n')
  worlds.git(released, 'commit', '--quiet', '--all', '--message', 'Second')
  worlds.git(released, 'tag', '--annotate', 'v1.1.0', '--message', 'The second release')
  await makeSegments(second, released, ['release', 'v1.1.0', '--jobs', '2'], [/^registry\.putTag .* #1 before$/])
})

after(() => {
  for (const { world } of [...first, ...second]) worlds.removeWorld(world)
  runs.close()
})

/** @returns how many points there are from beginning to end */
async function makeSegments(
  segments: Segment[],
  fresh: worlds.World,
  args: readonly string[],
  starts: readonly RegExp[],
): Promise<number> {
  const whole = await record(fresh, args)
  const goal = { args, published: whole.published, steps: whole.steps, only: segments === first }
  let world = fresh
  let { points } = whole
  for (const start of starts) {
    const end = points.findIndex((point) => start.test(point.name))
    assert.notEqual(end, -1, `no point ${start}`)
    segments.push({ world, goal, points: points.slice(0, end + 1) })
    world = worlds.copyOf(world)
    const { signal, output } = await runs.run(world, { args, fault: { at: points[end]?.name ?? '', how: 'kill' } })
    assert.equal(signal, 'SIGKILL', output)
    points = (await record(world, args)).points
  }
  segments.push({ world, goal, points })
  return whole.points.length
}

/** An undisturbed run in a copy of the world. */
async function record(world: worlds.World, args: readonly string[]) {
  const copy = worlds.copyOf(world)
  const { code, output, points } = await runs.warm(copy, { args })
  assert.equal(code, 0, output)
  const found = { points, published: worlds.published(copy), steps: worlds.stepLines(copy) }
  worlds.removeWorld(copy)
  return found
}

test('killed at any point, the same command goes on and leaves the same bytes', { timeout: TIMEOUT }, async () => {
  const cases = first.flatMap((segment) =>
    segment.points.filter((point) => EVERY || point.distinct).map(({ name }) => ({ ...segment, kills: [name] })),
  )
  const missed = await killAndGoOn(cases)
  console.log(`${pointCount} points, killed at ${cases.length - missed}, not reached again ${missed}`)
  assert.ok(pointCount >= FLOOR.all, `only ${pointCount} points`)
  assert.ok(cases.length - missed >= FLOOR.killed, `killed at ${cases.length - missed} points only`)
})

test('killed while the lists of a second release come out, readers see the old ones or the new ones', {
  timeout: TIMEOUT,
}, async () => {
  const visible = second.at(-1)
  assert.ok(visible !== undefined)
  const cases = visible.points
    .filter(({ name, distinct }) => distinct && /^(bucket\.put|registry\.putTag)/.test(name))
    .map(({ name }) => ({ ...visible, kills: [name] }))
  await killAndGoOn(cases)
  assert.ok(cases.length >= FLOOR.second, `killed at ${cases.length} points only`)
})

test('killed twice, it still does', { timeout: TIMEOUT }, async () => {
  const random = seeded(20_260_302)
  const pick = <T>(from: readonly T[]): T => {
    const picked = from[Math.floor(random() * from.length)]
    assert.ok(picked !== undefined)
    return picked
  }
  const everywhere = first.flatMap((segment) => segment.points.map(({ name: at }) => ({ segment, at })))
  const cases = Array.from({ length: 40 }, () => {
    const { segment, at } = pick(everywhere)
    return { ...segment, kills: [at, pick(segment.points).name] }
  })
  await killAndGoOn(cases)
})

interface Case extends Segment {
  readonly kills: readonly string[]
}

/** @returns how often a kill's point was not reached: two builds that overlap need not come to the same number of writes */
async function killAndGoOn(cases: readonly Case[]): Promise<number> {
  let missed = 0
  await each(cases, LANES, async ({ world: base, goal, kills }) => {
    const world = worlds.copyOf(base)
    const { args } = goal
    try {
      const earlier = look(world)
      for (const at of kills) {
        const killed = await runs.run(world, { args, fault: { at, how: 'kill' } })
        if (killed.signal !== 'SIGKILL') {
          assert.equal(killed.code, 0, killed.output)
          missed += 1
        }
        const view = look(world)
        assert.deepEqual([...view.problems, ...backwards(earlier, view)], [])
        if (goal.only) assertOnlyItsOwn(world, goal)
      }
      const { code, output } = await runs.warm(world, { args })
      assert.equal(code, 0, output)
      assert.deepEqual(worlds.published(world), goal.published)
      worlds.assertStepsRanOnce(world, goal.steps)
      if (goal.only) worlds.assertRowsAreWhole(world)
      worlds.assertNothingIsLeft(world)
      await worlds.assertNothingRuns(world)
    } catch (error) {
      throw new Error(`killed at ${kills.join(', then at ')} (left in ${world.root})`, { cause: error })
    }
    worlds.removeWorld(world)
  })
  return missed
}

/** With one publication, whatever is there has to be what it will be in the end; but for the tags, which come one by one. */
function assertOnlyItsOwn(world: worlds.World, goal: Goal): void {
  for (const [path, sha256] of Object.entries(worlds.published(world))) {
    if (path === 'images/index.json' || path.endsWith('.partial')) continue
    assert.equal(sha256, goal.published[path], path)
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

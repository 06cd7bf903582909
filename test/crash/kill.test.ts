// `kill -9`, really, wherever a release touches the outside; then the same command again, and all has to be as if nothing had been.
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { EVERY, type Goal, killAndGoOn } from './killing.ts'
import { RELEASE, Runs } from './runs.ts'
import * as worlds from './worlds.ts'

/** Fewer points than this: the faults are not where they should be. */
const FLOOR = { first: 500, second: 30 }
/** Nothing has happened since the point before it, and nothing happens until the one after it. */
const BEFORE_A_LOOK =
  /^(?:bucket\.(?:head|read|open)|registry\.(?:hasBlob|openBlob|readManifest|resolveTag)) .* before$/
/** Less than two minutes on two free processors; some times that on busy ones. */
const TIMEOUT = 600_000

/** A start world, and the points that are reached from it until the next one takes over. */
interface Segment {
  readonly world: worlds.World
  readonly goal: Goal
  readonly points: readonly string[]
}

let runs: Runs
const first: Segment[] = []
const second: Segment[] = []
let pointCount = 0

before(async () => {
  runs = await Runs.open()
  // A run that is to die late begins late: in a world that was left by a run that died between two parts, when no step ran.
  const fresh = worlds.freshWorld()
  const starts = [
    /^executor\.destroy build-1\/checks\/1 #1 after$/,
    /^bucket\.put .* #1 before$/,
    /^bucket\.put .*release\.json #1 before$/,
    /^registry\.putTag .* #1 before$/,
  ]
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
  const goal = {
    args,
    published: whole.published,
    steps: whole.steps,
    only: segments === first,
    disks: new Set<string>(),
  }
  let world = fresh
  let { points } = whole
  for (const start of starts) {
    const end = points.findIndex((point) => start.test(point))
    assert.notEqual(end, -1, `no point ${start}`)
    segments.push({ world, goal, points: points.slice(0, end + 1) })
    world = worlds.copyOf(world)
    const { signal, output } = await runs.run(world, { args, fault: { at: points[end] ?? '', how: 'kill' } })
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
    segment.points.filter((name) => EVERY || !BEFORE_A_LOOK.test(name)).map((name) => ({ ...segment, kills: [name] })),
  )
  const missed = await killAndGoOn(runs, cases)
  const disks = first[0]?.goal.disks.size ?? 0
  console.log(
    `${pointCount} points, killed ${cases.length - missed} times, left ${disks} disks, not reached again ${missed}`,
  )
  assert.ok(pointCount >= FLOOR.first, `only ${pointCount} points`)
  assert.ok(missed <= cases.length / 100, `${missed} points were not reached again`)
})

test('killed while the lists of a second release come out, readers see the old ones or the new ones', {
  timeout: TIMEOUT,
}, async () => {
  const visible = second.at(-1)
  assert.ok(visible !== undefined)
  const cases = visible.points
    .filter((name) => /^(bucket\.put|registry\.putTag)/.test(name))
    .map((name) => ({ ...visible, kills: [name] }))
  await killAndGoOn(runs, cases)
  assert.ok(cases.length >= FLOOR.second, `killed at ${cases.length} points only`)
})

test('killed twice, it still does', { timeout: TIMEOUT }, async () => {
  const random = seeded(20_260_302)
  const below = (limit: number) => Math.floor(random() * limit)
  const pairs = Array.from({ length: 24 }, () => {
    const segment = first[below(first.length)]
    assert.ok(segment !== undefined)
    const at = below(segment.points.length)
    const later = segment.points.slice(at + 1)
    return { ...segment, kills: [segment.points[at], later[below(later.length)]].filter((name) => name !== undefined) }
  })
  const half = pairs.length / 2
  const missed = (await killAndGoOn(runs, pairs.slice(0, half), false)) + (await killAndGoOn(runs, pairs.slice(half)))
  console.log(`${pairs.length} pairs, not reached again ${missed}`)
  // After a lost step, the next attempt writes other rows.
  assert.ok(missed <= pairs.length / 5, `${missed} points were not reached again`)
})

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

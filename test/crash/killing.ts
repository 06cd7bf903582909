// Kills runs at their points, a few worlds at a time, then lets the same command go on and compares what it ends in.
import assert from 'node:assert/strict'
import { diskOf } from './disk.ts'
import { backwards, look, type View } from './readers.ts'
import type { Answer, Runs } from './runs.ts'
import * as worlds from './worlds.ts'

/** Worlds at a time; steps and starts leave the processors idle now and then. */
const LANES = 3
/** Runs that stand still in one process before it is killed: a start costs as much as a release. */
const TOGETHER = 16
/** Goes on after each kill, also where the very same bytes were gone on from already. */
export const EVERY = process.env['PITLANE_CRASH_POINTS'] === 'all'

/** Wherever a run dies, the same command ends in this. */
export interface Goal {
  readonly args: readonly string[]
  readonly published: Readonly<Record<string, string>>
  readonly steps: readonly string[]
  /** It is the only release, so that nothing but its own bytes may ever be there. */
  readonly only: boolean
  /** What a run has gone on from. */
  readonly disks: Set<string>
}

export interface Case {
  /** Where the first run begins. */
  readonly world: worlds.World
  readonly goal: Goal
  /** Points, one for each run that is killed. */
  readonly kills: readonly string[]
}

interface Doing {
  readonly case: Case
  readonly world: worlds.World
  readonly earlier: View
  readonly left: readonly string[]
}

/**
 * `together`: runs may stand still until their process is killed with several of them; else each dies in the middle of what it does beside.
 *
 * @returns how often a kill's point was not reached: where two builds overlap, one of them may be further than it was
 */
export async function killAndGoOn(runs: Runs, cases: readonly Case[], together = true): Promise<number> {
  let missed = 0
  const waiting = [...cases]
  const again: Doing[] = []
  const next = (): Doing | undefined => {
    const begun = again.shift()
    if (begun !== undefined) return begun
    const from = waiting.shift()
    if (from === undefined) return undefined
    const world = worlds.copyOf(from.world)
    return { case: from, world, earlier: look(world), left: from.kills }
  }
  const lane = async () => {
    for (let doing = next(); doing !== undefined; doing = next()) {
      const killed: Doing[] = []
      const doomed = runs.doomed(doing.world)
      try {
        for (let alive = true; alive && doing !== undefined; ) {
          const left: readonly string[] = doing.left
          const at = left[0] ?? ''
          const answer: Answer = await doomed.bring(doing.world, doing.case.goal.args, at, together)
          if (!answer.struck) {
            assert.equal(answer.code, 0, `${at}: ${answer.output}`)
            missed += 1
            console.log(`not reached: ${doing.case.kills.join(', then ')}`)
          }
          killed.push({ ...doing, left: left.slice(1) })
          alive = answer.signal === null
          doing = alive && killed.length < TOGETHER ? next() : undefined
        }
      } finally {
        await doomed.kill()
      }
      for (const one of killed) {
        try {
          assertReadable(one)
          if (one.left.length > 0) again.push(one)
          else {
            if (EVERY || !isKnown(one)) await assertGoesOn(runs, one)
            worlds.removeWorld(one.world)
          }
        } catch (error) {
          const { kills } = one.case
          throw new Error(`killed at ${kills.join(', then at ')} (left in ${one.world.root})`, { cause: error })
        }
      }
    }
  }
  const stop = (error: unknown) => {
    waiting.length = 0
    again.length = 0
    throw error
  }
  // After a failure the others come to an end of their own first.
  const results = await Promise.allSettled(Array.from({ length: LANES }, () => lane().catch(stop)))
  for (const result of results) if (result.status === 'rejected') throw result.reason
  return missed
}

/** Whether another run has gone on from the very same bytes, with no process beside it. */
function isKnown({ case: { goal }, world }: Doing): boolean {
  if (!worlds.isQuiet(world)) return false
  const disk = diskOf(world)
  if (goal.disks.has(disk)) return true
  goal.disks.add(disk)
  return false
}

/** What a reader finds right after the kill. */
function assertReadable({ case: { goal }, world, earlier }: Doing): void {
  const view = look(world)
  assert.deepEqual([...view.problems, ...backwards(earlier, view)], [])
  if (goal.only) assertOnlyItsOwn(world, goal)
}

async function assertGoesOn(runs: Runs, { case: { goal }, world }: Doing): Promise<void> {
  const { code, output } = await runs.warm(world, { args: goal.args })
  assert.equal(code, 0, output)
  assert.deepEqual(worlds.published(world), goal.published)
  worlds.assertStepsRanOnce(world, goal.steps)
  if (goal.only) worlds.assertRowsAreWhole(world)
  worlds.assertNothingIsLeft(world)
  await worlds.assertNothingRuns(world)
}

/** With one publication, whatever is there has to be what it will be in the end; but for the tags, which come one by one. */
function assertOnlyItsOwn(world: worlds.World, goal: Goal): void {
  for (const [path, sha256] of Object.entries(worlds.published(world))) {
    if (path === 'images/index.json' || path.endsWith('.partial')) continue
    assert.equal(sha256, goal.published[path], path)
  }
}

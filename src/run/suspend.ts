/**
 * Builds that an earlier command was cut off in and that this one does not go on with. Nobody looks after their steps any more, and they would run
 * beside the new ones, above `--jobs`: what runs is ended as Ctrl-C ends it. The rows stay open, so that the build's own command goes on with what
 * is finished; until so many builds have come after it that its logs go, too.
 */
import { existsSync } from 'node:fs'
import { loadState, type BuildRow } from '../database/queries/builds.ts'
import { buildNumbers, openBuilds } from '../database/queries/find-builds.ts'
import { readPlan } from '../database/queries/plans.ts'
import type { Plan } from '../plan/plan.ts'
import { readStoredPlan } from '../plan/stored.ts'
import { runBuild } from './engine.ts'
import { giveUp } from './give-up.ts'
import type { EngineParts, StopSignals } from './parts.ts'
import { NEWEST_BUILDS, stagePlaces } from './places.ts'
import { type BuildState, isFresh, lostInThisAttempt, stepActive } from './state.ts'

/** What the command will go on with, should it be open. */
export interface GoingOn {
  /** Digest of the checks; null when none will be run. */
  readonly checks: string | null
  /** Id of the plan that is released. */
  readonly release: string | null
}

/** Only for the one process that holds the state, before it runs anything. */
export async function suspendOthers(parts: EngineParts, { checks, release }: GoingOn): Promise<void> {
  const { db } = parts.writer
  const others = (await openBuilds(db)).filter((build) =>
    build.kind === 'checks' ? build.checks_digest !== checks : build.plan_id !== release,
  )
  if (others.length === 0) return
  const numbers = [...(await buildNumbers(db, parts.repository))]
  for (const build of others) {
    const plan = readStoredPlan(await readPlan(db, build.plan_id))
    const newer = numbers.filter((number) => number > build.number).length
    if (newer < NEWEST_BUILDS) await suspend(parts, build, plan)
    else {
      const note = `it was cut off, and ${newer} builds have begun since`
      await giveUp(parts, build, plan, { error: 'INTERRUPTED', note })
      parts.report({ event: 'note', message: `build ${build.number} of ${build.version} is given up: ${note}` })
    }
  }
}

async function suspend(parts: EngineParts, build: BuildRow, plan: Plan): Promise<void> {
  const { state } = await loadState(parts.writer.db, build, plan)
  if (isAtWork(state)) {
    const what = build.kind === 'checks' ? 'checks' : 'release build'
    const message = `build ${build.number}, ${what} of ${build.version}, was cut off: what it still runs is ended; its own command goes on with it`
    parts.report({ event: 'note', message })
    const outcome = await runBuild(parts, build, plan, STOPPED)
    const about = { number: build.number, kind: build.kind, version: build.version, commit: build.commit_id }
    if (outcome !== 'stopped') return parts.report({ event: 'build', ...about, state: outcome })
  }
  await removeCheckouts(parts, build, plan)
}

const stopped = AbortSignal.abort()
const STOPPED: StopSignals = { drain: stopped, interrupt: stopped }

/** Whether anything of it may run, or has ended and not been looked at. */
function isAtWork(state: BuildState): boolean {
  return state.stages.some(
    (stage) =>
      stage.state === 'collecting' ||
      (stage.state === 'running' && stage.steps.some((step) => stepActive(step) || step.state === 'armed')),
  )
}

/** The next attempt of these stages fills a new one. */
async function removeCheckouts(parts: EngineParts, build: BuildRow, plan: Plan): Promise<void> {
  const { state } = await loadState(parts.writer.db, build, plan)
  for (const stage of state.stages) {
    const again = stage.state === 'running' && stage.steps.some((step) => lostInThisAttempt(stage, step))
    if (!isFresh(stage) || !(again || stage.state === 'preparing' || stage.state === 'waiting')) continue
    const { workspace } = stagePlaces(parts.folder, build, stage.plan.id)
    if (existsSync(workspace)) await parts.executor.remove(workspace)
  }
}

/**
 * Builds that don't go on. One of them is a build of which something was removed between two commands: a checkout that finished steps have worked
 * in, or an output of a stage that is green. Its green stages are not run again in place: it is given up, and a new build begins.
 */
import { existsSync } from 'node:fs'
import { loadState, saveState, finishBuild, staleAttempts, type BuildRow } from '../database/queries/builds.ts'
import type { ErrorCode } from '../errors.ts'
import type { Plan } from '../plan/plan.ts'
import type { EngineParts } from './parts.ts'
import { stagePlaces } from './places.ts'
import { type BuildState, type StageRun, stageEnded, stepEnded } from './state.ts'

/** What is gone, in words; null when the build can go on. */
export async function lostWork(parts: EngineParts, build: BuildRow, plan: Plan): Promise<string | null> {
  const { db } = parts.writer
  const { state } = await loadState(db, build, plan)
  // After a restart of the machine they begin again in a new checkout anyway.
  const stale = new Set((await staleAttempts(db, build, parts.bootId)).map((attempt) => attempt.stage_id))
  for (const stage of state.stages) {
    if (stale.has(stage.plan.id) || !needsWorkspace(stage)) continue
    if (!existsSync(stagePlaces(parts.folder, build, stage.plan.id).workspace))
      return `the checkout of ${stage.plan.id} was removed`
  }
  const green = state.stages.filter((stage) => stage.state === 'succeeded')
  return parts.work.lostOutputs(
    build,
    green.map((stage) => stage.plan),
  )
}

/** Where no step has finished, the next attempt fills a new one. */
function needsWorkspace(stage: StageRun): boolean {
  if (stage.state === 'collecting') return true
  return (
    (stage.state === 'preparing' || stage.state === 'running') && stage.steps.some((step) => step.state === 'succeeded')
  )
}

/** Ends what still runs of the build, then writes down that it failed, and why. After a crash in between, the same reason is found again. */
export async function giveUp(
  parts: EngineParts,
  build: BuildRow,
  plan: Plan,
  why: { readonly error: ErrorCode; readonly note: string },
): Promise<void> {
  const { state: before } = await loadState(parts.writer.db, build, plan)
  for (const stage of before.stages) {
    if (stage.attempt === 0 || stageEnded(stage)) continue
    const places = stagePlaces(parts.folder, build, stage.plan.id)
    await parts.executor.destroy(places.attempt(stage.attempt))
    await parts.executor.remove(places.workspace)
  }
  const after: BuildState = { ...before, stages: before.stages.map((stage) => abandoned(stage, why)) }
  const now = parts.clock.now()
  await parts.writer.write(async (trx) => {
    await saveState(trx, build, before, after, { now, bootId: parts.bootId })
    await finishBuild(trx, build, 'failed', now)
  })
}

function abandoned(stage: StageRun, { error, note }: { readonly error: ErrorCode; readonly note: string }): StageRun {
  if (stageEnded(stage)) return stage
  const steps = stage.steps.map((step) => (stepEnded(step) ? step : { ...step, state: 'skipped' as const }))
  return { ...stage, state: 'failed', note: `given up: ${note}`, error, steps }
}

/** Rows of plans, builds, stages, steps and attempts ↔ `BuildState`. */
import type { Transaction, UpdateResult } from 'kysely'
import { PitlaneError } from '../../errors.ts'
import type { Plan, PlannedStage } from '../../plan/plan.ts'
import { type BuildState, type StageRun, stageEnded, type StepRun, stepEnded } from '../../run/state.ts'
import { prepared } from '../prepared.ts'
import type { BuildsTable, Database } from '../schema.ts'
import type { Reader } from '../writer.ts'
import { readErrorCode, readStageState, readStepState } from './stored-words.ts'

export type BuildRow = Readonly<BuildsTable>

/** Which of the plan's stages a build of this kind carries out. */
export function stagesOf(plan: Plan, kind: BuildsTable['kind']): readonly PlannedStage[] {
  const checks = new Set(plan.stages.filter((stage) => stage.kind === 'checks').map((stage) => stage.id))
  if (kind === 'checks') return plan.stages.filter((stage) => checks.has(stage.id))
  // The promoted build has run the checks.
  return plan.stages
    .filter((stage) => !checks.has(stage.id))
    .map((stage) => ({ ...stage, needs: stage.needs.filter((id) => !checks.has(id)) }))
}

/** The stored state of a build. `startedAt` holds, by step id, when each step was last started (milliseconds since 1970). */
export async function loadState(
  db: Reader,
  build: BuildRow,
  plan: Plan,
): Promise<{ state: BuildState; startedAt: Map<string, number> }> {
  const stageRows = await db
    .selectFrom('stages')
    .selectAll()
    .where('build_id', '=', build.id)
    .orderBy('position')
    .execute()
  const stepRows = await db
    .selectFrom('steps')
    .selectAll()
    .where('build_id', '=', build.id)
    .orderBy('position')
    .execute()
  const planned = stagesOf(plan, build.kind)
  if (
    stageRows.length !== planned.length ||
    stepRows.length !== planned.reduce((sum, stage) => sum + stage.steps.length, 0)
  ) {
    throw new PitlaneError(
      'PLAN_CONTRADICTION',
      `build ${build.number} has other stages than its plan ${plan.id} declares`,
    )
  }
  const lostRows = await db
    .selectFrom('attempts')
    .select(['stage_id', 'number'])
    .where('build_id', '=', build.id)
    .where('lost', '=', 1)
    .orderBy('number')
    .execute()
  const startedAt = new Map<string, number>()
  const steps = new Map(stepRows.map((row) => [row.id, row]))
  const stages = stageRows.map((row): StageRun => {
    const stage = planned.find((candidate) => candidate.id === row.id)
    if (stage === undefined) throw new PitlaneError('PLAN_CONTRADICTION', `stage ${row.id} is not in plan ${plan.id}`)
    return {
      plan: stage,
      state: readStageState(row.state),
      attempt: row.attempt,
      reason: row.attempt === 0 ? 'first' : 'taken up again',
      lost: lostRows.filter((lost) => lost.stage_id === row.id).map((lost) => lost.number),
      note: row.note,
      error: readErrorCode(row.error),
      steps: stage.steps.map((step): StepRun => {
        const stored = steps.get(step.id)
        if (stored === undefined)
          throw new PitlaneError('PLAN_CONTRADICTION', `step ${step.id} is not in build ${build.number}`)
        if (stored.started_at !== null) startedAt.set(step.id, stored.started_at)
        return { plan: step, state: readStepState(stored.state), attempt: stored.attempt, exitCode: stored.exit_code }
      }),
    }
  })
  return { state: { stages, draining: false, inherited: new Set() }, startedAt }
}

/**
 * Writes what changed between two states. Each row is changed only from the state and attempt it is known to have, so that a
 * writer that has lost its place changes nothing and learns it (`FENCED`).
 */
export async function saveState(
  trx: Transaction<Database>,
  build: BuildRow,
  before: BuildState,
  after: BuildState,
  at: { readonly now: number; readonly bootId: string },
): Promise<void> {
  const { now } = at
  for (const [index, stage] of after.stages.entries()) {
    const old = before.stages[index]
    if (old === undefined || old === stage) continue
    if (
      old.state !== stage.state ||
      old.attempt !== stage.attempt ||
      old.note !== stage.note ||
      old.error !== stage.error
    ) {
      const result = await trx
        .updateTable('stages')
        .set({
          state: stage.state,
          attempt: stage.attempt,
          note: stage.note,
          error: stage.error,
          ...(old.attempt === 0 && stage.attempt === 1 ? { started_at: now } : {}),
          ...(stageEnded(stage) ? { finished_at: now } : {}),
        })
        .where('build_id', '=', build.id)
        .where('id', '=', stage.plan.id)
        .where('state', '=', old.state)
        .where('attempt', '=', old.attempt)
        .executeTakeFirst()
      mustChange(result.numUpdatedRows, stage.plan.id)
    }
    const lost = stage.lost.filter((number) => !old.lost.includes(number))
    if (lost.length > 0) {
      await trx
        .updateTable('attempts')
        .set({ lost: 1 })
        .where('build_id', '=', build.id)
        .where('stage_id', '=', stage.plan.id)
        .where('number', 'in', lost)
        .execute()
    }
    if (old.attempt !== stage.attempt) {
      // Begun again from nothing, it makes its outputs anew: what an earlier attempt had collected nobody has used, as it never ended well.
      const outputs = stage.plan.outputs.map((output) => output.id)
      if (outputs.length > 0 && !stage.steps.some((step) => step.state === 'succeeded'))
        await trx.deleteFrom('artifacts').where('build_id', '=', build.id).where('output_id', 'in', outputs).execute()
      await trx
        .insertInto('attempts')
        .values({
          build_id: build.id,
          stage_id: stage.plan.id,
          number: stage.attempt,
          reason: stage.reason,
          boot_id: at.bootId,
          started_at: now,
        })
        .execute()
    }
    for (const [position, step] of stage.steps.entries()) {
      const previous = old.steps[position]
      if (previous === undefined || (previous.state === step.state && previous.attempt === step.attempt)) continue
      await saveStep(trx, build, previous, step, now)
    }
  }
}

interface StepChange {
  readonly build: string
  readonly step: string
  readonly fromState: string
  readonly fromAttempt: number
  readonly state: string
  readonly attempt: number
  readonly exitCode: number | null
  readonly now: number
}

/** Only from the state and attempt that the row is known to have. `times`: which of them the new state sets. */
const changeStep = (times: 'started' | 'ended' | 'none') =>
  prepared<StepChange, UpdateResult>((db, value) =>
    db
      .updateTable('steps')
      .set({
        state: value('state'),
        attempt: value('attempt'),
        exit_code: value('exitCode'),
        ...(times === 'started' ? { started_at: value('now'), finished_at: null } : {}),
        ...(times === 'ended' ? { finished_at: value('now') } : {}),
      })
      .where('build_id', '=', value('build'))
      .where('id', '=', value('step'))
      .where('state', '=', value('fromState'))
      .where('attempt', '=', value('fromAttempt')),
  )
const startStep = changeStep('started')
const endStep = changeStep('ended')
const moveStep = changeStep('none')

async function saveStep(
  trx: Transaction<Database>,
  build: BuildRow,
  from: StepRun,
  step: StepRun,
  now: number,
): Promise<void> {
  const change = step.state === 'running' ? startStep : stepEnded(step) ? endStep : moveStep
  const { numAffectedRows } = await change(trx, {
    build: build.id,
    step: step.plan.id,
    fromState: from.state,
    fromAttempt: from.attempt,
    state: step.state,
    attempt: step.attempt,
    exitCode: step.exitCode,
    now,
  })
  mustChange(numAffectedRows ?? 0n, step.plan.id)
}

/** Newest attempts that began before the machine was last started. */
export async function staleAttempts(
  db: Reader,
  build: BuildRow,
  bootId: string,
): Promise<readonly { readonly stage_id: string; readonly number: number }[]> {
  return db
    .selectFrom('attempts')
    .innerJoin('stages', (join) =>
      join
        .onRef('stages.build_id', '=', 'attempts.build_id')
        .onRef('stages.id', '=', 'attempts.stage_id')
        .onRef('stages.attempt', '=', 'attempts.number'),
    )
    .select(['attempts.stage_id', 'attempts.number'])
    .where('attempts.build_id', '=', build.id)
    .where('attempts.boot_id', '!=', bootId)
    .execute()
}

export async function finishBuild(
  trx: Transaction<Database>,
  build: BuildRow,
  state: 'succeeded' | 'failed',
  now: number,
): Promise<void> {
  const result = await trx
    .updateTable('builds')
    .set({ state, finished_at: now })
    .where('id', '=', build.id)
    .where('state', '=', 'running')
    .executeTakeFirst()
  mustChange(result.numUpdatedRows, build.id)
}

function mustChange(rows: bigint, id: string): void {
  if (rows !== 1n) {
    throw new PitlaneError(
      'FENCED',
      `${id} was changed by another process; this one stops without changing anything more`,
    )
  }
}

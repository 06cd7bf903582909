/** Rows of plans, builds, stages, steps and attempts ↔ `BuildState`. */
import type { Transaction } from 'kysely'
import { type ErrorCode, PitlaneError } from '../../errors.ts'
import type { Event } from '../../event/event.ts'
import type { Plan, PlannedStage } from '../../plan/plan.ts'
import { type BuildState, initialState, type StageRun, stageEnded, type StepRun, stepEnded } from '../../run/state.ts'
import type { BuildsTable, Database } from '../schema.ts'
import type { Reader } from '../writer.ts'
import { readErrorCode, readStageState, readStepState } from './stored-words.ts'

export type BuildRow = Readonly<BuildsTable>

export interface NewBuild {
  readonly kind: BuildsTable['kind']
  readonly plan: Plan
  readonly checksDigest: string
  readonly event: Event
  /** The highest number that a folder of a build has: rows may be lost and folders kept. */
  readonly numbersUsed: number
}

/** Which of the plan's stages a build of this kind carries out. */
export function stagesOf(plan: Plan, kind: BuildsTable['kind']): readonly PlannedStage[] {
  const checks = new Set(plan.stages.filter((stage) => stage.kind === 'checks').map((stage) => stage.id))
  if (kind === 'checks') return plan.stages.filter((stage) => checks.has(stage.id))
  // The promoted build has run the checks.
  return plan.stages
    .filter((stage) => !checks.has(stage.id))
    .map((stage) => ({ ...stage, needs: stage.needs.filter((id) => !checks.has(id)) }))
}

/** The build of this kind and plan that has not ended, or a new one with the next number. */
export async function openBuild(trx: Transaction<Database>, wanted: NewBuild): Promise<BuildRow> {
  const open = await trx
    .selectFrom('builds')
    .selectAll()
    .where('plan_id', '=', wanted.plan.id)
    .where('kind', '=', wanted.kind)
    .where('state', '=', 'running')
    .executeTakeFirst()
  if (open !== undefined) return open

  await trx
    .insertInto('plans')
    .values({ id: wanted.plan.id, document: JSON.stringify(wanted.plan), created_at: wanted.event.at })
    .onConflict((c) => c.column('id').doNothing())
    .execute()
  const { last } = await trx
    .selectFrom('builds')
    .select((e) => e.fn.max('number').as('last'))
    .executeTakeFirstOrThrow()
  const number = Math.max(last ?? 0, wanted.numbersUsed) + 1
  const row: BuildRow = {
    id: `build-${number}`,
    number,
    kind: wanted.kind,
    plan_id: wanted.plan.id,
    checks_digest: wanted.checksDigest,
    commit_id: wanted.plan.source.commit,
    version: wanted.plan.version,
    event: wanted.event.kind,
    revision: wanted.event.revision,
    actor: wanted.event.actor,
    state: 'running',
    created_at: wanted.event.at,
    finished_at: null,
  }
  await trx.insertInto('builds').values(row).execute()
  for (const [position, stage] of initialState(stagesOf(wanted.plan, wanted.kind)).stages.entries()) {
    await trx
      .insertInto('stages')
      .values({
        build_id: row.id,
        id: stage.plan.id,
        position,
        state: stage.state,
        attempt: stage.attempt,
        note: stage.note,
        error: stage.error,
        started_at: null,
        finished_at: null,
      })
      .execute()
    const steps = stage.steps.map((step, index) => ({
      build_id: row.id,
      stage_id: stage.plan.id,
      id: step.plan.id,
      position: index,
      state: step.state,
      attempt: 0,
      exit_code: null,
      started_at: null,
      finished_at: null,
    }))
    // SQLite allows some 32 000 parameters in a statement.
    for (let at = 0; at < steps.length; at += 500) {
      await trx
        .insertInto('steps')
        .values(steps.slice(at, at + 500))
        .execute()
    }
  }
  return row
}

export async function readBuild(db: Reader, id: string): Promise<BuildRow> {
  return db.selectFrom('builds').selectAll().where('id', '=', id).executeTakeFirstOrThrow()
}

export async function findGreenChecks(db: Reader, checksDigest: string): Promise<BuildRow | undefined> {
  return db
    .selectFrom('builds')
    .selectAll()
    .where('kind', '=', 'checks')
    .where('checks_digest', '=', checksDigest)
    .where('state', '=', 'succeeded')
    .orderBy('number', 'desc')
    .executeTakeFirst()
}

/** The newest release build of a plan that has not failed. Whatever came before it was given up for it. */
export async function findCandidate(db: Reader, planId: string): Promise<BuildRow | undefined> {
  return db
    .selectFrom('builds')
    .selectAll()
    .where('kind', '=', 'release')
    .where('plan_id', '=', planId)
    .where('state', 'in', ['running', 'succeeded'])
    .orderBy('number', 'desc')
    .executeTakeFirst()
}

export async function buildNumbers(db: Reader): Promise<ReadonlySet<number>> {
  const rows = await db.selectFrom('builds').select('number').execute()
  return new Set(rows.map((row) => row.number))
}

/** Whether a stage of it was ever begun. */
export async function wasTried(db: Reader, build: BuildRow): Promise<boolean> {
  const attempt = await db
    .selectFrom('attempts')
    .select('number')
    .where('build_id', '=', build.id)
    .limit(1)
    .executeTakeFirst()
  return attempt !== undefined
}

/** In the plan's order. */
export async function failedStages(
  db: Reader,
  build: BuildRow,
): Promise<readonly { readonly id: string; readonly error: ErrorCode | null; readonly note: string | null }[]> {
  const rows = await db
    .selectFrom('stages')
    .select(['id', 'error', 'note'])
    .where('build_id', '=', build.id)
    .where('state', '=', 'failed')
    .orderBy('position')
    .execute()
  return rows.map((row) => ({ ...row, error: readErrorCode(row.error) }))
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
  const startedAt = new Map<string, number>()
  const steps = new Map(stepRows.map((row) => [row.id, row]))
  const stages = stageRows.map((row): StageRun => {
    const stage = planned.find((candidate) => candidate.id === row.id)
    if (stage === undefined) throw new PitlaneError('PLAN_CONTRADICTION', `stage ${row.id} is not in plan ${plan.id}`)
    return {
      plan: stage,
      state: readStageState(row.state),
      attempt: row.attempt,
      reason: 'taken up again',
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
  return { state: { stages, draining: false }, startedAt }
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
    if (old.attempt !== stage.attempt) {
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
      const result = await trx
        .updateTable('steps')
        .set({
          state: step.state,
          attempt: step.attempt,
          exit_code: step.exitCode,
          ...(step.state === 'running' ? { started_at: now, finished_at: null } : {}),
          ...(stepEnded(step) ? { finished_at: now } : {}),
        })
        .where('build_id', '=', build.id)
        .where('id', '=', step.plan.id)
        .where('state', '=', previous.state)
        .where('attempt', '=', previous.attempt)
        .executeTakeFirst()
      mustChange(result.numUpdatedRows, step.plan.id)
    }
  }
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

/** Stages of the newest builds that have ended after they were tried. */
export async function endedStages(
  db: Reader,
  newest: number,
): Promise<
  readonly {
    readonly build: { readonly id: string; readonly number: number }
    readonly stage: string
    readonly attempt: number
  }[]
> {
  const builds = await db
    .selectFrom('builds')
    .select(['id', 'number'])
    .orderBy('number', 'desc')
    .limit(newest)
    .execute()
  if (builds.length === 0) return []
  const ids = builds.map((build) => build.id)
  const stages = await db
    .selectFrom('stages')
    .select(['build_id', 'id', 'state', 'attempt'])
    .where('build_id', 'in', ids)
    .where('attempt', '>', 0)
    .execute()
  return builds.flatMap((build) =>
    stages
      .filter((row) => row.build_id === build.id && stageEnded({ state: readStageState(row.state) }))
      .map((row) => ({ build, stage: row.id, attempt: row.attempt })),
  )
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

/** Rows of plans, builds, stages, steps and attempts ↔ `BuildState`. */
import type { Kysely, Transaction, UpdateResult } from 'kysely'
import { type ErrorCode, PitlaneError } from '../../errors.ts'
import type { Event } from '../../event/event.ts'
import type { Plan, PlannedStage } from '../../plan/plan.ts'
import {
  type BuildState,
  initialState,
  type StageRun,
  stageEnded,
  type StageState,
  type StepRun,
  stepEnded,
  type StepState,
} from '../../run/state.ts'
import { prepared } from '../prepared.ts'
import type { BuildsTable, Database } from '../schema.ts'

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

export async function readBuild(db: Kysely<Database>, id: string): Promise<BuildRow> {
  return db.selectFrom('builds').selectAll().where('id', '=', id).executeTakeFirstOrThrow()
}

export async function findGreenChecks(db: Kysely<Database>, checksDigest: string): Promise<BuildRow | undefined> {
  return db
    .selectFrom('builds')
    .selectAll()
    .where('kind', '=', 'checks')
    .where('checks_digest', '=', checksDigest)
    .where('state', '=', 'succeeded')
    .orderBy('number', 'desc')
    .executeTakeFirst()
}

/** The newest green release build of a plan. */
export async function findReleaseBuild(db: Kysely<Database>, planId: string): Promise<BuildRow | undefined> {
  return db
    .selectFrom('builds')
    .selectAll()
    .where('kind', '=', 'release')
    .where('plan_id', '=', planId)
    .where('state', '=', 'succeeded')
    .orderBy('number', 'desc')
    .executeTakeFirst()
}

/** The stored state of a build. `startedAt` holds, by step id, when each step was last started (milliseconds since 1970). */
export async function loadState(
  db: Kysely<Database>,
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
      state: row.state as StageState,
      attempt: row.attempt,
      reason: 'taken up again',
      note: row.note,
      error: row.error as ErrorCode | null,
      steps: stage.steps.map((step): StepRun => {
        const stored = steps.get(step.id)
        if (stored === undefined)
          throw new PitlaneError('PLAN_CONTRADICTION', `step ${step.id} is not in build ${build.number}`)
        if (stored.started_at !== null) startedAt.set(step.id, stored.started_at)
        return { plan: step, state: stored.state as StepState, attempt: stored.attempt, exitCode: stored.exit_code }
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
  db: Kysely<Database>,
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
  db: Kysely<Database>,
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
      .filter((row) => row.build_id === build.id && stageEnded({ state: row.state as StageState }))
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

/** Builds and their stages, looked for. */
import type { Transaction } from 'kysely'
import type { ErrorCode } from '../../errors.ts'
import { stageEnded } from '../../run/state.ts'
import type { Database } from '../schema.ts'
import type { Reader } from '../writer.ts'
import type { BuildRow } from './builds.ts'
import { readErrorCode, readStageState } from './stored-words.ts'

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

/** A green build whose bytes are not wanted any more: the next release of its plan makes a new one. */
export async function giveUpBuild(trx: Transaction<Database>, id: string): Promise<void> {
  await trx.updateTable('builds').set({ state: 'failed' }).where('id', '=', id).execute()
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

/** Builds that have not ended, oldest first. */
export async function openBuilds(db: Reader): Promise<readonly BuildRow[]> {
  return db.selectFrom('builds').selectAll().where('state', '=', 'running').orderBy('number').execute()
}

export async function buildNumbers(db: Reader, repository: string): Promise<ReadonlySet<number>> {
  const rows = await db.selectFrom('builds').select('number').where('repository_id', '=', repository).execute()
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

/** The first step of a stage that has failed itself: its place, and the attempt it was last started in. */
export async function failedStep(
  db: Reader,
  build: BuildRow,
  stage: string,
): Promise<{ readonly position: number; readonly attempt: number } | undefined> {
  return db
    .selectFrom('steps')
    .select(['position', 'attempt'])
    .where('build_id', '=', build.id)
    .where('stage_id', '=', stage)
    .where('state', 'in', ['failed', 'timed-out'])
    .orderBy('position')
    .executeTakeFirst()
}

/** Stages of the newest builds that have ended after they were tried. */
export async function endedStages(
  db: Reader,
  repository: string,
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
    .where('repository_id', '=', repository)
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

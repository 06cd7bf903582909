/** A new build with its rows, or the one for the same thing that has not ended. */
import type { Transaction } from 'kysely'
import type { Event } from '../../event/event.ts'
import type { Plan } from '../../plan/plan.ts'
import { initialState } from '../../run/state.ts'
import type { BuildsTable, Database } from '../schema.ts'
import { type BuildRow, stagesOf } from './builds.ts'

/** The one repository of a state without a server. */
export const LOCAL = 'local'

/** Names a build among those of all repositories. */
export function buildId(repository: string, number: number): string {
  return repository === LOCAL ? `build-${number}` : `build-${repository}-${number}`
}

export interface NewBuild {
  readonly repository: string
  readonly kind: BuildsTable['kind']
  readonly plan: Plan
  readonly checksDigest: string
  readonly event: Event
  /** The highest number that a folder of a build has: rows may be lost and folders kept. */
  readonly numbersUsed: number
}

/**
 * The build that has not ended, or a new one with the next number: checks are found by what they check, whatever the commit was called when they
 * began, release builds by their plan.
 */
export async function openBuild(trx: Transaction<Database>, wanted: NewBuild): Promise<BuildRow> {
  const running = trx
    .selectFrom('builds')
    .selectAll()
    .where('repository_id', '=', wanted.repository)
    .where('kind', '=', wanted.kind)
    .where('state', '=', 'running')
  const open = await (wanted.kind === 'checks'
    ? running.where('checks_digest', '=', wanted.checksDigest)
    : running.where('plan_id', '=', wanted.plan.id)
  )
    .orderBy('number', 'desc')
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
    .where('repository_id', '=', wanted.repository)
    .executeTakeFirstOrThrow()
  const number = Math.max(last ?? 0, wanted.numbersUsed) + 1
  const row: BuildRow = {
    id: buildId(wanted.repository, number),
    repository_id: wanted.repository,
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

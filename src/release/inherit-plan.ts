/**
 * What was planned once stays planned: a build or publication that was begun goes on with its stored plan, even when this version of
 * Pitlane would plan the same commit differently.
 */
import type { Kysely } from 'kysely'
import type { Database } from '../database/schema.ts'
import type { Plan } from '../plan/plan.ts'
import { readStoredPlan } from '../plan/stored.ts'

/** The stored plan of the same version, commit and configuration, when a release of it was begun; else the given one. */
export async function inheritPlan(db: Kysely<Database>, planned: Plan): Promise<Plan> {
  const stored = await db
    .selectFrom('plans')
    .innerJoin('builds', 'builds.plan_id', 'plans.id')
    .select('plans.document')
    .where('builds.version', '=', planned.version)
    .where('builds.commit_id', '=', planned.source.commit)
    .where('builds.state', 'in', ['running', 'succeeded'])
    .orderBy('builds.number', 'desc')
    .executeTakeFirst()
  if (stored === undefined) return planned
  const plan = readStoredPlan(stored.document)
  return plan.configuration.sha256 === planned.configuration.sha256 ? plan : planned
}

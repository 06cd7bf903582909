/**
 * What was planned once stays planned: a release build or publication that was begun goes on with its stored plan, even when this version of
 * Pitlane would plan the same commit differently.
 */
import { findBegunPlan } from '../database/queries/plans.ts'
import type { Reader } from '../database/writer.ts'
import type { Plan } from '../plan/plan.ts'
import { readStoredPlan } from '../plan/stored.ts'

/** The stored plan of the same version, commit and configuration, when a release build of it was begun; else the given one. */
export async function inheritPlan(db: Reader, planned: Plan): Promise<Plan> {
  const stored = await findBegunPlan(db, planned.version, planned.source.commit)
  if (stored === undefined) return planned
  const plan = readStoredPlan(stored)
  return plan.configuration.sha256 === planned.configuration.sha256 ? plan : planned
}

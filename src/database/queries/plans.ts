/** Rows of plans. */
import type { Reader } from '../writer.ts'

/** The plan as JSON of the newest build of that version and commit that has not failed. */
export async function findBegunPlan(db: Reader, version: string, commit: string): Promise<string | undefined> {
  const stored = await db
    .selectFrom('plans')
    .innerJoin('builds', 'builds.plan_id', 'plans.id')
    .select('plans.document')
    .where('builds.version', '=', version)
    .where('builds.commit_id', '=', commit)
    .where('builds.state', 'in', ['running', 'succeeded'])
    .orderBy('builds.number', 'desc')
    .executeTakeFirst()
  return stored?.document
}

/** Rows of plans. */
import type { Reader } from '../writer.ts'

/** The plan as JSON of the newest release build of that version and commit that has not failed. Checks bind nothing: they are found by what they check. */
export async function findBegunPlan(db: Reader, version: string, commit: string): Promise<string | undefined> {
  const stored = await db
    .selectFrom('plans')
    .innerJoin('builds', 'builds.plan_id', 'plans.id')
    .select('plans.document')
    .where('builds.version', '=', version)
    .where('builds.commit_id', '=', commit)
    .where('builds.kind', '=', 'release')
    .where('builds.state', 'in', ['running', 'succeeded'])
    .orderBy('builds.number', 'desc')
    .executeTakeFirst()
  return stored?.document
}

/** As JSON. */
export async function readPlan(db: Reader, id: string): Promise<string> {
  const { document } = await db.selectFrom('plans').select('document').where('id', '=', id).executeTakeFirstOrThrow()
  return document
}

import type { Transaction } from 'kysely'
import type { Promotion } from '../../event/promotion.ts'
import type { Database } from '../schema.ts'
import type { Reader } from '../writer.ts'
import type { BuildRow } from './builds.ts'

/** Records who released which green build, with the build that carries it out; once for each of those. */
export async function insertPromotion(
  trx: Transaction<Database>,
  releaseBuild: BuildRow,
  promotion: Promotion,
): Promise<void> {
  await trx
    .insertInto('promotions')
    .values({
      id: `promotion-${releaseBuild.number}`,
      build_id: promotion.buildId,
      release_build_id: releaseBuild.id,
      version: promotion.version,
      actor: promotion.actor,
      reason: promotion.reason,
      created_at: promotion.at,
    })
    .onConflict((c) => c.column('id').doNothing())
    .execute()
}

/** Who released it and why; `number` is that of the build whose checks were green. */
export async function readPromotion(
  db: Reader,
  releaseBuildId: string,
): Promise<{ readonly actor: string; readonly reason: string | null; readonly number: number }> {
  return db
    .selectFrom('promotions')
    .innerJoin('builds', 'builds.id', 'promotions.build_id')
    .select(['promotions.actor', 'promotions.reason', 'builds.number'])
    .where('release_build_id', '=', releaseBuildId)
    .executeTakeFirstOrThrow()
}

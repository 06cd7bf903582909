import type { Kysely, Transaction } from 'kysely'
import type { Database } from '../schema.ts'
import type { BuildRow } from './builds.ts'

export interface Promotion {
  readonly build: BuildRow
  readonly releaseBuild: BuildRow
  readonly version: string
  readonly actor: string
  readonly reason: string | null
  readonly now: number
}

/** Records who released which green build; once for each release build. */
export async function insertPromotion(trx: Transaction<Database>, promotion: Promotion): Promise<void> {
  await trx
    .insertInto('promotions')
    .values({
      id: `promotion-${promotion.releaseBuild.number}`,
      build_id: promotion.build.id,
      release_build_id: promotion.releaseBuild.id,
      version: promotion.version,
      actor: promotion.actor,
      reason: promotion.reason,
      created_at: promotion.now,
    })
    .onConflict((c) => c.column('id').doNothing())
    .execute()
}

/** Who released it and why; `number` is that of the build whose checks were green. */
export async function readPromotion(
  db: Kysely<Database>,
  releaseBuildId: string,
): Promise<{ readonly actor: string; readonly reason: string | null; readonly number: number }> {
  return db
    .selectFrom('promotions')
    .innerJoin('builds', 'builds.id', 'promotions.build_id')
    .select(['promotions.actor', 'promotions.reason', 'builds.number'])
    .where('release_build_id', '=', releaseBuildId)
    .executeTakeFirstOrThrow()
}

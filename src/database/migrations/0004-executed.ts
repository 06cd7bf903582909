import type { Kysely } from 'kysely'

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema.alterTable('release_tests').addColumn('executed', 'integer').execute()
}

/** Brings a database to this version's schema: numbered, forward only, each in a transaction of its own. */
import { type Kysely, sql } from 'kysely'
import { PitlaneError } from '../errors.ts'
import * as first from './migrations/0001-first.ts'
import * as stateChanges from './migrations/0002-state-changes.ts'
import * as lostAttempts from './migrations/0003-lost-attempts.ts'
import * as executed from './migrations/0004-executed.ts'
import * as documentation from './migrations/0005-documentation.ts'
import * as server from './migrations/0006-server.ts'
import type { Database } from './schema.ts'

const MIGRATIONS = [first, stateChanges, lostAttempts, executed, documentation, server]

export async function migrate(db: Kysely<Database>): Promise<void> {
  await db.schema
    .createTable('meta')
    .ifNotExists()
    .addColumn('key', 'text', (c) => c.primaryKey())
    .addColumn('value', 'text', (c) => c.notNull())
    .execute()
  const row = await db.selectFrom('meta').select('value').where('key', '=', 'schema').executeTakeFirst()
  const from = Number(row?.value ?? 0)
  if (from > MIGRATIONS.length) {
    throw new PitlaneError('STATE_NEWER', `the state has schema ${from}, this Pitlane knows ${MIGRATIONS.length}`, {
      hint: 'Use the Pitlane version that wrote it, or a newer one. Nothing was changed.',
    })
  }
  for (const [index, migration] of MIGRATIONS.entries()) {
    const number = index + 1
    if (number <= from) continue
    await db.transaction().execute(async (trx) => {
      // Two processes may open a new database at once: the second finds the work done.
      const now = await trx.selectFrom('meta').select('value').where('key', '=', 'schema').executeTakeFirst()
      if (Number(now?.value ?? 0) >= number) return
      await migration.up(trx as unknown as Kysely<unknown>)
      await sql`insert into meta (key, value) values ('schema', ${String(number)})
        on conflict (key) do update set value = excluded.value`.execute(trx)
    })
  }
}

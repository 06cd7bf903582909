/** Rows of changes of state: which release was withdrawn or restored from here, or is about to be. */
import type { Transaction } from 'kysely'
import type { Database, StateChangesTable } from '../schema.ts'
import type { Reader } from '../writer.ts'

export type StateChangeRow = Readonly<StateChangesTable>

/** In the place of a version, for operations and lists of a change. No version can have this name. */
export function stateJournal({ bucket, version, revision }: Omit<StateChangeRow, 'document' | 'state'>): string {
  return `(state ${revision} of ${version} in ${bucket})`
}

/** Every change in this bucket that is out, by version and revision. */
export async function publishedChanges(db: Reader, bucket: string): Promise<readonly StateChangeRow[]> {
  return db
    .selectFrom('state_changes')
    .selectAll()
    .where('bucket', '=', bucket)
    .where('state', '=', 'published')
    .orderBy('version')
    .orderBy('revision')
    .execute()
}

/** The change in this bucket that was written down and has not ended; there is at most one. */
export async function findBegunChange(db: Reader, bucket: string): Promise<StateChangeRow | undefined> {
  return db
    .selectFrom('state_changes')
    .selectAll()
    .where('bucket', '=', bucket)
    .where('state', '=', 'prepared')
    .executeTakeFirst()
}

/** Takes the place of one that was written down and did not go out. */
export async function insertStateChange(trx: Transaction<Database>, row: StateChangeRow): Promise<void> {
  const { bucket, version, revision } = row
  await trx
    .deleteFrom('state_changes')
    .where('bucket', '=', bucket)
    .where('version', '=', version)
    .where('revision', '=', revision)
    .execute()
  await trx.deleteFrom('state_changes').where('bucket', '=', row.bucket).where('state', '=', 'prepared').execute()
  await trx.insertInto('state_changes').values(row).execute()
}

export async function finishStateChange(trx: Transaction<Database>, row: StateChangeRow): Promise<void> {
  await trx
    .updateTable('state_changes')
    .set({ state: 'published' })
    .where('bucket', '=', row.bucket)
    .where('version', '=', row.version)
    .where('revision', '=', row.revision)
    .execute()
}

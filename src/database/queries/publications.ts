/** Rows of publications and of their operations. */
import type { Transaction } from 'kysely'
import type { Database, OperationsTable, PublicationsTable } from '../schema.ts'
import type { Reader } from '../writer.ts'

export type PublicationRow = Readonly<PublicationsTable>

export interface OperationRow {
  readonly position: number
  readonly entry: string
  readonly kind: OperationsTable['kind']
  readonly destination: string
  readonly sha256: string
  readonly size: number
  readonly state: OperationsTable['state']
}

export async function findPublication(db: Reader, version: string): Promise<PublicationRow | undefined> {
  return db.selectFrom('publications').selectAll().where('version', '=', version).executeTakeFirst()
}

/** Writes the publication with its first operations; does nothing when it is there. */
export async function insertPublication(
  trx: Transaction<Database>,
  publication: PublicationRow,
  operations: readonly Omit<OperationRow, 'state'>[],
): Promise<void> {
  if (
    (await trx
      .selectFrom('publications')
      .select('version')
      .where('version', '=', publication.version)
      .executeTakeFirst()) !== undefined
  )
    return
  await trx.insertInto('publications').values(publication).execute()
  await insertOperations(trx, publication.version, operations)
}

async function insertOperations(
  trx: Transaction<Database>,
  version: string,
  operations: readonly Omit<OperationRow, 'state'>[],
): Promise<void> {
  for (const operation of operations) {
    await trx
      .insertInto('operations')
      .values({ version, ...operation, state: 'pending' })
      .execute()
  }
}

export async function readOperations(db: Reader, version: string, entry: string): Promise<readonly OperationRow[]> {
  return db
    .selectFrom('operations')
    .select(['position', 'entry', 'kind', 'destination', 'sha256', 'size', 'state'])
    .where('version', '=', version)
    .where('entry', '=', entry)
    .orderBy('position')
    .execute()
}

/** For entries that depend on what else is in the bucket: their operations are written when their turn comes. */
export async function replaceOperations(
  trx: Transaction<Database>,
  version: string,
  entry: string,
  operations: readonly Omit<OperationRow, 'state'>[],
): Promise<void> {
  await trx.deleteFrom('operations').where('version', '=', version).where('entry', '=', entry).execute()
  await insertOperations(trx, version, operations)
}

/** Says that the operations are about to be tried. */
export async function startOperations(
  trx: Transaction<Database>,
  version: string,
  positions: readonly number[],
): Promise<void> {
  await trx
    .updateTable('operations')
    .set((e) => ({ state: 'started' as const, attempts: e('attempts', '+', 1) }))
    .where('version', '=', version)
    .where('position', 'in', positions)
    .where('state', '!=', 'done')
    .execute()
}

export async function finishOperations(
  trx: Transaction<Database>,
  version: string,
  positions: readonly number[],
): Promise<void> {
  await trx
    .updateTable('operations')
    .set({ state: 'done' })
    .where('version', '=', version)
    .where('position', 'in', positions)
    .execute()
}

/** An operation that was confirmed and whose effect is gone has to be carried out again. */
export async function reopenOperation(trx: Transaction<Database>, version: string, destination: string): Promise<void> {
  await trx
    .updateTable('operations')
    .set({ state: 'pending' })
    .where('version', '=', version)
    .where('destination', '=', destination)
    .execute()
}

/** Of work whose operations all find out by themselves whether they happened: once it is complete, nobody asks for them. */
export async function forgetOperations(trx: Transaction<Database>, version: string): Promise<void> {
  await trx.deleteFrom('operations').where('version', '=', version).execute()
}

/** The same of all such work whose names begin so, as far as nothing of it is open: what died before it could forget its own. */
export async function forgetDone(trx: Transaction<Database>, prefix: string): Promise<void> {
  await trx
    .deleteFrom('operations')
    .where('version', '>=', prefix)
    .where('version', '<', `${prefix}\uffff`)
    .where('version', 'not in', (e) => e.selectFrom('operations').select('version').where('state', '!=', 'done'))
    .execute()
}

export async function finishPublication(trx: Transaction<Database>, version: string): Promise<void> {
  await trx.updateTable('publications').set({ state: 'published' }).where('version', '=', version).execute()
}

/** Whether an operation of one of these entries was ever tried, also when it was opened again since. */
export async function wasBegun(db: Reader, version: string, entries: readonly string[]): Promise<boolean> {
  const tried = await db
    .selectFrom('operations')
    .select('position')
    .where('version', '=', version)
    .where('entry', 'in', entries)
    .where('attempts', '>', 0)
    .limit(1)
    .executeTakeFirst()
  return tried !== undefined
}

/** Destinations of an entry's operations whose effect is confirmed. */
export async function doneOperations(db: Reader, version: string, entry: string): Promise<readonly string[]> {
  const done = await db
    .selectFrom('operations')
    .select('destination')
    .where('version', '=', version)
    .where('entry', '=', entry)
    .where('state', '=', 'done')
    .execute()
  return done.map(({ destination }) => destination)
}

/** Only for one of which nobody can have seen anything. */
export async function forgetPublication(trx: Transaction<Database>, version: string): Promise<void> {
  await trx.deleteFrom('operations').where('version', '=', version).execute()
  await trx.deleteFrom('publications').where('version', '=', version).execute()
}

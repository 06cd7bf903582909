/** What a server knows of repositories. */
import type { Transaction } from 'kysely'
import type { Database, RepositoriesTable } from '../schema.ts'
import type { Reader } from '../writer.ts'

export type RepositoryRow = Readonly<RepositoriesTable>

export function listRepositories(db: Reader): Promise<readonly RepositoryRow[]> {
  return db.selectFrom('repositories').selectAll().orderBy('name').execute()
}

export function findRepositoryRow(db: Reader, name: string): Promise<RepositoryRow | undefined> {
  return db.selectFrom('repositories').selectAll().where('name', '=', name).executeTakeFirst()
}

/** Keeps the row that is there, with its id. */
export async function setActive(
  trx: Transaction<Database>,
  repository: { readonly id: string; readonly name: string; readonly active: boolean; readonly at: number },
): Promise<RepositoryRow> {
  const { id, name, at } = repository
  const active = repository.active ? 1 : 0
  return trx
    .insertInto('repositories')
    .values({ id, name, active, created_at: at })
    .onConflict((c) => c.column('name').doUpdateSet({ active }))
    .returningAll()
    .executeTakeFirstOrThrow()
}

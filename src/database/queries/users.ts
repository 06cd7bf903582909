/** Who may use a server, by the digests of their tokens. */
import type { Transaction } from 'kysely'
import type { Database, UsersTable } from '../schema.ts'
import type { Reader } from '../writer.ts'

export type UserRow = Readonly<UsersTable>

export function userByToken(db: Reader, tokenSha256: string): Promise<UserRow | undefined> {
  return db.selectFrom('users').selectAll().where('token_sha256', '=', tokenSha256).executeTakeFirst()
}

export async function hasUsers(db: Reader): Promise<boolean> {
  return (await db.selectFrom('users').select('login').limit(1).executeTakeFirst()) !== undefined
}

export async function addUser(trx: Transaction<Database>, user: UserRow): Promise<void> {
  await trx.insertInto('users').values(user).execute()
}

export function userByLogin(db: Reader, login: string): Promise<UserRow | undefined> {
  return db.selectFrom('users').selectAll().where('login', '=', login).executeTakeFirst()
}

/**
 * The one way to change rows: transactions, one after the other, each fenced. Taking over raises the epoch; from then on every
 * write of an earlier holder fails with `FENCED` and changes nothing.
 */
import type { Kysely, Transaction } from 'kysely'
import { PitlaneError, systemCode } from '../errors.ts'
import { prepared } from './prepared.ts'
import type { Database } from './schema.ts'

/** Rows can be read through it, and not changed. */
export type Reader = Pick<Kysely<Database>, 'selectFrom'>

export interface Writer {
  readonly db: Reader
  /**
   * Runs the work in one transaction. When it resolves, the rows are on disk and those of all earlier ones; when it rejects, nothing changed.
   * Rows that are not `forced` outlive this process, and may be lost when the machine stops: from some transaction on, and all of what
   * came after it.
   */
  write<T>(work: (trx: Transaction<Database>) => Promise<T>, options?: { readonly forced: boolean }): Promise<T>
}

/** Between the writer and its database: whether the next transaction is forced to disk. */
export interface Forcing {
  forced: boolean
}

/**
 * @param forcing what the database was opened with; without it every transaction is forced
 * @throws PitlaneError `STORAGE_FAILED` when that can't be written down
 */
export async function takeOver(db: Kysely<Database>, forcing: Forcing = { forced: true }): Promise<Writer> {
  const epoch = await transaction(db, async (trx) => {
    const row = await trx.selectFrom('meta').select('value').where('key', '=', 'epoch').executeTakeFirst()
    const next = String(Number(row?.value ?? 0) + 1)
    await trx
      .insertInto('meta')
      .values({ key: 'epoch', value: next })
      .onConflict((c) => c.column('key').doUpdateSet({ value: next }))
      .execute()
    return next
  })

  // SQLite has one connection: transactions that overlap would become one.
  let last: Promise<unknown> = Promise.resolve()
  return {
    db,
    write(work, { forced } = { forced: true }) {
      const run = last.then(() => {
        forcing.forced = forced
        return fenced(db, epoch, work)
      })
      last = run.catch(() => undefined)
      return run
    },
  }
}

const readEpoch = prepared((db) => db.selectFrom('meta').select('value').where('key', '=', 'epoch'))

type Work<T> = (trx: Transaction<Database>) => Promise<T>

function fenced<T>(db: Kysely<Database>, epoch: string, work: Work<T>): Promise<T> {
  return transaction(db, async (trx) => {
    const { rows } = await readEpoch(trx, {})
    if (rows[0]?.value !== epoch) {
      throw new PitlaneError(
        'FENCED',
        'another process has taken over this state; this one stops without changing anything',
      )
    }
    return work(trx)
  })
}

async function transaction<T>(db: Kysely<Database>, work: Work<T>): Promise<T> {
  try {
    return await db.transaction().execute(work)
  } catch (error) {
    if (error instanceof PitlaneError) throw error
    if (systemCode(error) !== 'ERR_SQLITE_ERROR') throw error
    throw new PitlaneError('STORAGE_FAILED', `the state could not be written: ${(error as Error).message}`, {
      hint: 'Free disk space or make the folder writable, then run the same command again: it goes on where it was.',
      cause: error,
    })
  }
}

/**
 * SQLite through `node:sqlite`: write-ahead log, every commit forced to disk that does not ask otherwise. The one process that holds the state has the database for
 * itself (decision 6): then there is no file of shared memory, which whoever cuts it off would end the process with.
 */
import { statSync } from 'node:fs'
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite'
import { Kysely, type SqliteDatabase, SqliteDialect } from 'kysely'
import { PitlaneError, systemCode } from '../errors.ts'
import { migrate } from './migrate.ts'
import type { Database } from './schema.ts'
import { type DatabaseFiles, databaseFiles } from './sqlite-files.ts'
import type { Forcing } from './writer.ts'

/** Milliseconds to wait for another program that has the file open. */
const TIMEOUT = 5000

/**
 * Opens (and makes, and migrates) the database file. From then on a transaction fails with `STATE_LOST` when the file is no longer there.
 * @throws PitlaneError `STORAGE_FAILED` when it can't, `BUSY` when another program has it open, `STATE_NEWER` for a newer schema
 */
export async function openSqlite(file: string, forcing: Forcing = { forced: true }): Promise<Kysely<Database>> {
  let sqlite: DatabaseSync | null = null
  try {
    const left = statSync(`${file}-wal`, { throwIfNoEntry: false })
    sqlite = new DatabaseSync(file, { timeout: TIMEOUT, enableForeignKeyConstraints: false })
    // The mode before the journal: else shared memory is made first.
    sqlite.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL')
    // Nobody has closed it: what the last process did not live to notice shows now, before anything is decided on it.
    if (left !== undefined && left.size > 0) checkWhole(sqlite)
    const db = new Kysely<Database>({ dialect: new SqliteDialect({ database: connection(sqlite, file, forcing) }) })
    // A migration may replace a table that others refer to.
    await migrate(db)
    sqlite.exec('PRAGMA foreign_keys = ON')
    return db
  } catch (error) {
    sqlite?.close()
    throw cannotOpen(file, error)
  }
}

function checkWhole(sqlite: DatabaseSync): void {
  const found = sqlite.prepare('PRAGMA quick_check(1)').get()?.['quick_check']
  if (found !== 'ok') throw new Error(`malformed: ${String(found)}`)
}

function cannotOpen(file: string, error: unknown): PitlaneError {
  if (error instanceof PitlaneError) return error
  const { message } = error as Error
  if (/locked|busy/.test(message)) {
    return new PitlaneError('BUSY', `another program has the state database ${file} open`, {
      hint: 'Close it, then run the same command again.',
      cause: error,
    })
  }
  return new PitlaneError('STORAGE_FAILED', `cannot open the state database ${file}: ${message}`, {
    hint: DAMAGED.test(message) ? BEGIN_ANEW : 'Check that the folder is writable and the disk is not full.',
    cause: error,
  })
}

const DAMAGED = /not a database|malformed/
const BEGIN_ANEW =
  'The file is damaged. What is published is safe in the bucket: move the folder .pitlane away, and the next command begins a new one.'

/** On a full disk SQLite has rolled back by itself; a second time would be an error that hides the first. */
function rollback(sqlite: DatabaseSync, statement: StatementSync): ReturnType<SqliteDatabase['prepare']> {
  const run = () => (sqlite.isTransaction ? statement.run() : { changes: 0, lastInsertRowid: 0 })
  return { reader: false, all: () => [], run, iterate: () => [].values() }
}

/** What Kysely asks of a SQLite driver. Statements are prepared once; a write transaction takes its lock when it begins. */
function connection(sqlite: DatabaseSync, file: string, forcing: Forcing): SqliteDatabase {
  const prepared = new Map<string, StatementSync>()
  let isForced = true
  let files: DatabaseFiles | undefined
  // What fails because the file is gone is told as that.
  const attempt = <T>(work: () => T): T => {
    try {
      return work()
    } catch (error) {
      files?.check()
      throw readable(file, error)
    }
  }
  return {
    close: () => sqlite.close(),
    prepare(sql) {
      const text = sql === 'begin' ? 'begin immediate' : sql
      let statement = prepared.get(text)
      if (statement === undefined) {
        statement = attempt(() => sqlite.prepare(text))
        if (prepared.size < 500) prepared.set(text, statement)
      }
      const ready = statement
      if (text === 'rollback') return rollback(sqlite, ready)
      if (text === 'begin immediate' || text === 'commit') {
        const begin = () => {
          // Before it, so that nothing is decided on lost rows.
          files?.check()
          // In a write-ahead log NORMAL keeps the order of the transactions, and the next FULL one takes along those before it.
          if (forcing.forced !== isForced)
            attempt(() => sqlite.exec(`PRAGMA synchronous = ${isForced ? 'NORMAL' : 'FULL'}`))
          isForced = forcing.forced
          return attempt(() => ready.run())
        }
        const commit = () => {
          const result = attempt(() => ready.run())
          // A commit that nobody can find again is none; of one that is not forced, the next begin finds that out.
          if (isForced || files === undefined) (files ??= databaseFiles(file)).check()
          return result
        }
        const run = text === 'commit' ? commit : begin
        return { reader: false, all: () => [], run, iterate: () => [].values() }
      }
      return {
        reader: ready.columns().length > 0,
        all: (parameters) => attempt(() => ready.all(...(parameters as SQLInputValue[]))),
        run: (parameters) => attempt(() => ready.run(...(parameters as SQLInputValue[]))),
        iterate: (parameters) => ready.iterate(...(parameters as SQLInputValue[])),
      }
    },
  }
}

/** A file that was overwritten shows when it is read, at any statement. */
function readable(file: string, error: unknown): unknown {
  if (systemCode(error) !== 'ERR_SQLITE_ERROR' || !DAMAGED.test((error as Error).message)) return error
  return new PitlaneError('STORAGE_FAILED', `the state database ${file}: ${(error as Error).message}`, {
    hint: BEGIN_ANEW,
    cause: error,
  })
}

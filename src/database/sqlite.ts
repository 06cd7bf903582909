/** SQLite through `node:sqlite`: write-ahead log, every commit forced to disk. */
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite'
import { Kysely, type SqliteDatabase, SqliteDialect } from 'kysely'
import { PitlaneError } from '../errors.ts'
import { migrate } from './migrate.ts'
import type { Database } from './schema.ts'

/** Opens (and makes, and migrates) the database file. Throws `STORAGE_FAILED` when it can't, `STATE_NEWER` for a newer schema. */
export async function openSqlite(file: string): Promise<Kysely<Database>> {
  try {
    const sqlite = new DatabaseSync(file, { timeout: 5000 })
    sqlite.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON')
    const db = new Kysely<Database>({ dialect: new SqliteDialect({ database: connection(sqlite) }) })
    await migrate(db)
    return db
  } catch (error) {
    if (error instanceof PitlaneError) throw error
    const { message } = error as Error
    throw new PitlaneError('STORAGE_FAILED', `cannot open the state database ${file}: ${message}`, {
      hint: /not a database|malformed/.test(message)
        ? 'The file is damaged. What is published is safe in the bucket: move the folder .pitlane away, and the next command begins a new one.'
        : 'Check that the folder is writable and the disk is not full.',
      cause: error,
    })
  }
}

/** On a full disk SQLite has rolled back by itself; a second time would be an error that hides the first. */
function rollback(sqlite: DatabaseSync, statement: StatementSync): ReturnType<SqliteDatabase['prepare']> {
  const run = () => (sqlite.isTransaction ? statement.run() : { changes: 0, lastInsertRowid: 0 })
  return { reader: false, all: () => [], run, iterate: () => [].values() }
}

/** What Kysely asks of a SQLite driver. Statements are prepared once; a write transaction takes its lock when it begins. */
function connection(sqlite: DatabaseSync): SqliteDatabase {
  const prepared = new Map<string, StatementSync>()
  return {
    close: () => sqlite.close(),
    prepare(sql) {
      const text = sql === 'begin' ? 'begin immediate' : sql
      let statement = prepared.get(text)
      if (statement === undefined) {
        statement = sqlite.prepare(text)
        if (prepared.size < 500) prepared.set(text, statement)
      }
      const ready = statement
      if (text === 'rollback') return rollback(sqlite, ready)
      return {
        reader: ready.columns().length > 0,
        all: (parameters) => ready.all(...(parameters as SQLInputValue[])),
        run: (parameters) => ready.run(...(parameters as SQLInputValue[])),
        iterate: (parameters) => ready.iterate(...(parameters as SQLInputValue[])),
      }
    },
  }
}

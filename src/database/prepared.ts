/**
 * Queries that run once for every step: built and compiled the first time, in the dialect of the database that asks, and then only given
 * their values. Building and compiling takes longer than SQLite needs to answer.
 */
import type { Compilable, CompiledQuery, Kysely, QueryResult } from 'kysely'
import type { Database } from './schema.ts'

type Build<Values, Row> = (
  db: Kysely<Database>,
  /** Stands in the query for a value that comes later. Only where a value can stand: what a query is may not depend on it. */
  value: <Name extends keyof Values & string>(name: Name) => Values[Name],
) => Compilable<Row>

export type Prepared<Values, Row> = (db: Kysely<Database>, values: Values) => Promise<QueryResult<Row>>

/** In the place of a value that comes later. */
export class Later {
  readonly name: string

  constructor(name: string) {
    this.name = name
  }
}

export function prepared<Values extends object, Row>(build: Build<Values, Row>): Prepared<Values, Row> {
  // One connection and its transactions share an adapter.
  const compiled = new WeakMap<object, CompiledQuery<Row>>()
  return (db, values) => {
    const { adapter } = db.getExecutor()
    let query = compiled.get(adapter)
    if (query === undefined) {
      query = build(db, (name) => new Later(name) as never).compile()
      compiled.set(adapter, query)
    }
    const parameters = query.parameters.map((parameter) =>
      parameter instanceof Later ? values[parameter.name as keyof Values] : parameter,
    )
    return db.executeQuery<Row>({ ...query, parameters })
  }
}

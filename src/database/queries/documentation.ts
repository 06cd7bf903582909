/** Rows of the files that a documentation stage has left. */
import type { Transaction } from 'kysely'
import type { Database } from '../schema.ts'
import type { Reader } from '../writer.ts'

export interface DocumentationRow {
  readonly path: string
  readonly sha256: string
  readonly size: number
}

/** Rows in one statement: SQLite takes 32766 values in one. */
const AT_ONCE = 1000

/** What an earlier attempt has left nobody has used: it did not end well. */
export async function replaceDocumentation(
  trx: Transaction<Database>,
  buildId: string,
  files: readonly DocumentationRow[],
): Promise<void> {
  await trx.deleteFrom('documentation_files').where('build_id', '=', buildId).execute()
  for (let at = 0; at < files.length; at += AT_ONCE) {
    const rows = files
      .slice(at, at + AT_ONCE)
      .map(({ path, sha256, size }) => ({ build_id: buildId, path, sha256, size }))
    await trx.insertInto('documentation_files').values(rows).execute()
  }
}

/** In the order of their paths' bytes; empty where the build made none. */
export async function readDocumentation(db: Reader, buildId: string): Promise<readonly DocumentationRow[]> {
  const rows = await db
    .selectFrom('documentation_files')
    .select(['path', 'sha256', 'size'])
    .where('build_id', '=', buildId)
    .execute()
  return rows.toSorted((a, b) => Buffer.compare(Buffer.from(a.path), Buffer.from(b.path)))
}

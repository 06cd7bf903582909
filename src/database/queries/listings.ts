/** Rows of lists: which ones this state has put into the bucket, or is about to. */
import type { Transaction } from 'kysely'
import type { Database, ListingsTable } from '../schema.ts'
import type { Reader } from '../writer.ts'

/** In the place of a version: lists that were computed again without a release. No version can have this name. */
export const PAGES = '(pages)'

export type ListingRow = Readonly<ListingsTable>

/** What this state knows of its lists, all together. */
export interface OwnListings {
  /** The highest serial; 0 when there was none. */
  readonly serial: number
  /** The highest one that came out whole in this bucket. */
  readonly published: number
  /** The newest stable version that it named; null when there was none. */
  readonly stable: string | null
  /** Milliseconds since 1970; 0 when there was none. */
  readonly generatedAt: number
  /** Of every `index.json`. */
  readonly sha256s: ReadonlySet<string>
}

export async function ownListings(db: Reader, bucket: string): Promise<OwnListings> {
  const rows = await db.selectFrom('listings').selectAll().orderBy('serial').execute()
  const most = (numbers: readonly number[]) => numbers.reduce((a, b) => Math.max(a, b), 0)
  const newest = rows.findLast((row) => row.state === 'published' && row.bucket === bucket)
  return {
    serial: most(rows.map((row) => row.serial)),
    published: newest?.serial ?? 0,
    stable: newest?.stable ?? null,
    generatedAt: most(rows.map((row) => row.generated_at)),
    sha256s: new Set(rows.map((row) => row.sha256)),
  }
}

/** The newest lists that were written down for a version, or for `PAGES`. */
export async function findListing(db: Reader, version: string): Promise<ListingRow | undefined> {
  return db
    .selectFrom('listings')
    .selectAll()
    .where('version', '=', version)
    .orderBy('serial', 'desc')
    .limit(1)
    .executeTakeFirst()
}

export async function insertListing(trx: Transaction<Database>, listing: ListingRow): Promise<void> {
  await trx.insertInto('listings').values(listing).execute()
}

export async function finishListing(trx: Transaction<Database>, version: string): Promise<void> {
  const newest = await findListing(trx, version)
  if (newest === undefined || newest.state === 'published') return
  await trx.updateTable('listings').set({ state: 'published' }).where('serial', '=', newest.serial).execute()
}

/** What of the files that rows name is still needed. Rows themselves stay: they are the history. */
import type { Reader } from '../writer.ts'

export interface Kept {
  /** Builds whose folders stay whatever their age. */
  readonly builds: ReadonlySet<number>
  /** Builds that have rows; others come from a state that was lost. */
  readonly known: ReadonlySet<number>
  /** SHA-256 of the contents that builds hold which are needed, or are among the `newest` numbers, and are not published. */
  contents(newest: ReadonlySet<number>): Promise<ReadonlySet<string>>
}

/**
 * Needed are the builds that run, those of publications that are not at their end, and of each plan the newest release build that is green and
 * not published: the next `pitlane release` begins with it.
 */
export async function keptBuilds(db: Reader, repository: string): Promise<Kept> {
  const publications = await db.selectFrom('publications').select(['release_build_id', 'state']).execute()
  const published = new Set(
    publications.filter(({ state }) => state === 'published').map(({ release_build_id: id }) => id),
  )
  const begun = new Set(publications.map(({ release_build_id: id }) => id))
  const rows = await db
    .selectFrom('builds')
    .select(['id', 'number', 'kind', 'plan_id', 'state'])
    .where('repository_id', '=', repository)
    .orderBy('number', 'desc')
    .execute()
  const candidates = new Set<string>()
  const needed = rows.filter(({ id, kind, plan_id: plan, state }) => {
    if (published.has(id) || state === 'failed') return false
    if (state === 'running' || begun.has(id)) return true
    if (kind !== 'release' || candidates.has(plan)) return false
    candidates.add(plan)
    return true
  })
  const builds = new Set(needed.map(({ number }) => number))
  return {
    builds,
    known: new Set(rows.map(({ number }) => number)),
    async contents(newest) {
      const holders = rows.filter(({ id, number }) => !published.has(id) && (builds.has(number) || newest.has(number)))
      const ids = holders.map(({ id }) => id)
      if (ids.length === 0) return new Set()
      const artifacts = await db.selectFrom('artifacts').select('sha256').where('build_id', 'in', ids).execute()
      const layers = await db.selectFrom('layers').select('digest').where('build_id', 'in', ids).execute()
      const documentation = await db
        .selectFrom('documentation_files')
        .select('sha256')
        .where('build_id', 'in', ids)
        .execute()
      return new Set([
        ...documentation.map(({ sha256 }) => sha256),
        ...artifacts.map(({ sha256 }) => sha256),
        ...layers.map(({ digest }) => digest.slice('sha256:'.length)),
      ])
    },
  }
}

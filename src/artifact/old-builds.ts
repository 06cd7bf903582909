/**
 * Logs of old builds, and stored contents that are published or that no kept build holds, go at the end of a command. What stays is computed
 * from the rows each time, so that it is rows first: a publication is `published` before its contents go. A removal that was cut off is gone on
 * with by the next one.
 */
import { join } from 'node:path'
import { keptBuilds } from '../database/queries/kept.ts'
import type { EngineParts } from '../run/parts.ts'
import { buildFolders, NEWEST_BUILDS } from '../run/places.ts'
import type { ContentStore } from './content.ts'
import { reading } from '../files/storage-failed.ts'

type OldParts = Pick<EngineParts, 'repository' | 'writer' | 'executor' | 'folder'> & {
  readonly content: ContentStore
  /** How many builds keep their logs; the default is for a machine that people work at. */
  readonly newest?: number
}

/** Only for the one process that holds the state, when the repository has nothing running. Throws `STORAGE_FAILED`. */
export async function removeOldBuilds(parts: OldParts): Promise<void> {
  const kept = await keptBuilds(parts.writer.db, parts.repository)
  const folders = await reading(parts.folder, buildFolders(parts.folder))
  const newest = new Set(
    [...new Set([...kept.known, ...folders])].toSorted((a, b) => b - a).slice(0, parts.newest ?? NEWEST_BUILDS),
  )
  const contents = await kept.contents(newest)
  for (const sha256 of await parts.content.list()) if (!contents.has(sha256)) await parts.content.remove(sha256)
  for (const number of folders) {
    if (newest.has(number) || kept.builds.has(number)) continue
    await parts.executor.remove(join(parts.folder, String(number)))
  }
}

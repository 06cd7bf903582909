/** What a crash between the end of a stage and its tidying up leaves behind: nothing waits for it, and so nothing would remove it. */
import { existsSync, readdirSync } from 'node:fs'
import { join, relative } from 'node:path'
import { buildNumbers, endedStages } from '../database/queries/find-builds.ts'
import { buildId } from '../database/queries/open-build.ts'
import type { EngineParts } from './parts.ts'
import { attemptFolders, buildFolders, stagePlaces, WORKSPACE } from './places.ts'

/** How many builds back: every start has looked, and there are two builds in a release. */
const NEWEST = 4

type LeftoverParts = Pick<EngineParts, 'repository' | 'writer' | 'executor' | 'folder'>

/** Ends what is left of stages that have ended, and removes their workspaces. Only for the one process that holds the state. */
export async function removeLeftovers(parts: LeftoverParts): Promise<void> {
  for (const { build, stage, attempt } of await endedStages(parts.writer.db, parts.repository, NEWEST)) {
    const places = stagePlaces(parts.folder, build, stage)
    if (!existsSync(places.workspace)) continue
    await parts.executor.destroy(places.attempt(attempt))
    await parts.executor.remove(places.workspace)
  }
  await removeUnknown(parts)
}

/** The same for builds that no row tells of: their state was lost while they ran. */
async function removeUnknown({ repository, writer, executor, folder }: LeftoverParts): Promise<void> {
  const numbers = await buildFolders(folder)
  if (numbers.length === 0) return
  const known = await buildNumbers(writer.db, repository)
  for (const number of numbers) {
    if (known.has(number)) continue
    const build = { id: buildId(repository, number), number }
    for (const stage of stagesBelow(join(folder, String(number)))) {
      const places = stagePlaces(folder, build, stage)
      for (const attempt of attemptFolders(places.folder)) await executor.destroy(places.attempt(attempt))
      await executor.remove(places.workspace)
    }
  }
}

/** Ids of stages that still have a workspace: they are paths of one or two names. */
function stagesBelow(build: string): readonly string[] {
  const found: string[] = []
  const look = (at: string, depth: number) => {
    const entries = readdirSync(at, { withFileTypes: true })
    if (entries.some((entry) => entry.name === WORKSPACE)) found.push(relative(build, at))
    else if (depth < 2) for (const entry of entries) if (entry.isDirectory()) look(join(at, entry.name), depth + 1)
  }
  look(build, 0)
  return found
}

/** What a crash between the end of a stage and its tidying up leaves behind: nothing waits for it, and so nothing would remove it. */
import { existsSync } from 'node:fs'
import { endedStages } from '../database/queries/builds.ts'
import type { EngineParts } from './parts.ts'
import { stagePlaces } from './places.ts'

/** How many builds back: every start has looked, and there are two builds in a release. */
const NEWEST = 4

/** Ends what is left of stages that have ended, and removes their workspaces. Only for the one process that holds the state. */
export async function removeLeftovers(parts: Pick<EngineParts, 'writer' | 'executor' | 'folder'>): Promise<void> {
  for (const { build, stage, attempt } of await endedStages(parts.writer.db, NEWEST)) {
    const places = stagePlaces(parts.folder, build, stage)
    if (!existsSync(places.workspace)) continue
    await parts.executor.destroy(places.attempt(attempt))
    await parts.executor.remove(places.workspace)
  }
}

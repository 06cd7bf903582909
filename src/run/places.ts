/** Where the stages of builds lie below `.pitlane/builds`. Fixed before anything starts, so that it is found again after a crash. */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { AttemptRef } from '../executors/types.ts'

export const WORKSPACE = 'workspace'

interface BuildName {
  readonly id: string
  readonly number: number
}

export interface StagePlaces {
  /** Kept when the workspace is removed. */
  readonly folder: string
  /** Shared by the attempts of the stage. */
  readonly workspace: string
  attempt(number: number): AttemptRef
}

export function stagePlaces(builds: string, build: BuildName, stage: string): StagePlaces {
  const folder = join(builds, String(build.number), stage)
  return {
    folder,
    workspace: join(folder, WORKSPACE),
    attempt: (number) => ({
      attemptId: `${build.id}/${stage}/${number}`,
      folder: join(folder, `attempt-${number}`),
    }),
  }
}

/** Numbers of the attempts that a stage's folder has. */
export function attemptFolders(stage: string): readonly number[] {
  return readdirSync(stage)
    .flatMap((name) => /^attempt-(\d+)$/.exec(name)?.[1] ?? [])
    .map(Number)
}

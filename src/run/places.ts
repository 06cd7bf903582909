/** Where the stages of builds lie below `.pitlane/builds`. Fixed before anything starts, so that it is found again after a crash. */
import { join } from 'node:path'
import type { AttemptRef } from '../executors/types.ts'

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
    workspace: join(folder, 'workspace'),
    attempt: (number) => ({
      attemptId: `${build.id}/${stage}/${number}`,
      folder: join(folder, `attempt-${number}`),
    }),
  }
}

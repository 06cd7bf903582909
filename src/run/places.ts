/** Where the stages of builds lie below `.pitlane/builds`. Fixed before anything starts, so that it is found again after a crash. */
import { readdirSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { systemCode } from '../errors.ts'
import type { AttemptRef, StepRef } from '../executors/types.ts'
import type { PlannedStage } from '../plan/plan.ts'
import type { StageRun } from './state.ts'

export const WORKSPACE = 'workspace'

/** So many of the newest builds keep their logs, what they built and did not publish, and the way to go on with them. */
export const NEWEST_BUILDS = 20

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

/** Numbers of the builds that have a folder. Rejects with the system's error. */
export async function buildFolders(builds: string): Promise<readonly number[]> {
  const names = await readdir(builds).catch((error: unknown): string[] => {
    if (systemCode(error) === 'ENOENT') return []
    throw error
  })
  return names.filter((name) => /^[1-9]\d{0,8}$/.test(name)).map(Number)
}

/** Numbers of the attempts that a stage's folder has. */
export function attemptFolders(stage: string): readonly number[] {
  return readdirSync(stage)
    .flatMap((name) => /^attempt-(\d+)$/.exec(name)?.[1] ?? [])
    .map(Number)
}

/** The same for one build, made once: a step asks for its place several times. */
export class BuildPlaces {
  readonly #builds: string
  readonly #build: BuildName
  readonly #stages = new Map<string, StagePlaces>()
  readonly #attempts = new Map<string, AttemptRef>()

  constructor(builds: string, build: BuildName) {
    this.#builds = builds
    this.#build = build
  }

  stage(id: string): StagePlaces {
    const known = this.#stages.get(id)
    if (known !== undefined) return known
    const places = stagePlaces(this.#builds, this.#build, id)
    this.#stages.set(id, places)
    return places
  }

  attempt(stage: string, number: number): AttemptRef {
    const key = `${stage} ${number}`
    const known = this.#attempts.get(key)
    if (known !== undefined) return known
    const attempt = this.stage(stage).attempt(number)
    this.#attempts.set(key, attempt)
    return attempt
  }

  /** In the attempt in which the step was last started. */
  step(stage: StageRun, id: string): StepRef {
    const index = positions(stage.plan).get(id) ?? -1
    return { attempt: this.attempt(stage.plan.id, stage.steps[index]?.attempt || stage.attempt), index }
  }
}

const known = new WeakMap<PlannedStage, ReadonlyMap<string, number>>()

/** Of the stage's steps, by id. */
function positions(stage: PlannedStage): ReadonlyMap<string, number> {
  const before = known.get(stage)
  if (before !== undefined) return before
  const made = new Map(stage.steps.map((step, index) => [step.id, index]))
  known.set(stage, made)
  return made
}

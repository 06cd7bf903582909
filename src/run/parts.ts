/** What the engine is given: ports, limits, signals, and the work that other rooms do around a stage's steps. */
import type { Clock } from '../clock.ts'
import type { BuildRow } from '../database/queries/builds.ts'
import type { Writer } from '../database/writer.ts'
import type { Executor } from '../executors/types.ts'
import type { Plan, PlannedStage } from '../plan/plan.ts'
import type { Report } from './progress.ts'
import type { Limits } from './facts.ts'

/** What the rooms after this one do around a stage's steps. Every method may be called again after a crash, and then does the same. */
export interface StageWork {
  /** Makes the workspace ready. `fresh`: fill it anew; else keep what is there. Tells why, when the stage can't run on this machine. */
  prepare(context: StageContext, fresh: boolean): Promise<{ readonly unrunnable: string } | undefined>
  /** Where and with which variables the stage's steps run. */
  environment(context: StageContext): Promise<{ readonly env: Readonly<Record<string, string>>; readonly cwd: string }>
  /** Takes over what the steps left. Throws a `target` error when a declared output is missing or unfit. */
  collect(context: StageContext): Promise<void>
  /** What is no longer as these green stages of the build left it, in words; null when all of it is. */
  lostOutputs(build: BuildRow, stages: readonly PlannedStage[]): Promise<string | null>
}

export interface StageContext {
  readonly build: BuildRow
  readonly plan: Plan
  readonly stage: PlannedStage
  readonly attempt: number
  /** Absolute; shared by the attempts of the stage. */
  readonly workspace: string
  /** Absolute; kept when the workspace is removed. */
  readonly folder: string
}

export interface EngineParts {
  /** Whose builds these are: the row's id, or `LOCAL`. */
  readonly repository: string
  readonly writer: Writer
  readonly executor: Executor
  readonly work: StageWork
  readonly clock: Clock
  readonly report: Report
  /** Identifies the time since the machine was started: `/proc/sys/kernel/random/boot_id`. */
  readonly bootId: string
  /** `.pitlane/builds` */
  readonly folder: string
  readonly limits: Limits
}

export interface StopSignals {
  /** Start nothing more, let what runs finish. */
  readonly drain: AbortSignal
  /** End what runs. */
  readonly interrupt: AbortSignal
}

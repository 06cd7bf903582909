/** What is known of a build that runs: the plan's stages and, beside them, how far each has come. A mirror of the rows. */
import type { ErrorCode } from '../errors.ts'
import type { PlannedStage, PlannedStep } from '../plan/plan.ts'

/**
 * ```
 * waiting ─► armed ─► running ──► succeeded | failed
 *    │  ▲      │         ▲├──► timing-out ──► timed-out
 *    └──┼──────┼─────────┘├──► cutting-off ──► failed
 *       │      ├──────────┴──► interrupting ─┐
 *       └──────┴── (held, lost) ◄────────────┘        waiting | armed ──► skipped
 * ```
 * `armed`: its lane has it, and begins it by itself as soon as the one step that it still needs has ended with 0. It takes no job, and to
 * people it is waiting.
 *
 * `timing-out`, `cutting-off` (too much output) and `interrupting` are written before the kill, so that a crash during it does not turn
 * it into a loss.
 */
export const STEP_STATES = new Set([
  'waiting',
  'armed',
  'running',
  'timing-out',
  'cutting-off',
  'interrupting',
  'succeeded',
  'failed',
  'timed-out',
  'skipped',
] as const)
export type StepState = typeof STEP_STATES extends ReadonlySet<infer Word> ? Word : never

/**
 * ```
 * waiting ──► preparing ──► running ──► collecting ──► succeeded
 *    │            │            └───────────┴──► failed
 *    └► skipped   └──► not-run | failed
 * ```
 * After a restart of the machine, what had begun and not ended is waiting again.
 */
export const STAGE_STATES = new Set([
  'waiting',
  'preparing',
  'running',
  'collecting',
  'succeeded',
  'failed',
  'skipped',
  'not-run',
] as const)
export type StageState = typeof STAGE_STATES extends ReadonlySet<infer Word> ? Word : never

export interface StepRun {
  readonly plan: PlannedStep
  readonly state: StepState
  /** Attempt of the stage in which it was last started; 0 before. */
  readonly attempt: number
  readonly exitCode: number | null
}

export interface StageRun {
  readonly plan: PlannedStage
  readonly state: StageState
  /** The newest attempt, from 1; 0 before the first. */
  readonly attempt: number
  /** Why the newest attempt exists. */
  readonly reason: string
  /** Attempts that ended because the machine or the executor lost them; those that a person stopped are not among them. */
  readonly lost: readonly number[]
  /** What it waits for, or why it ended so, in words. */
  readonly note: string | null
  readonly error: ErrorCode | null
  readonly steps: readonly StepRun[]
}

export interface BuildState {
  readonly stages: readonly StageRun[]
  /** A person asked to stop: nothing new starts. */
  readonly draining: boolean
  /** Steps that another engine began, by id: this one can't arm anything behind them. */
  readonly inherited: ReadonlySet<string>
}

const STAGE_ENDED: ReadonlySet<StageState> = new Set(['succeeded', 'failed', 'skipped', 'not-run'])
const STEP_ENDED: ReadonlySet<StepState> = new Set(['succeeded', 'failed', 'timed-out', 'skipped'])
const STEP_ACTIVE: ReadonlySet<StepState> = new Set(['running', 'timing-out', 'cutting-off', 'interrupting'])

export const stageEnded = (stage: Pick<StageRun, 'state'>): boolean => STAGE_ENDED.has(stage.state)
export const stepEnded = (step: StepRun): boolean => STEP_ENDED.has(step.state)
export const stepActive = (step: StepRun): boolean => STEP_ACTIVE.has(step.state)

export function initialState(stages: readonly PlannedStage[]): BuildState {
  return {
    draining: false,
    inherited: new Set(),
    stages: stages.map((plan) => ({
      plan,
      state: 'waiting',
      attempt: 0,
      reason: 'first',
      lost: [],
      note: plan.needs.length > 0 ? `waits for ${plan.needs.join(', ')}` : 'waits for a free job',
      error: null,
      steps: plan.steps.map((step) => ({ plan: step, state: 'waiting', attempt: 0, exitCode: null })),
    })),
  }
}

/** The outcome of the whole, derived from all its declared parts; null while any of them has not ended. */
export function outcomeOf(state: BuildState): 'succeeded' | 'failed' | null {
  if (!state.stages.every(stageEnded)) return null
  const good = state.stages.every(
    (stage) => stage.state === 'succeeded' || (stage.state === 'not-run' && !stage.plan.required),
  )
  return good ? 'succeeded' : 'failed'
}

/** Lost or stopped in the newest attempt: another attempt has to begin it again. */
export const lostInThisAttempt = (stage: StageRun, step: StepRun): boolean =>
  step.state === 'waiting' && step.attempt > 0 && step.attempt === stage.attempt

/** Nothing in the checkout is of use to the next attempt. */
export const isFresh = (stage: StageRun): boolean => !stage.steps.some((step) => step.state === 'succeeded')

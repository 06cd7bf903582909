/** What a scheduler is told, what it orders, and within which limits: the language between the engine and the reducer. */
import type { ErrorCode } from '../errors.ts'
import type { BuildState } from './state.ts'

export interface StageFact {
  readonly stage: string
  readonly attempt: number
}
export interface StepFact extends StageFact {
  readonly step: string
}

export type Fact =
  /** An engine took this build up, for the first time or after another one died. */
  | { readonly kind: 'resumed' }
  /** The machine was restarted since this attempt began: what its checkout held may not have reached the disk. */
  | ({ readonly kind: 'restarted' } & StageFact)
  | ({ readonly kind: 'prepared' } & StageFact)
  /** The stage can't run on this machine. */
  | ({ readonly kind: 'unrunnable'; readonly reason: string } & StageFact)
  | ({ readonly kind: 'ended'; readonly code: number } & StepFact)
  /** The step is not running and left no exit status: after a kill that is what was wanted, else it has to be tried again. */
  | ({ readonly kind: 'lost' } & StepFact)
  /** What became of an armed step that should not begin any more: it does not, as if it had never been armed; or it had begun already. */
  | ({ readonly kind: 'held' | 'begun' } & StepFact)
  | ({ readonly kind: 'overdue' } & StepFact)
  /** The step has written more than `bytes`, which is what it may. */
  | ({ readonly kind: 'flooding'; readonly bytes: number } & StepFact)
  | ({ readonly kind: 'collected' } & StageFact)
  /** Preparing or collecting failed. */
  | ({ readonly kind: 'unfit'; readonly error: ErrorCode; readonly message: string } & StageFact)
  /** Start nothing more, let what runs finish. */
  | { readonly kind: 'drain' }
  /** End what runs; it will be tried again by the next engine. */
  | { readonly kind: 'interrupt' }

export type Order =
  | { readonly kind: 'prepare'; readonly stage: string; readonly attempt: number; readonly fresh: boolean }
  | {
      readonly kind: 'start' | 'attach' | 'kill' | 'disarm'
      readonly stage: string
      readonly attempt: number
      readonly step: string
    }
  /** Hand the step over now; it begins by itself when `after`, which runs, ends with 0. */
  | {
      readonly kind: 'arm'
      readonly stage: string
      readonly attempt: number
      readonly step: string
      readonly after: string
    }
  | { readonly kind: 'collect' | 'destroy'; readonly stage: string; readonly attempt: number }

export interface Limits {
  /** How many steps (and preparations and collections) at once. */
  readonly jobs: number
  /** How many attempts of a stage may be lost: after the last of them it has failed. */
  readonly attempts: number
  /** How many bytes a step may write to its output. Default: 4 GiB. */
  readonly output?: number
}

export interface Turn {
  readonly state: BuildState
  readonly orders: readonly Order[]
}

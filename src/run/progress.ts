/** What a person (or `--json`) is told while something runs. Facts already written down, never intentions. */
import type { StageState, StepState } from './state.ts'

export type Progress =
  | {
      readonly event: 'build'
      readonly number: number
      readonly kind: 'checks' | 'release'
      readonly version: string
      readonly commit: string
      readonly state: 'started' | 'resumed' | 'reused' | 'succeeded' | 'failed'
    }
  | {
      readonly event: 'stage'
      readonly build: number
      readonly stage: string
      readonly state: StageState
      readonly attempt: number
      readonly note: string | null
    }
  | {
      readonly event: 'step'
      readonly build: number
      readonly stage: string
      readonly step: string
      /** One that its lane has and has not begun is `waiting`. */
      readonly state: Exclude<StepState, 'armed'>
      readonly exitCode: number | null
      /** File that the step's output goes to. */
      readonly output: string
      /** Milliseconds since it was started, measured by this process; null where it did not see the start. */
      readonly duration: number | null
    }
  | {
      readonly event: 'artifact'
      readonly build: number
      readonly target: string
      readonly name: string
      readonly size: number
      readonly sha256: string
    }
  | {
      readonly event: 'documentation'
      readonly build: number
      readonly folder: string
      readonly files: number
      /** Bytes of all files. */
      readonly size: number
    }
  | {
      readonly event: 'publication'
      readonly version: string
      readonly entry: string
      /** `check` has no operations; another kind without any had nothing to do. */
      readonly kind: 'put-if-absent' | 'ask-then-do' | 'check'
      readonly state: 'started' | 'done'
      readonly operations: number
    }
  | {
      readonly event: 'published'
      readonly version: string
      readonly channel: string
      /** Where it was written, and the page in it. */
      readonly bucket: string
      readonly page: string
      /** The address that the release names; null without one. */
      readonly public: string | null
      /** Whether it was read back there; else nobody has looked. */
      readonly served: boolean
      readonly already: boolean
    }
  | { readonly event: 'waiting'; readonly for: string }
  | { readonly event: 'note'; readonly message: string }

export type Report = (progress: Progress) => void

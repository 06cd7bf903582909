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
  | {
      readonly event: 'start-over'
      /** `planned` is shown, and agreed to or not. */
      readonly state: 'planned' | 'done'
      readonly version: string
      /** Keys of the bucket that go. */
      readonly objects: readonly string[]
      /** Keys below the version's folder that stay. */
      readonly foreign: readonly string[]
      /** Number of the build that is given up; null for none. */
      readonly build: number | null
      /** Whether images of it may be left in the registry, by digest. */
      readonly images: boolean
      /** A public address at which nobody has looked; null where one did, or there is none. */
      readonly unasked: string | null
    }
  | { readonly event: 'waiting'; readonly for: string }
  | { readonly event: 'note'; readonly message: string }

export type Report = (progress: Progress) => void

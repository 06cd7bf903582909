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
  | {
      /** What takes long and is under way, from its first second on; what ends before that is not told. Counted as `meter.ts` says. */
      readonly event: 'progress'
      /** What it is about, in words: the title of a publication's entry. */
      readonly of: string
      readonly doing: 'sending' | 'reading' | 'packing' | 'removing'
      /** The last one is `done`, or `stopped` where it failed. */
      readonly state: 'going' | 'done' | 'stopped'
      readonly pieces: number
      readonly complete: number
      /** Of all pieces; 0 where they are not counted. `moved` and `spared` (there already) are together what is through. */
      readonly bytes: number
      readonly moved: number
      readonly spared: number
      /** Bytes in a second, of the last ten; at the end, of all the time. Null as long as none moved. */
      readonly rate: number | null
      /** Milliseconds, at most: what is yet to come may turn out to be there. Null where nobody can know. */
      readonly left: number | null
      /** Milliseconds since it began. */
      readonly elapsed: number
    }
  | {
      readonly event: 'waiting'
      readonly state: 'started' | 'going' | 'done'
      /** Another command in this state folder, who else publishes into the bucket, the public address, a server that asks to slow down. */
      readonly on: 'command' | 'publisher' | 'address' | 'server'
      /** In words. */
      readonly for: string
      /** Milliseconds so far. Of a server, which says it at once and no more after that: how long it will be. Null: that can't be known. */
      readonly duration: number | null
    }
  | { readonly event: 'note'; readonly message: string }

export type Report = (progress: Progress) => void

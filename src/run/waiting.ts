/** What is waited for, who has it and for how long: told when it begins, while it lasts, and when it is over. */
import type { Clock } from '../clock.ts'
import type { Progress, Report } from './progress.ts'
import { ticking } from './ticks.ts'

type Waiting = Extract<Progress, { event: 'waiting' }>

export interface Wait {
  /** Only the first time counts. */
  begin(what: string): void
  /** Does nothing where nothing was waited for. */
  end(): void
}

/** Milliseconds. */
const TICK = 1000

export function wait(parts: { readonly clock: Clock; readonly report: Report }, on: Waiting['on']): Wait {
  const { clock, report } = parts
  let stop: (() => void) | undefined
  let tell: ((state: Waiting['state']) => void) | undefined
  return {
    begin(what) {
      if (tell !== undefined) return
      const since = clock.monotonic()
      tell = (state) =>
        report({
          event: 'waiting',
          state,
          on,
          for: what,
          duration: state === 'started' ? null : Math.round(clock.monotonic() - since),
        })
      tell('started')
      stop = ticking(clock, TICK, TICK, () => tell?.('going'))
    },
    end() {
      stop?.()
      stop = undefined
      tell?.('done')
      tell = undefined
    },
  }
}

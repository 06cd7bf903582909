/**
 * How far a piece of work is while it goes on, in pieces and bytes, as `progress` events. What ends soon is not told at all.
 *
 * Of a piece, the furthest that any attempt came to counts: one that begins anew, with a fresh body, adds nothing before it has come further. So the
 * number never goes back, and never exceeds the whole. The rate is of all bytes that move, those that move again among them, and what is
 * left is counted from where the present attempts are.
 */
import type { Clock } from '../clock.ts'
import type { Progress, Report } from './progress.ts'
import { ticking } from './ticks.ts'

export type Metering = <T>(about: Metered, work: (meter: Meter) => Promise<T>) => Promise<T>

export interface Metered {
  /** What it is about, for people. */
  readonly of: string
  readonly doing: Extract<Progress, { event: 'progress' }>['doing']
  readonly pieces: number
  /** Of all pieces; 0 where bytes say nothing of how long it takes. */
  readonly bytes: number
}

export interface Meter {
  /** Work on a piece of so many bytes begins. The pieces together are what was announced. */
  piece(bytes: number): Piece
}

export interface Piece {
  /** So many of its bytes are through in the present attempt. */
  at(bytes: number): void
  /** It is complete. One of which no byte moved has been spared. */
  done(): void
}

/** Milliseconds before anything is told; of what is small, people begin to wonder later. */
const FIRST = 1000
const FIRST_OF_SMALL = 10_000
/** Bytes. */
const SMALL = 1024 * 1024
/** Milliseconds between two looks. */
const TICK = 250
/** Milliseconds that the rate is of. */
const WINDOW = 10_000
/** Milliseconds before there is anything to go by, and without a byte after which nobody knows. */
const ESTIMATE_AFTER = 5000
const STANDS_STILL = 2000

export function metering(parts: { readonly clock: Clock; readonly report: Report }): Metering {
  return async (about, work) => {
    const { clock, report } = parts
    const count = new Count(about, clock)
    let told = false
    const tell = (state: Extract<Progress, { event: 'progress' }>['state']) => {
      told = true
      report(count.event(state))
    }
    const stop = ticking(clock, about.bytes < SMALL ? FIRST_OF_SMALL : FIRST, TICK, () => tell('going'))
    let state: 'done' | 'stopped' = 'stopped'
    try {
      const result = await work(count)
      state = 'done'
      return result
    } finally {
      stop()
      if (told) tell(state)
    }
  }
}

/** Of what nobody is told. */
export const UNCOUNTED: Piece = { at: () => undefined, done: () => undefined }
export const unmetered: Metering = (_, work) => work({ piece: () => UNCOUNTED })

interface Sample {
  readonly time: number
  readonly flow: number
}

class Count implements Meter {
  readonly #about: Metered
  readonly #clock: Clock
  readonly #since: number
  /** Bytes that attempts came to, and of pieces that were spared. */
  #moved = 0
  #spared = 0
  #complete = 0
  /** All bytes that ever moved. */
  #flow = 0
  /** Bytes that attempts which began anew have yet to move again. */
  #again = 0
  #samples: Sample[]
  #movedLast: Sample

  constructor(about: Metered, clock: Clock) {
    this.#about = about
    this.#clock = clock
    this.#since = clock.monotonic()
    this.#movedLast = { time: this.#since, flow: 0 }
    this.#samples = [this.#movedLast]
  }

  piece(bytes: number): Piece {
    let furthest = 0
    let now = 0
    let isDone = false
    const at = (reached: number) => {
      if (isDone) return
      const next = Math.min(Math.max(reached, 0), bytes)
      this.#flow += Math.max(0, next - now)
      this.#again -= furthest - now
      now = next
      this.#moved += Math.max(0, now - furthest)
      furthest = Math.max(furthest, now)
      this.#again += furthest - now
    }
    return {
      at,
      done: () => {
        if (isDone) return
        if (furthest > 0) at(bytes)
        else this.#spared += bytes
        isDone = true
        this.#complete += 1
      },
    }
  }

  event(state: Extract<Progress, { event: 'progress' }>['state']): Extract<Progress, { event: 'progress' }> {
    const { of, doing, pieces, bytes } = this.#about
    const time = this.#clock.monotonic()
    const elapsed = Math.round(time - this.#since)
    const rate = state === 'going' ? this.#rate(time) : this.#flow === 0 ? null : perSecond(this.#flow, elapsed)
    return {
      event: 'progress',
      of,
      doing,
      state,
      pieces,
      complete: this.#complete,
      bytes,
      moved: this.#moved,
      spared: this.#spared,
      rate,
      left: state === 'going' ? this.#left(time, elapsed, rate) : null,
      elapsed,
    }
  }

  #rate(time: number): number | null {
    const sample = { time, flow: this.#flow }
    if (sample.flow > this.#movedLast.flow) this.#movedLast = sample
    this.#samples.push(sample)
    while ((this.#samples[1]?.time ?? time) <= time - WINDOW) this.#samples.shift()
    const [first = sample] = this.#samples
    return this.#flow === 0 ? null : perSecond(sample.flow - first.flow, time - first.time)
  }

  #left(time: number, elapsed: number, rate: number | null): number | null {
    if (rate === null || rate === 0 || elapsed < ESTIMATE_AFTER || time - this.#movedLast.time > STANDS_STILL)
      return null
    const bytes = this.#about.bytes - this.#moved - this.#spared + this.#again
    return Math.round((bytes / rate) * 1000)
  }
}

function perSecond(bytes: number, milliseconds: number): number {
  return milliseconds <= 0 ? 0 : Math.round((bytes / milliseconds) * 1000)
}

/**
 * Looks after the steps that run: whose time is over, and who writes too much. One timer for all of them, however many there are and
 * however short: a timer and its abort for every step would cost more than the step's row.
 */
import { statSync } from 'node:fs'
import type { Clock } from '../clock.ts'
import type { Fact } from './reducer.ts'

/** Bytes: 4 GiB. A log of that size is read by nobody, and one without a limit fills the disk. */
const OUTPUT_LIMIT = 4 * 1024 ** 3
/** Milliseconds between two looks at how much the steps have written. */
const OUTPUT_POLL = 2000

export interface StepAt {
  readonly stage: string
  readonly attempt: number
  readonly step: string
}

export interface Watched {
  readonly at: StepAt
  /** File that the step writes to itself. */
  readonly output: string
  /** Milliseconds from now. */
  readonly left: number
}

interface Entry {
  readonly at: StepAt
  readonly output: string
  /** On the monotonic clock; infinite once it was told. */
  deadline: number
  flooding: boolean
}

export interface WatchParts {
  readonly clock: Clock
  /** Bytes that a step may write; the default is 4 GiB. */
  readonly output: number | undefined
  readonly tell: (fact: Fact) => void
  /** What went wrong while nobody waited. */
  readonly fail: (error: unknown) => void
}

export class Watch {
  readonly #parts: WatchParts
  readonly #limit: number
  readonly #entries = new Set<Entry>()
  /** Of the sleep under way, and when it ends; undefined while nobody sleeps. */
  #sleep: { readonly alarm: AbortController; readonly until: number } | undefined
  #ended: Promise<void> = Promise.resolve()
  #closed = false

  constructor(parts: WatchParts) {
    this.#parts = parts
    this.#limit = parts.output ?? OUTPUT_LIMIT
  }

  /** Looks after the step until the returned function is called, which looks at its output once more when the step `exited`. */
  add({ at, output, left }: Watched): (exited: boolean) => void {
    const deadline = this.#parts.clock.monotonic() + left
    const entry: Entry = { at, output, deadline, flooding: false }
    this.#entries.add(entry)
    if (this.#sleep === undefined) this.#ended = this.#look()
    else if (deadline < this.#sleep.until) this.#sleep.alarm.abort()
    return (exited) => {
      this.#entries.delete(entry)
      if (exited) this.#checkOutput(entry)
    }
  }

  /** Looks after nothing any more. */
  async close(): Promise<void> {
    this.#closed = true
    this.#sleep?.alarm.abort()
    await this.#ended
  }

  /** Until nothing is watched at the end of a sleep: steps that follow each other share it. */
  async #look(): Promise<void> {
    const { clock } = this.#parts
    try {
      let outputs = clock.monotonic() + OUTPUT_POLL
      while (this.#entries.size > 0 && !this.#closed) {
        const until = Math.min(outputs, ...[...this.#entries].map((entry) => entry.deadline))
        const alarm = new AbortController()
        this.#sleep = { alarm, until }
        const slept = await clock.sleep(Math.max(until - clock.monotonic(), 0), alarm.signal).then(
          () => true,
          () => false,
        )
        if (this.#closed) return
        for (const entry of this.#entries) this.#checkDeadline(entry)
        // A sleep is as long as its clock says, also one that runs faster.
        if (!slept || until < outputs) continue
        for (const entry of this.#entries) this.#checkOutput(entry)
        outputs = clock.monotonic() + OUTPUT_POLL
      }
    } catch (error) {
      this.#parts.fail(error)
    } finally {
      this.#sleep = undefined
    }
  }

  #checkDeadline(entry: Entry): void {
    if (this.#parts.clock.monotonic() < entry.deadline) return
    entry.deadline = Number.POSITIVE_INFINITY
    this.#parts.tell({ kind: 'overdue', ...entry.at })
  }

  #checkOutput(entry: Entry): void {
    if (entry.flooding) return
    // Where the file is gone, something else says so.
    const written = statSync(entry.output, { throwIfNoEntry: false })?.size ?? 0
    if (written <= this.#limit) return
    entry.flooding = true
    this.#parts.tell({ kind: 'flooding', ...entry.at, bytes: this.#limit })
  }
}

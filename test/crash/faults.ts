// The points where a run touches the outside, counted and named, so that it can be made to die, or its storage to fail, at any of them.
import type { Writer } from '../../src/database/writer.ts'
import { PitlaneError } from '../../src/errors.ts'
import { watched } from './changes.ts'

/** `uncommitted`: in the transaction, after its work. `middle`: half of the body is written. */
type When = 'before' | 'uncommitted' | 'middle' | 'after'

/** Where a run can be stopped for good. Resolves, unless it is. */
export type At = (when: When) => Promise<void>

export interface Fault {
  /** Name of a point; or `write #<number> before`, for the so many-th transaction, whatever it will change. */
  readonly at: string
  /** `kill`: SIGKILL to this very process. `fail`: what was tried throws `STORAGE_FAILED`. */
  readonly how: 'kill' | 'fail'
}

export class Faults {
  /**
   * The points that were reached. A name says what is done, to which one, how often that was reached before, and when: it names the same moment in
   * every run. A transaction is named by what it changes, as it may come earlier or later among those of a stage beside it.
   */
  readonly points: string[] = []
  readonly #seen = new Map<string, number>()
  readonly #fault: Fault | null
  readonly #stands: (() => void) | null
  /** What the executor does now, and steps that were started and not seen to end. */
  readonly moving = new Set<string>()
  /** Whether the fault has happened. */
  struck = false

  /**
   * Without `stands`, a process dies at once where it has to. With it, and where no step of the run is near its beginning or end, the run stands still
   * for ever from that point on, with what it does beside it as soon as that comes to a point, and the process is left for others to end.
   */
  constructor(fault: Fault | null, stands: (() => void) | null = null) {
    this.#fault = fault
    this.#stands = stands
  }

  /** Counts an occurrence: `what #1`, `what #2`. */
  #count(what: string): string {
    const number = (this.#seen.get(what) ?? 0) + 1
    this.#seen.set(what, number)
    return `${what} #${number}`
  }

  /** Comes to a point. It has several names when it is several things at once; the first one is kept. */
  async #reach(names: readonly string[]): Promise<void> {
    if (names[0] !== undefined) this.points.push(names[0])
    await this.#strike(names)
  }

  async #strike(names: readonly string[]): Promise<void> {
    // What stands still does not hold up what runs beside it.
    if (this.struck && this.#stands !== null) return standStill()
    const fault = this.#fault
    if (fault === null || !names.includes(fault.at)) return
    this.struck = true
    if (fault.how === 'fail') throw new PitlaneError('STORAGE_FAILED', `the disk failed at "${fault.at}"`)
    if (this.#stands !== null && this.moving.size === 0) {
      this.#stands()
      return standStill()
    }
    process.kill(process.pid, 'SIGKILL')
    // The signal is delivered when the system call returns; never go on.
    for (;;);
  }

  /** Does something outside. */
  async outside<T>(what: string, act: (at: At) => Promise<T>): Promise<T> {
    const name = this.#count(what)
    const at: At = (when) => this.#reach([`${name} ${when}`])
    await at('before')
    const result = await act(at)
    await at('after')
    return result
  }

  /**
   * One transaction. Before it is where another one, or another effect, ended, and until its commit nothing of it is on the disk: so the point before
   * it, which has no name of its own yet, is the one before its commit.
   */
  async transaction<T>(writer: Writer, ...[work, options]: Parameters<typeof writer.write<T>>): Promise<T> {
    const number = this.#count('write')
    await this.#strike([`${number} before`])
    let names: readonly string[] = []
    const at: At = (when) => this.#reach([...names, number].map((name) => `${name} ${when}`))
    const written = await writer.write(async (trx) => {
      const { trx: seen, changes } = watched(trx)
      const result = await work(seen)
      names = changes.map((change) => this.#count(`write ${change}`))
      await at('uncommitted')
      return result
    }, options)
    await at('after')
    return written
  }
}

/** Keeps everything that waits for it from being collected, as a process that is stopped would. */
const stoodStill: PromiseWithResolvers<never>[] = []

function standStill(): Promise<never> {
  const never = Promise.withResolvers<never>()
  stoodStill.push(never)
  return never.promise
}

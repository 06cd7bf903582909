/** A number of places for requests to one host; all of them can be held for a while. */
import type { Clock } from '../clock.ts'

export class Slots {
  readonly #clock: Clock
  readonly #waiting: (() => void)[] = []
  #free: number
  /** By `Clock.monotonic`. */
  #heldUntil = 0

  constructor(clock: Clock, places: number) {
    this.#clock = clock
    this.#free = places
  }

  /** Nothing begins for so many milliseconds. */
  hold(milliseconds: number): void {
    this.#heldUntil = Math.max(this.#heldUntil, this.#clock.monotonic() + milliseconds)
  }

  async use<T>(work: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free -= 1
    else await new Promise<void>((resolve) => this.#waiting.push(resolve))
    try {
      for (let left = this.#left(); left > 0; left = this.#left()) await this.#clock.sleep(left)
      return await work()
    } finally {
      const next = this.#waiting.shift()
      if (next === undefined) this.#free += 1
      else next()
    }
  }

  #left(): number {
    return this.#heldUntil - this.#clock.monotonic()
  }
}

/** Time, sleep and randomness. Injected everywhere; only this file and adapters reach for the real ones. */
import { randomBytes } from 'node:crypto'

export interface Clock {
  /** Wall clock, milliseconds since 1970. May jump in either direction; never subtract two of them to get a duration. */
  now(): number
  /** Milliseconds from an arbitrary start; never goes backwards. */
  monotonic(): number
  /** Resolves after so many milliseconds; rejects with the signal's reason when it is aborted. */
  sleep(milliseconds: number, signal?: AbortSignal): Promise<void>
  random(bytes: number): Buffer
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  sleep: (milliseconds, signal) =>
    new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason)
      const abort = () => {
        clearTimeout(timer)
        reject(signal?.reason)
      }
      const timer = setTimeout(() => {
        signal?.removeEventListener('abort', abort)
        resolve()
      }, milliseconds)
      signal?.addEventListener('abort', abort, { once: true })
    }),
  random: (bytes) => randomBytes(bytes),
}

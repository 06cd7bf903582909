/** A clock that stands still until a test moves it. */
import { randomBytes } from 'node:crypto'
import type { Clock } from '../../src/clock.ts'

export interface HandClock extends Clock {
  /** Moves it on; whoever wakes up meanwhile has gone to sleep again, or is done, when this resolves. */
  pass(milliseconds: number): Promise<void>
}

export function handClock(): HandClock {
  let time = 0
  let sleepers: { readonly until: number; readonly wake: () => void }[] = []
  const settle = () => new Promise((resolve) => setImmediate(resolve))
  return {
    now: () => time,
    monotonic: () => time,
    random: (bytes) => randomBytes(bytes),
    sleep: (milliseconds, signal) =>
      new Promise((resolve, reject) => {
        if (signal?.aborted) return reject(signal.reason as Error)
        const sleeper = { until: time + milliseconds, wake: resolve }
        sleepers.push(sleeper)
        signal?.addEventListener('abort', () => {
          sleepers = sleepers.filter((one) => one !== sleeper)
          reject(signal.reason as Error)
        })
      }),
    async pass(milliseconds) {
      const end = time + milliseconds
      for (;;) {
        await settle()
        const next = sleepers.filter(({ until }) => until <= end).sort((a, b) => a.until - b.until)[0]
        if (next === undefined) break
        time = Math.max(time, next.until)
        sleepers = sleepers.filter((one) => one !== next)
        next.wake()
      }
      time = end
      await settle()
    },
  }
}

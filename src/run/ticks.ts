/** Something done again and again while something else goes on. */
import type { Clock } from '../clock.ts'

/**
 * @param first milliseconds until the first time; `between` until each next one
 * @returns ends it; nothing is done after that
 */
export function ticking(clock: Clock, first: number, between: number, tick: () => void): () => void {
  const over = new AbortController()
  const run = async () => {
    for (let pause = first; ; pause = between) {
      await clock.sleep(pause, over.signal)
      // A clock need not look at the signal of what has begun to wake up.
      if (over.signal.aborted) return
      tick()
    }
  }
  // Rejects when it is over.
  run().catch(() => undefined)
  return () => over.abort()
}

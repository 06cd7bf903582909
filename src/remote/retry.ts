/** The same request again, as long as its failure may pass. */
import type { Clock } from '../clock.ts'

export interface RetryLimits {
  readonly attempts: number
  /** Milliseconds before the second attempt; doubled for each further one. */
  readonly pause: number
  /** Milliseconds, also where the server asks for more. */
  readonly longest: number
}

export const RETRY: RetryLimits = { attempts: 6, pause: 200, longest: 20_000 }

/**
 * Does it until it succeeds or fails for good; the last failure is thrown as it came. `attempt` makes everything anew, its body too.
 * `passing` tells of a failure how many seconds the server asked to wait (0: it did not say), or null: it stays.
 */
export async function retrying<T>(
  { clock, limits }: { readonly clock: Clock; readonly limits: RetryLimits },
  attempt: () => Promise<T>,
  passing: (error: unknown) => number | null,
): Promise<T> {
  for (let tried = 1; ; tried += 1) {
    try {
      return await attempt()
    } catch (error) {
      const asked = tried >= limits.attempts ? null : passing(error)
      if (asked === null) throw error
      // Between half and the whole, so that many do not come back at once.
      const own = limits.pause * 2 ** (tried - 1) * (0.5 + (clock.random(1)[0] ?? 0) / 510)
      await clock.sleep(Math.min(Math.max(asked * 1000, own), limits.longest))
    }
  }
}

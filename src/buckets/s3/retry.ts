/** The same request again, as long as its failure may pass. */
import type { Clock } from '../../clock.ts'
import { PitlaneError } from '../../errors.ts'
import { mayPass, refusalOf } from './answers.ts'

export interface RetryLimits {
  readonly attempts: number
  /** Milliseconds before the second attempt; doubled for each further one. */
  readonly pause: number
  /** Milliseconds, also where the server asks for more. */
  readonly longest: number
}

export const RETRY: RetryLimits = { attempts: 6, pause: 200, longest: 20_000 }

/** Does it until it succeeds or fails for good; the last failure is thrown as it came. `attempt` makes everything anew, its body too. */
export async function retrying<T>(clock: Clock, limits: RetryLimits, attempt: () => Promise<T>): Promise<T> {
  for (let tried = 1; ; tried += 1) {
    try {
      return await attempt()
    } catch (error) {
      if (error instanceof PitlaneError || tried >= limits.attempts) throw error
      const refusal = refusalOf(error)
      if (!mayPass(refusal)) throw error
      const asked = refusal.retryAfter === null ? 0 : refusal.retryAfter * 1000
      // Between half and the whole, so that many do not come back at once.
      const own = limits.pause * 2 ** (tried - 1) * (0.5 + (clock.random(1)[0] ?? 0) / 510)
      await clock.sleep(Math.min(Math.max(asked, own), limits.longest))
    }
  }
}

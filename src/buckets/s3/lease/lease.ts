/**
 * One publisher at a time on a server without locks: an object says who publishes, and is renewed while they do. Ages are told by the server's
 * own clock, so that clocks that differ do not matter. Where the server honours conditions on writes there is one such object (`only.ts`);
 * elsewhere everybody has a claim of their own, and the order of the claims decides (`claims.ts`).
 */
import type { Clock } from '../../../clock.ts'
import { PitlaneError } from '../../../errors.ts'
import type { Lease, LeaseRequest } from '../../types.ts'

/** All keys of leases begin with it; they are no objects of the bucket for anybody else. */
export const LEASES = '.pitlane-lease'

export interface LeaseTimes {
  /** Milliseconds without a renewal after which a lease is nobody's. */
  readonly life: number
  /** Milliseconds within which a write that was begun is seen by everybody who looks. */
  readonly settling: number
  /** Milliseconds between two looks at somebody else's. */
  readonly poll: number
}

export const LEASE_TIMES: LeaseTimes = { life: 60_000, settling: 2000, poll: 1000 }

/** One way to hold a bucket. */
export interface Holding {
  /** Tries once: null when it is held now, else who has it, for people. */
  take(): Promise<string | null>
  /**
   * False when somebody else has taken it over.
   * @param late whether its life was over before: then somebody may be taking it right now
   */
  renew(late: boolean): Promise<boolean>
  /** Succeeds also when nothing is left of it. */
  drop(): Promise<void>
}

export interface HeldLease extends Lease {
  /**
   * Before something is written: whoever was stopped for a while, or whose machine slept, shows a sign of life first.
   * @throws PitlaneError `FENCED` when somebody else may have it
   */
  confirm(): Promise<void>
}

/** @throws PitlaneError `BUSY`, `INTERRUPTED`, and what the server's refusal is told as */
export async function acquire(
  holding: Holding,
  where: string,
  { wait, onWait, signal }: LeaseRequest,
  parts: { readonly clock: Clock; readonly times: LeaseTimes },
): Promise<HeldLease> {
  const { clock, times } = parts
  const deadline = clock.monotonic() + wait
  let told = false
  for (;;) {
    const holder = await holding.take()
    if (holder === null) break
    if (clock.monotonic() >= deadline) {
      // Who gives up must not be waited for by others.
      await holding.drop()
      throw new PitlaneError('BUSY', `${holder} is publishing into ${where}`, {
        hint: `Wait for it to end. When it has died, its lease ends ${times.life / 1000} s after its last sign of life.`,
      })
    }
    if (!told) onWait(holder)
    told = true
    await clock.sleep(times.poll, signal).catch(async () => {
      await holding.drop()
      throw new PitlaneError('INTERRUPTED', `stopped while waiting for ${holder}`, {
        hint: 'Run the same command again: it goes on where it was.',
      })
    })
  }
  return renewed(holding, where, parts)
}

function renewed(
  holding: Holding,
  where: string,
  { clock, times }: { readonly clock: Clock; readonly times: LeaseTimes },
): HeldLease {
  const over = new AbortController()
  // The one clock may stand still while a machine sleeps, and the other may be set back: the longer time counts.
  const moment = () => ({ monotonic: clock.monotonic(), now: clock.now() })
  let good = moment()
  let isLost = false
  let running: Promise<void> | null = null
  const age = () => Math.max(clock.monotonic() - good.monotonic, clock.now() - good.now)
  const attempt = async () => {
    const begun = moment()
    const kept = await holding.renew(age() > times.life).catch(() => null)
    if (kept === true) good = begun
    // A server that fails for a while has not given it to anybody before its life is over.
    else if (kept === false || clock.monotonic() - good.monotonic > times.life * 0.8) isLost = true
  }
  const renew = () => (running ??= attempt().finally(() => (running = null)))
  const renewing = (async () => {
    for (;;) {
      await clock.sleep(times.life / 3, over.signal)
      await renew()
      if (isLost) return
    }
  })().catch(() => undefined)
  return {
    async confirm() {
      if (over.signal.aborted && !isLost) return
      if (!isLost && age() > times.life / 2) await renew()
      if (isLost || age() > times.life * 0.8) throw lost(where)
    },
    async release() {
      over.abort()
      await renewing
      await holding.drop()
    },
  }
}

function lost(where: string): PitlaneError {
  return new PitlaneError('FENCED', `the lease on ${where} was lost: somebody else may publish into it now`, {
    hint: 'Nothing more is written. Run the same command again: it goes on where it was.',
  })
}

/**
 * One publisher at a time on a server that has no locks: an object that says who publishes, and until when unless it is renewed. Times are
 * the server's own (`Date`, `LastModified`), so that clocks that differ do not matter.
 *
 * Where the server refuses writes to a taken key, the object is written on that condition, and taken over or renewed on the condition that it
 * is still the one that was read. Elsewhere everybody who wants to publish writes a claim of their own, waits until all claims that were
 * under way have come in, and looks: the oldest claim has the bucket. Before each of the two, a claim that does not live any more is nobody's.
 */
import type { Clock } from '../../clock.ts'
import { PitlaneError } from '../../errors.ts'
import type { Lease, LeaseRequest } from '../types.ts'

/** What the lease needs of a server. */
export interface ClaimStore {
  /** All claims. */
  list(): Promise<readonly Claim[]>
  /**
   * Writes a claim; with `over`, only if what is there has that tag still (null: nothing is there). False when the condition does not hold.
   */
  write(id: string, text: string, over?: { readonly tag: string | null }): Promise<{ readonly tag: string } | false>
  remove(id: string): Promise<void>
  /** Milliseconds since 1970, by the server's clock. */
  now(): Promise<number>
  readonly conditional: boolean
  readonly location: string
}

export interface Claim {
  readonly id: string
  readonly tag: string
  /** Milliseconds since 1970, by the server's clock. */
  readonly writtenAt: number
  /** Who, for people. */
  readonly holder: string
}

export interface LeaseTimes {
  /** Milliseconds without a renewal after which a claim is nobody's. */
  readonly life: number
  /** Milliseconds in which a claim that was sent is there for everybody. */
  readonly settling: number
  /** Milliseconds between two looks at somebody else's claim. */
  readonly poll: number
}

export const LEASE_TIMES: LeaseTimes = { life: 60_000, settling: 2000, poll: 1000 }

/** The one key of a lease that is written on a condition. */
const ONLY = 'lease'

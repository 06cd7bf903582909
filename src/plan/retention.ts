/** How long releases are kept, as a project file says it. What may never go, whatever it says, is in `release/retention/policy.ts`. */

export interface Retention {
  /** By channel; one without a policy is never touched. */
  readonly channels: ReadonlyMap<string, ChannelPolicy>
  /** Versions that stay. */
  readonly pins: readonly string[]
  /** Milliseconds between the lists and the files. */
  readonly grace: number
}

/** What either rule keeps stays; at least one of them is given. */
export interface ChannelPolicy {
  /** So many newest ones. */
  readonly keep: number | null
  /** Milliseconds since they were published. */
  readonly for: number | null
}

/** How long after a version has left the lists its files go, for a project that does not say. */
export const DEFAULT_GRACE = '7d'

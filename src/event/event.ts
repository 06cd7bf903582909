/** What happened, and so what a build is made for. Plain JSON, stored before anything is done about it. */
export interface ManualEvent {
  readonly kind: 'manual'
  /** As the person wrote it: a tag, branch, commit id or `HEAD`. */
  readonly revision: string
  readonly actor: string
  /** Milliseconds since 1970. */
  readonly at: number
}

/** One kind in this version: `pitlane run` and `pitlane release` on a machine. */
export type Event = ManualEvent

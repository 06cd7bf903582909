/** What happened, and so what a build is made for. Plain JSON, stored before anything is done about it. */
interface Happened {
  /** As a person wrote it: a tag, branch, commit id or `HEAD`; of a push the short name of what was pushed. */
  readonly revision: string
  readonly actor: string
  /** Milliseconds since 1970. */
  readonly at: number
}

/** `pitlane run` and `pitlane release` on a machine. */
export interface ManualEvent extends Happened {
  readonly kind: 'manual'
}

/** A branch or a tag of a repository now names this commit. */
export interface PushEvent extends Happened {
  readonly kind: 'push'
  /** `refs/heads/main`, `refs/tags/v1.0.0` */
  readonly ref: string
  readonly commit: string
}

export type Event = ManualEvent | PushEvent

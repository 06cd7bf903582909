/** The request to release a successful build, as it is recorded. */
export interface Promotion {
  readonly buildId: string
  readonly version: string
  /** `Name <email>`, or whatever is known of the person. */
  readonly actor: string
  readonly reason: string | null
  /** Milliseconds since 1970. */
  readonly at: number
}

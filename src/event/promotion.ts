/** The request to release a successful build, as it is recorded in the state. */
export interface Promotion {
  readonly buildId: string
  readonly version: string
  /** `Name <email>`, or whatever is known of the person. */
  readonly actor: string
  readonly reason: string | null
  /** Milliseconds since 1970. */
  readonly at: number
}

/**
 * What of an actor goes into what is published: the name alone. Signed documents can't be taken back, and copies of them are read by
 * whoever collects addresses; the address stays with the promotion in the state.
 */
export function publicName(actor: string): string {
  const name = actor.replace(/<[^<>]*>\s*$/, '').trim()
  // Where git knows an address and no name, the actor is that address.
  const isAddress = /^\S*@\S+$/.test(name)
  return (isAddress ? name.slice(0, name.indexOf('@')) : name) || 'unknown'
}

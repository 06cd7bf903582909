/** What a lease needs of a server: small objects, written on a condition where that goes. */
export interface LeaseObject {
  /** Below `LEASES`. */
  readonly name: string
  readonly tag: string
  /** Milliseconds since 1970, by the server's clock. */
  readonly writtenAt: number
}

export interface LeaseStore {
  /** All of them, in the order of their names. */
  list(): Promise<readonly LeaseObject[]>
  /** Text and server's time of one; null when it is absent. */
  read(name: string): Promise<(LeaseObject & { readonly text: string; readonly now: number }) | null>
  /** `onlyIf`: the tag that has to be there, or null for nothing. Null: the condition does not hold. */
  write(name: string, text: string, onlyIf?: { readonly tag: string | null }): Promise<{ readonly tag: string } | null>
  remove(name: string): Promise<void>
}

/** Who, and how often they have said so: each renewal is other bytes, so that its tag is another one. */
export function leaseText(holder: string, id: string, count: number): string {
  return `${JSON.stringify({ holder, id, count })}\n`
}

/** Whatever stands there: it is for people. */
export function holderIn(text: string): string {
  const { holder } = fieldsOf(text)
  return typeof holder === 'string' && holder !== '' ? holder.replace(/\p{Cc}/gu, ' ').slice(0, 200) : 'another process'
}

/** Null when it is not ours, or a newer version's. */
export function idIn(text: string): string | null {
  const { id } = fieldsOf(text)
  return typeof id === 'string' ? id : null
}

function fieldsOf(text: string): { readonly holder?: unknown; readonly id?: unknown } {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? value : {}
  } catch {
    return {}
  }
}

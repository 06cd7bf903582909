/** Pushes that ask not to be checked. */

/** As Drone reads them, in any case. */
const ASKED = ['[ci skip]', '[skip ci]', '***no_ci***']

/** Why the push is not checked; null when it is. Tags always are. */
export function skipReason({ ref, message }: { readonly ref: string; readonly message: string }): string | null {
  if (ref.startsWith('refs/tags/')) return null
  const text = message.toLowerCase()
  const found = ASKED.find((word) => text.includes(word))
  return found === undefined ? null : `the commit's message says ${found}`
}

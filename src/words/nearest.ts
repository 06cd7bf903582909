/** The known name that a person probably meant. */

/** Longest unknown name that is compared: the distance takes time in proportion to the product of the lengths. */
const LENGTH_LIMIT = 64

/** The known names with the fewest typing slips from `name`, at most `count`; none that is not close enough to be what was meant. */
export function nearestNames(name: string, known: readonly string[], count: number): readonly string[] {
  if (name.length > LENGTH_LIMIT) return []
  // A third of the letters may be wrong; two of them also in a short word.
  const limit = Math.max(2, Math.floor(name.length / 3))
  return known
    .filter((candidate) => Math.abs(candidate.length - name.length) <= limit)
    .map((candidate) => ({ candidate, distance: slips(name.toLowerCase(), candidate.toLowerCase()) }))
    .filter(({ candidate, distance }) => distance <= limit && distance < candidate.length)
    .sort((a, b) => a.distance - b.distance)
    .slice(0, count)
    .map(({ candidate }) => candidate)
}

/** The known name that was probably meant, or null when none is close enough. */
export function nearest(name: string, known: readonly string[]): string | null {
  return nearestNames(name, known, 1)[0] ?? null
}

/** `did you mean "x"?`, or what is known when nothing is near. For the end of a message. */
export function suggestion(name: string, known: readonly string[]): string {
  const meant = nearest(name, known)
  if (meant !== null) return `did you mean "${meant}"?`
  return known.length === 0 ? 'there is none' : `known: ${known.join(', ')}`
}

/** Letters put in, left out, replaced or swapped with their neighbour (Damerau 1964, optimal string alignment). */
function slips(a: string, b: string): number {
  let before: number[] = []
  let above = Array.from({ length: b.length + 1 }, (_, column) => column)
  for (let row = 1; row <= a.length; row += 1) {
    const current = [row]
    for (let column = 1; column <= b.length; column += 1) {
      const same = a[row - 1] === b[column - 1]
      let cost = Math.min(
        (above[column] ?? 0) + 1,
        (current[column - 1] ?? 0) + 1,
        (above[column - 1] ?? 0) + (same ? 0 : 1),
      )
      if (row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1]) {
        cost = Math.min(cost, (before[column - 2] ?? 0) + 1)
      }
      current.push(cost)
    }
    before = above
    above = current
  }
  return above[b.length] ?? 0
}

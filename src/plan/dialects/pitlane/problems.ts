/** Everything that is wrong with a project file, told at once. */
import { PitlaneError, type Place } from '../../../errors.ts'

/** Most problems told of one file; a hostile file can have a million. */
export const PROBLEM_LIMIT = 50

/** Keys and list positions from the top of the file to a value. */
export type Path = readonly (string | number)[]

/** A problem where it is in the data; `key` points at the name of the last key instead of its value. */
export interface Problem {
  readonly path: Path
  readonly at: 'key' | 'value'
  readonly message: string
}

export const problem = (path: Path, message: string, at: Problem['at'] = 'value'): Problem => ({ path, at, message })

export interface PlacedProblem {
  readonly place: Place
  readonly message: string
}

/** One error for all problems, in the order of the file: its message has a line `file:line:column: …` for each. */
export function configurationError(problems: readonly PlacedProblem[]): PitlaneError {
  const ordered = problems.toSorted((a, b) => a.place.line - b.place.line || a.place.column - b.place.column)
  const lines = new Set(ordered.map(({ place, message }) => `${place.file}:${place.line}:${place.column}: ${message}`))
  const told = [...lines].slice(0, PROBLEM_LIMIT)
  const rest = lines.size - told.length
  if (rest > 0) told.push(`and ${rest} more`)
  const place = ordered[0]?.place
  return new PitlaneError('CONFIG_INVALID', told.join('\n'), {
    hint: 'Correct the file and commit it. All keys are described in docs/reference/pitlane-yaml.md of Pitlane.',
    ...(place === undefined ? {} : { place }),
  })
}

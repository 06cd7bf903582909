/**
 * Versions: which of two is newer, and what the image tag of one is.
 *
 * The order, oldest first, is total: every two different names have an order, and it never depends on the others.
 *
 * A name is read as `[v]NUMBERS[SUFFIX][+BUILD]`:
 * - NUMBERS: any count of dotted numbers, compared as numbers; what is missing counts as 0 (`v0.7.2 < v0.7.2.1`).
 * - SUFFIX `-…`: a prerelease, before the bare version, with the rules of semver 2.0.0 §11, except that numbers inside a word
 *   count as numbers too (`beta9 < beta10`).
 * - SUFFIX of a word for "prerelease" and a number (`1.0rc1`): a prerelease as well. Any other (`0.1.0b`, `v0.7.2_ci`): after the
 *   bare version.
 * - BUILD decides only when all else is equal; at the very end the characters of the names do (`1.0` before `v1.0`).
 *
 * A commit id, or a name that does not begin like this (`format_table-v0.1.0`), is no version: older than every version, and among
 * themselves ordered with the numbers inside counted as numbers.
 */
import { PitlaneError } from '../errors.ts'
import { isCommitId, shown, VERSION_LIMIT } from './version-name.ts'

interface ParsedVersion {
  readonly numbers: readonly string[]
  readonly phase: 'prerelease' | 'bare' | 'after'
  /** The suffix, split at dots. */
  readonly identifiers: readonly string[]
  readonly build: readonly string[]
}

const PHASES = ['prerelease', 'bare', 'after']
const SHAPE = /^v?([0-9]+(?:\.[0-9]+)*)([^+]*)(?:\+(.*))?$/s
const PRERELEASE_WORD = /^\.?(?:a|alpha|b|beta|c|rc|pre|preview|dev)\.?[0-9]/i

/** Negative when `a` is older than `b`, positive when newer, 0 only when they are the same name. */
export function compareVersions(a: string, b: string): number {
  const left = parse(a)
  const right = parse(b)
  if (left === null || right === null) {
    return Number(left !== null) - Number(right !== null) || compareRuns(a, b) || compareText(a, b)
  }
  return (
    compareLists(left.numbers, right.numbers, compareDigits, '0') ||
    PHASES.indexOf(left.phase) - PHASES.indexOf(right.phase) ||
    compareLists(left.identifiers, right.identifiers, compareIdentifiers) ||
    compareLists(left.build, right.build, compareIdentifiers) ||
    compareText(a, b)
  )
}

/** The numbers that a version begins with, without leading zeros; null for a name that is no version. */
export function numbersOf(name: string): readonly string[] | null {
  return parse(name)?.numbers.map((number) => number.replace(/^0+(?=.)/, '')) ?? null
}

/** The line that a version belongs to, `major.minor` without leading zeros; null for a name that is no version. `v1` is of `1.0`. */
export function lineOf(name: string): string | null {
  const numbers = numbersOf(name)
  if (numbers === null) return null
  const [major = '0', minor = '0'] = numbers
  return `${major}.${minor}`
}

/**
 * The version as an image tag, which has no `+` (OCI distribution specification 1.1: `[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}`): each `+` is written
 * `--`, so `v0.7.2+ci` is `v0.7.2--ci`. No two versions share a tag, because no version has two of `+` and `-` in a row
 * (`version-name.ts`): in a tag, `--` is always a `+`. Tools that name images of a layout read `--` as well (image specification 1.1,
 * "org.opencontainers.image.ref.name").
 * @throws PitlaneError `VERSION_NAME` when that is longer than a tag may be
 */
export function imageTag(version: string): string {
  const tag = version.replaceAll('+', '--')
  if (tag.length <= VERSION_LIMIT) return tag
  throw new PitlaneError(
    'VERSION_NAME',
    `the version ${shown(version)} becomes an image tag of ${tag.length} characters, and one has at most ${VERSION_LIMIT}`,
    { hint: 'Each "+" takes two characters in an image tag: use a shorter version.' },
  )
}

function parse(name: string): ParsedVersion | null {
  const match = isCommitId(name) ? null : SHAPE.exec(name)
  if (match === null) return null
  const [, numbers = '', suffix = '', build = ''] = match
  const phase = suffix === '' ? 'bare' : suffix.startsWith('-') || PRERELEASE_WORD.test(suffix) ? 'prerelease' : 'after'
  return {
    numbers: numbers.split('.'),
    phase,
    identifiers: split(suffix.replace(/^[-_.]/, '')),
    build: split(build),
  }
}

function split(text: string): readonly string[] {
  return text === '' ? [] : text.split('.')
}

/** Element by element; a list that ends first is smaller, unless `missing` says what stands in for the rest. */
function compareLists(
  a: readonly string[],
  b: readonly string[],
  compare: (a: string, b: string) => number,
  missing?: string,
): number {
  for (let index = 0; index < Math.max(a.length, b.length); index += 1) {
    const left = a[index] ?? missing
    const right = b[index] ?? missing
    if (left === undefined) return -1
    if (right === undefined) return 1
    const order = compare(left, right)
    if (order !== 0) return order
  }
  return 0
}

/** Semver 2.0.0 §11.4: an identifier of digits only is smaller than any other. */
function compareIdentifiers(a: string, b: string): number {
  return Number(!isDigits(a)) - Number(!isDigits(b)) || compareRuns(a, b)
}

/** Compares texts as runs of digits and runs of other characters, the former by their number and before the latter. */
function compareRuns(a: string, b: string): number {
  return compareLists(a.match(/[0-9]+|[^0-9]+/g) ?? [], b.match(/[0-9]+|[^0-9]+/g) ?? [], (left, right) => {
    if (isDigits(left) && isDigits(right)) return compareDigits(left, right)
    return Number(!isDigits(left)) - Number(!isDigits(right)) || compareText(left, right)
  })
}

/** As numbers of any size: semver's own comparison is exact only up to 2^53. */
function compareDigits(a: string, b: string): number {
  const left = a.replace(/^0+/, '')
  const right = b.replace(/^0+/, '')
  return left.length - right.length || compareText(left, right)
}

function isDigits(text: string): boolean {
  return /^[0-9]+$/.test(text)
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

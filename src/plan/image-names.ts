/** What images of a release are called: the repository of each platform, and tags that move on from version to version. Pure. */
import { isRepository, isTag } from '../image/names.ts'
import { TARGETS, type Target } from './targets.ts'
import { numbersOf } from './version.ts'

/** Stands for `amd64`, `386`, `arm64` or `arm`. */
const PLATFORM = '{platform}'
const PLACEHOLDER = /\{[^{}]*\}?|\}/g
const NUMBERS = ['{major}', '{minor}', '{patch}'] as const

interface Named {
  /** Repository of the multi-platform image. */
  readonly name: string
  /** Pattern for the repositories of the platforms; absent: `{platform}_` in front of the last part of `name`. */
  readonly platforms?: string | undefined
}

/** A pattern without `/` stands beside `name`, in the same namespace; with it, it is the whole repository. */
export function platformRepository({ name, platforms }: Named, { architecture }: Pick<Target, 'architecture'>): string {
  const slash = name.lastIndexOf('/') + 1
  const pattern = platforms ?? `${PLATFORM}_${name.slice(slash)}`
  const whole = pattern.includes('/') ? pattern : name.slice(0, slash) + pattern
  return whole.replaceAll(PLATFORM, architecture)
}

/** What is wrong with the pattern of an image's repositories, in words; null when nothing is. */
export function patternProblem(image: Named): string | null {
  const { name, platforms } = image
  if (platforms === undefined) return null
  const unknown = platforms.match(PLACEHOLDER)?.find((found) => found !== PLATFORM)
  if (unknown !== undefined) return `${unknown} stands for nothing: there is ${PLATFORM}`
  if (!platforms.includes(PLATFORM)) return `expected ${PLATFORM} in it, or all platforms would share a repository`
  for (const target of TARGETS) {
    const repository = platformRepository(image, target)
    if (!isRepository(repository)) return `it makes "${repository}", which is not the name of an image repository`
    if (repository === name)
      return `it makes "${repository}" for ${target.platform}, the name of the image for all platforms`
  }
  return null
}

/** What is wrong with the pattern of a tag that moves on, in words; null when nothing is. */
export function floatingProblem(pattern: string): string | null {
  const unknown = pattern.match(PLACEHOLDER)?.find((found) => !NUMBERS.some((known) => known === found))
  if (unknown !== undefined) return `${unknown} stands for nothing: there are ${NUMBERS.join(', ')}`
  // The longest number that a version can have is shorter than what a tag may be; that is told when it is planned.
  const example = pattern.replaceAll(PLACEHOLDER, '0')
  return isTag(example) ? null : `"${example}" is not an image tag`
}

/**
 * The tags that move on to this version once it is the newest, in the order of the patterns. A pattern with numbers says nothing of a version that
 * has none.
 */
export function floatingTags(patterns: readonly string[], version: string): readonly string[] {
  const numbers = numbersOf(version)
  const tags = patterns.flatMap((pattern) => {
    if (!pattern.includes('{')) return [pattern]
    if (numbers === null) return []
    return [NUMBERS.reduce((tag, name, index) => tag.replaceAll(name, numbers[index] ?? '0'), pattern)]
  })
  return [...new Set(tags)]
}

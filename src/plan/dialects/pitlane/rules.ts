/** What the values of a `pitlane.yaml` have to mean together. Each rule takes a part that fits the schema and tells all it finds. */
import { posix } from 'node:path'
import { binaryPath } from '../../binary-path.ts'
import { DEVELOPMENT } from '../../channel.ts'
import { TIMEOUT_LIMIT, parseDuration } from '../../duration.ts'
import { RELEASE_VARIABLES, RESERVED_VARIABLES } from '../../environment.ts'
import { findCycle } from '../../graph.ts'
import { floatingProblem, patternProblem } from '../../image-names.ts'
import { suggestion } from '../../../words/nearest.ts'
import { PatternError, compilePattern } from '../../pattern.ts'
import { type Path, type Problem, problem } from './problems.ts'
import type { PitlaneFile } from './schema.ts'

type Release = NonNullable<PitlaneFile['release']>

export function channelRules(channels: NonNullable<PitlaneFile['channels']>): readonly Problem[] {
  const problems: Problem[] = []
  if (Object.keys(channels).length === 0)
    problems.push(problem(['channels'], 'channels: expected at least one channel'))
  for (const [name, { tag }] of Object.entries(channels)) {
    if (name === DEVELOPMENT) {
      const message = `the channel "${DEVELOPMENT}" is always there, for commits without a tag; it has no pattern`
      problems.push(problem(['channels', name], message, 'key'))
    }
    try {
      compilePattern(tag)
    } catch (error) {
      if (!(error instanceof PatternError)) throw error
      problems.push(
        problem(['channels', name, 'tag'], `channels.${name}.tag: the pattern is not understood: ${error.message}`),
      )
    }
  }
  return problems
}

export function checkRules(checks: PitlaneFile['checks']): readonly Problem[] {
  const problems = checks.flatMap((check, index) => commandRules(['checks', index], check))
  const first = new Map<string, number>()
  const names = checks.map(({ name }) => name)
  for (const [index, { name, after = [] }] of checks.entries()) {
    const same = first.get(name)
    if (same === undefined) first.set(name, index)
    else
      problems.push(problem(['checks', index, 'name'], `two checks are called "${name}": checks[${same}] is the other`))
    for (const [position, needed] of after.entries()) {
      if (names.includes(needed)) continue
      const others = names.filter((other) => other !== name)
      const meant = others.length === 0 ? '' : `: ${suggestion(needed, others)}`
      problems.push(problem(['checks', index, 'after', position], `there is no check "${needed}"${meant}`))
    }
  }
  const cycle = findCycle(new Map(checks.map(({ name, after = [] }) => [name, after])))
  const start = cycle?.[0]
  if (cycle !== null && start !== undefined) {
    const message = `the checks wait for each other: ${cycle.join(' after ')}`
    problems.push(problem(['checks', names.indexOf(start), 'after'], message))
  }
  return problems
}

export function releaseRules(release: Release): readonly Problem[] {
  const { targets, build, test, image } = release
  const problems = [...duplicates(['release', 'targets'], targets), ...commandRules(['release', 'build'], build)]
  // Stands for the real values: none of them changes what can be wrong with the path.
  const example = Object.fromEntries(RELEASE_VARIABLES.map((name) => [name, name.toLowerCase()]))
  const path = binaryPath(build.binary, example)
  if (path.kind === 'unfit')
    problems.push(problem(['release', 'build', 'binary'], `release.build.binary: ${path.problem}`))
  else if (image !== undefined) problems.push(...startRules(build.binary, image.command[0] ?? ''))
  if (image !== undefined) problems.push(...imageRules(image))
  if (test === undefined) return problems
  problems.push(...commandRules(['release', 'test'], test))
  if (test.targets === undefined || test.targets === 'all') return problems
  problems.push(...duplicates(['release', 'test', 'targets'], test.targets))
  for (const [index, triple] of test.targets.entries()) {
    if (targets.includes(triple)) continue
    // A target it is: the schema takes no others.
    const message = `"${triple}" is not among release.targets: add it there, or take it out here`
    problems.push(problem(['release', 'test', 'targets', index], message))
  }
  return problems
}

/** An image is one file, so that any other first word of its command starts nothing. */
function startRules(binary: string, command: string): readonly Problem[] {
  const name = posix.basename(binary)
  // Each target may have another name then.
  if (name.includes('$') || command === `/${name}`) return []
  const message = `release.image.command starts ${JSON.stringify(command)}, and the image holds /${name} and nothing else`
  return [problem(['release', 'image', 'command', 0], message)]
}

function imageRules(image: NonNullable<Release['image']>): readonly Problem[] {
  const path: Path = ['release', 'image']
  const pattern = patternProblem(image)
  return [
    ...(pattern === null ? [] : [problem([...path, 'platforms'], `release.image.platforms: ${pattern}`)]),
    ...image.floating.flatMap((tag, index) => {
      const wrong = floatingProblem(tag)
      return wrong === null ? [] : [problem([...path, 'floating', index], `release.image.floating[${index}]: ${wrong}`)]
    }),
    ...duplicates([...path, 'floating'], image.floating),
  ]
}

export function togetherRules(release: boolean, publish: boolean): readonly Problem[] {
  if (release && !publish) return [problem(['publish'], 'the key "publish" is missing: a release has to go somewhere')]
  if (!release && publish) return [problem(['publish'], 'publish: there is no release that would go there', 'key')]
  return []
}

export function environmentRules(path: Path, env: Readonly<Record<string, string>>): readonly Problem[] {
  return Object.keys(env)
    .filter((name) => RESERVED_VARIABLES.includes(name))
    .map((name) => problem([...path, name], `the variable "${name}" is set by Pitlane and can't be set here`, 'key'))
}

/** Of what a command has beside its text. */
export function commandRules(
  path: Path,
  command: { readonly timeout: string; readonly env: Readonly<Record<string, string>> },
) {
  const problems = [...environmentRules([...path, 'env'], command.env)]
  const milliseconds = parseDuration(command.timeout)
  if (milliseconds === 0 || milliseconds > TIMEOUT_LIMIT) {
    problems.push(problem([...path, 'timeout'], `timeout: expected between 1s and 24h, found ${command.timeout}`))
  }
  return problems
}

function duplicates(path: Path, values: readonly string[]): readonly Problem[] {
  return values.flatMap((value, index) => {
    const first = values.indexOf(value)
    return first === index ? [] : [problem([...path, index], `"${value}" stands in the list already, at [${first}]`)]
  })
}

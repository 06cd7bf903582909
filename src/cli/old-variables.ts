/**
 * What the commands by hand are asked for: flags, and where a flag is absent the variables that pipelines of Drone and Woodpecker have set for
 * their shell functions. An empty variable is an absent one. Two that say different things are refused. Pure.
 */
import { PitlaneError } from '../errors.ts'
import { isCommitId } from '../plan/version-name.ts'
import { imageTag } from '../plan/version.ts'
import { TARGETS, type Target } from '../plan/targets.ts'

export type Variables = Readonly<Record<string, string | undefined>>

const TAG = ['DRONE_TAG', 'CI_COMMIT_TAG'] as const
const COMMIT = ['DRONE_COMMIT', 'CI_COMMIT_SHA'] as const

/** What somebody said, and where: `--target`, or the name of a variable. */
export interface Said {
  readonly from: string
  readonly value: string
}

export interface AskedVersion {
  /** The version, a full commit id where there is no tag. */
  readonly version: Said
  /** The commit that it is made of; null where only a flag named the version. */
  readonly commit: Said | null
}

/**
 * The flag; else the tag; else the commit.
 * @throws PitlaneError `USAGE` when two variables contradict each other, or a commit is not a full id
 */
export function askedVersion(flag: string | undefined, env: Variables): AskedVersion | null {
  if (flag !== undefined) return { version: { from: '--version', value: flag }, commit: null }
  const tag = agreed(env, TAG)
  const commit = agreed(env, COMMIT)
  if (commit !== null && !isCommitId(commit.value)) {
    throw new PitlaneError('USAGE', `${commit.from} is ${quoted(commit.value)}, and a full commit id is needed`, {
      hint: 'A commit id has 40 hexadecimal digits, or 64.',
    })
  }
  const version = tag ?? commit
  return version && { version, commit }
}

export function noVersion(): PitlaneError {
  return new PitlaneError('USAGE', 'no version was named', {
    hint: `Give it with --version, or set ${TAG.join(' or ')}, or for a commit without a tag ${COMMIT.join(' or ')}.`,
  })
}

/** @throws PitlaneError `USAGE` */
export function askedTarget(flag: string | undefined, env: Variables): Said {
  const said = spoken('--target', flag) ?? set(env, 'TARGET')
  if (said !== null) return said
  throw new PitlaneError('USAGE', 'no target was named', {
    hint: `Give it with --target, or set TARGET: ${TARGETS.map(({ triple }) => triple).join(', ')}.`,
  })
}

/** Spellings that pipelines have for a platform that is exact here: there is one ARM of 32 bits, and it is ARMv6. */
const SPELLINGS: Readonly<Record<string, Target['platform']>> = {
  'linux/arm': 'linux/arm/v6',
  'linux/i386': 'linux/386',
}

/**
 * The target whose image is meant, by platform or triple.
 * @throws PitlaneError `USAGE` when there is no such platform, or TARGET and DOCKER_PLATFORM are of two
 */
export function askedPlatform(flag: string | undefined, env: Variables): Target {
  const platform = spoken('--platform', flag) ?? set(env, 'DOCKER_PLATFORM')
  const triple = set(env, 'TARGET')
  if (platform === null && triple === null) {
    throw new PitlaneError('USAGE', 'no platform was named', {
      hint: `Give it with --platform, or set DOCKER_PLATFORM: ${TARGETS.map((target) => target.platform).join(', ')}.`,
    })
  }
  const byPlatform =
    platform && knownTarget(platform, (target, value) => target.platform === (SPELLINGS[value] ?? value))
  if (byPlatform !== null && (flag !== undefined || triple === null)) return byPlatform
  const byTriple = triple && knownTarget(triple, (target, value) => target.triple === value)
  if (byPlatform !== null && byTriple !== null && byPlatform !== byTriple && platform !== null && triple !== null)
    throw contradict(platform, triple)
  const target = byPlatform ?? byTriple
  if (target === null) throw new PitlaneError('INTERNAL', 'neither a platform nor a target')
  return target
}

function knownTarget(said: Said, fits: (target: Target, value: string) => boolean): Target {
  const target = TARGETS.find((candidate) => fits(candidate, said.value))
  if (target !== undefined) return target
  throw new PitlaneError('USAGE', `${said.from} is ${quoted(said.value)}, and there is no such platform`, {
    hint: `There are ${TARGETS.map(({ platform, triple }) => `${platform} (${triple})`).join(', ')}.`,
  })
}

/**
 * The tag of an image; null: the one that a release has.
 * @throws PitlaneError `USAGE` when CONTAINER_TAG is of another version than the variables name
 */
export function askedTag(flag: string | undefined, env: Variables, version: Said | null): Said | null {
  const flagged = spoken('--tag', flag)
  if (flagged !== null) return flagged
  const tag = set(env, 'CONTAINER_TAG')
  if (tag !== null && version !== null && !version.from.startsWith('--') && imageTag(version.value) !== tag.value)
    throw contradict(tag, version)
  return tag
}

/** The repository of an image; null: the one that a release has. */
export function askedName(flag: string | undefined, env: Variables): Said | null {
  return spoken('--name', flag) ?? set(env, 'CONTAINER_NAME')
}

export function contradict(one: Said, other: Said): PitlaneError {
  return new PitlaneError(
    'USAGE',
    `${one.from} is ${quoted(one.value)} and ${other.from} is ${quoted(other.value)}: they contradict each other`,
    { hint: 'Unset the one that is wrong, or say what is meant with a flag.' },
  )
}

function agreed(env: Variables, names: readonly string[]): Said | null {
  const said = names.map((name) => set(env, name)).filter((one) => one !== null)
  const [first, ...others] = said
  const other = others.find(({ value }) => value !== first?.value)
  if (first !== undefined && other !== undefined) throw contradict(first, other)
  return first ?? null
}

function set(env: Variables, from: string): Said | null {
  const value = env[from]
  return value === undefined || value === '' ? null : { from, value }
}

function spoken(from: string, value: string | undefined): Said | null {
  return value === undefined ? null : { from, value }
}

function quoted(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text)
}

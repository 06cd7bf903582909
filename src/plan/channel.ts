/** Channels: what kind of release a version is, decided by its name alone. */
import { PitlaneError } from '../errors.ts'
import { compilePattern } from './pattern.ts'
import { shown } from './version-name.ts'

/** A channel for tags. The pattern matches the whole tag; see `pattern.ts` for its syntax. */
export interface Channel {
  readonly name: string
  readonly tag: string
}

/** The channel that `latest` is of. */
export const STABLE = 'stable'

/** The channel of every commit that is released without a tag; no pattern leads to it. */
export const DEVELOPMENT = 'development'

/** Exactly three numbers are stable; any other tag is extra, also `v0.7.2.1`: a project that wants four parts says so. */
export const DEFAULT_CHANNELS: readonly Channel[] = [
  { name: 'stable', tag: String.raw`v[0-9]+\.[0-9]+\.[0-9]+` },
  { name: 'extra', tag: '.*' },
]

/**
 * The channel of a revision: the first whose pattern matches the tag, in the order declared.
 * @throws PitlaneError `VERSION_NAME` when no pattern matches the tag
 */
export function classify(channels: readonly Channel[], revision: { readonly tag: string | null }): string {
  const { tag } = revision
  if (tag === null) return DEVELOPMENT
  const channel = channels.find((candidate) => compilePattern(candidate.tag)(tag))
  if (channel !== undefined) return channel.name
  const tried = channels.map(({ name, tag: pattern }) => `${name} (${pattern})`).join(', ')
  throw new PitlaneError('VERSION_NAME', `the tag ${shown(tag)} belongs to no channel: it matches none of ${tried}`, {
    hint: "Add a channel with a pattern for it to pitlane.yaml, or a last one with tag: '.*'.",
  })
}

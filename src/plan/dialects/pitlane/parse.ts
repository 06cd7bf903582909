/** From the bytes of a `pitlane.yaml` to a `Configuration`, or to one error that tells everything that is wrong with the file. */
import type { z } from 'zod'
import { DEFAULT_CHANNELS } from '../../channel.ts'
import type { Configuration } from '../../configuration.ts'
import { parseDuration } from '../../duration.ts'
import { explain } from './explain.ts'
import { type Path, type Problem, configurationError } from './problems.ts'
import { readYaml } from './read-yaml.ts'
import { formatRules, publishRules } from './publish-rules.ts'
import { retentionRules, toRetention } from './retention-rules.ts'
import { documentationRules, toDocumentation } from './documentation-rules.ts'
import { channelRules, checkRules, environmentRules, releaseRules, togetherRules } from './rules.ts'
import { PitlaneFile } from './schema.ts'

/**
 * @param file name for messages and places
 * @throws PitlaneError `CONFIG_INVALID`, with a line for each problem
 */
export function parseConfiguration(file: string, bytes: Buffer): Configuration {
  const yaml = readYaml(file, bytes)
  const parsed = PitlaneFile.safeParse(yaml.value)
  const issues = parsed.success ? [] : parsed.error.issues
  const problems = [
    ...issues.flatMap((issue) => explain(issue, PitlaneFile, yaml)),
    ...ruleProblems(issues.length === 0 ? yaml.value : withoutUnknownKeys(yaml.value, issues)),
  ]
  if (parsed.success && problems.length === 0) return toConfiguration(parsed.data)
  throw configurationError(problems.map(({ path, at, message }) => ({ place: yaml.place(path, at), message })))
}

/** The rules for every part that fits its schema by itself: one wrong value hides no other problem of the file. */
function ruleProblems(value: unknown): readonly Problem[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return []
  const { shape } = PitlaneFile
  const part = <Schema extends z.ZodType>(schema: Schema, key: string): z.output<Schema> | undefined =>
    schema.safeParse((value as Record<string, unknown>)[key]).data
  const channels = part(shape.channels, 'channels')
  const checks = part(shape.checks, 'checks')
  const release = part(shape.release, 'release')
  const publish = part(shape.publish, 'publish')
  const retention = part(shape.retention, 'retention')
  const hasRelease = 'release' in value
  const image = release === undefined && hasRelease ? null : release?.image !== undefined
  return [
    ...(channels === undefined ? [] : channelRules(channels)),
    ...(checks === undefined ? [] : checkRules(checks)),
    ...environmentRules(['env'], part(shape.env, 'env') ?? {}),
    ...(release === undefined ? [] : releaseRules(release)),
    ...(release?.documentation === undefined
      ? []
      : documentationRules(release.documentation, 'channels' in value ? (channels ?? null) : undefined)),
    ...(publish === undefined ? [] : publishRules(publish, hasRelease ? image : null)),
    ...formatRules(release, publish),
    ...togetherRules(hasRelease, 'publish' in value),
    ...(retention === undefined
      ? []
      : retentionRules(retention, 'channels' in value ? (channels ?? null) : undefined, hasRelease)),
  ]
}

function withoutUnknownKeys(value: unknown, issues: readonly z.core.$ZodIssue[]): unknown {
  const copy: unknown = structuredClone(value)
  for (const issue of issues) {
    if (issue.code !== 'unrecognized_keys') continue
    const parent = descend(copy, issue.path as Path)
    for (const key of issue.keys) delete parent[key]
  }
  return copy
}

function descend(value: unknown, path: Path): Record<string, unknown> {
  let at = value as Record<string | number, unknown>
  for (const segment of path) at = at[segment] as Record<string | number, unknown>
  return at
}

function toConfiguration(file: PitlaneFile): Configuration {
  const { channels, checks, release, publish } = file
  const ordered = checks.some(({ after }) => after !== undefined)
  return {
    name: file.name,
    channels: channels ? Object.entries(channels).map(([name, { tag }]) => ({ name, tag })) : DEFAULT_CHANNELS,
    env: file.env,
    checks: checks.map(({ name, run, after, timeout, env }, index) => {
      const previous = checks.slice(0, index).slice(-1)
      const needs = ordered ? [...new Set(after)] : previous.map((check) => check.name)
      return { name, run, needs, timeout: parseDuration(timeout), env }
    }),
    release: release && publish ? toRelease(release, publish) : null,
    retention: file.retention === undefined ? null : toRetention(file.retention),
  }
}

function toRelease(
  release: NonNullable<PitlaneFile['release']>,
  publish: NonNullable<PitlaneFile['publish']>,
): Configuration['release'] {
  const { build, test, image } = release
  return {
    targets: release.targets,
    build: { run: build.run, binary: build.binary, timeout: parseDuration(build.timeout), env: build.env },
    static: release.static,
    test: test
      ? {
          run: test.run,
          timeout: parseDuration(test.timeout),
          env: test.env,
          required: test.targets === 'all' ? release.targets : (test.targets ?? []),
        }
      : null,
    image: image ?? null,
    documentation: release.documentation === undefined ? null : toDocumentation(release.documentation),
    sign: release.sign,
    publish: {
      bucket: publish.bucket,
      registry: publish.registry ?? null,
      public: publish.public?.replace(/\/+$/, '') ?? null,
    },
  }
}

/** What `pitlane plan --diff` prints: how two plans differ. Pure. */
import { formatDuration } from '../plan/duration.ts'
import type { Plan, PlannedRelease, PlannedStage } from '../plan/plan.ts'

type Fact = readonly [name: string, value: string]

/** Variables and labels that differ with the commit or its name alone. */
const OF_THE_COMMIT: ReadonlySet<string> = new Set(['VERSION', 'COMMIT', 'SOURCE_DATE_EPOCH', 'CHANNEL'])
const LABEL_OF_THE_COMMIT = /^org\.opencontainers\.image\.(?:created|revision|version)$/

/**
 * What changed from one plan to the other, a line each: `+ thing: value`, `- thing: value`, `~ thing: before → after`. Empty when they
 * plan the same under other names of commit and version.
 */
export function diffPlans(before: Plan, after: Plan): readonly string[] {
  const old = new Map(planFacts(before))
  const now = new Map(planFacts(after))
  return [...new Set([...old.keys(), ...now.keys()])].flatMap((name) => {
    const was = old.get(name)
    const is = now.get(name)
    if (was === is) return []
    if (was === undefined) return [`+ ${name}: ${is}`]
    if (is === undefined) return [`- ${name}: ${was}`]
    return [`~ ${name}: ${was} → ${is}`]
  })
}

function planFacts(plan: Plan): readonly Fact[] {
  return [
    ['project', plan.project],
    ['channel', plan.channel],
    ...plan.stages.flatMap((stage) => stageFacts(stage, plan)),
    ...(plan.release === null ? [] : releaseFacts(plan.release, plan)),
  ]
}

function stageFacts(stage: PlannedStage, plan: Plan): readonly Fact[] {
  return [
    [`stage ${stage.id}`, `${stage.required ? 'required' : 'tried'}, ${order(stage.needs)}`],
    ...stage.steps.flatMap((step): readonly Fact[] => [
      [`step ${step.id}`, `${JSON.stringify(step.run)}, ≤ ${formatDuration(step.timeout)}, ${order(step.needs)}`],
      ...Object.entries(step.env)
        .filter(([name]) => !OF_THE_COMMIT.has(name))
        .map(([name, value]): Fact => [`step ${step.id} ${name}`, JSON.stringify(value)]),
    ]),
    ...stage.outputs.map(({ id, path, obligations, static: linked }): Fact => {
      const neutral = path.replaceAll(plan.version, '$VERSION').replaceAll(plan.source.commit, '$COMMIT')
      return [`output ${id}`, `${neutral}, ${linked ? 'static' : 'dynamic allowed'}, ${obligations.join(', ')}`]
    }),
  ]
}

function order(needs: readonly string[]): string {
  return needs.length === 0 ? 'at once' : `after ${needs.join(', ')}`
}

function releaseFacts({ sign, image, publish }: PlannedRelease, plan: Plan): readonly Fact[] {
  const facts: Fact[] = [['signatures', sign]]
  if (image !== null) {
    facts.push(['image', `${image.repository} runs ${JSON.stringify(image.command)}`])
    facts.push(...image.env.map((entry): Fact => [`image ${entry.split('=', 1)[0]}`, JSON.stringify(entry)]))
    for (const [name, value] of Object.entries(image.labels)) {
      if (!LABEL_OF_THE_COMMIT.test(name)) facts.push([`image label ${name}`, JSON.stringify(value)])
    }
  }
  if (publish === null) return facts
  facts.push(['bucket', publish.bucket], ['registry', publish.registry ?? 'none'], ['public', publish.public ?? 'none'])
  for (const { source, destination } of publish.map) {
    const neutral = destination
      .replace(`_releases/${plan.version}/`, '_releases/$VERSION/')
      .replace(`:${image?.tag}`, ':$VERSION')
    facts.push([`publish ${source}`, neutral])
  }
  return facts
}

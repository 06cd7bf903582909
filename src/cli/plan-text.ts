/** What `pitlane plan` prints: a plan as text, and with `--diff` how two plans differ. Pure. */
import { formatDuration } from '../plan/duration.ts'
import type { Plan, PlannedDocumentation, PlannedRelease, PlannedStage, PlannedStep } from '../plan/plan.ts'
import { fit, printable, table, wrapList } from './text-table.ts'

/** Lines are kept within this width, except where something has to be shown whole. */
const WIDTH = 100
const NOTE_LINES = 10

/** Variables and labels that differ with the commit or its name alone. */
const OF_THE_COMMIT: ReadonlySet<string> = new Set(['VERSION', 'COMMIT', 'SOURCE_DATE_EPOCH', 'CHANNEL'])
const LABEL_OF_THE_COMMIT = /^org\.opencontainers\.image\.(?:created|revision|version)$/

type Fact = readonly [name: string, value: string]

/** The plan for people: what will run, what comes out of it, and where that goes. Ends in a newline. */
export function renderPlan(plan: Plan): string {
  const notes = plan.notes === null ? [] : [block('notes', plan.notes.split('\n').slice(0, NOTE_LINES).map(printable))]
  const stages = plan.stages.map((stage) => stageBlock(stage))
  return `${[heading(plan), ...stages, ...releaseBlocks(plan), ...notes].join('\n\n')}\n`
}

function heading({ project, version, channel, source, configuration, id }: Plan): string {
  const committed = new Date(source.commitTime * 1000).toISOString().slice(0, 16).replace('T', ' ')
  const lines = table([
    [project, `${version} (${channel})`],
    ['commit', `${source.commit.slice(0, 12)} of ${committed} UTC: ${printable(source.subject)}`],
    ['file', `${configuration.file} (sha256 ${configuration.sha256.slice(0, 12)})`],
    ['plan', id],
  ])
  return lines.map((line) => fit(line, WIDTH)).join('\n')
}

function stageBlock(stage: PlannedStage): string {
  const needs = stage.needs.map((id) => (id === `build/${stage.target}` ? 'its build' : id))
  const marks = needs.length > 0 ? [`after ${needs.join(', ')}`] : []
  if (stage.kind === 'test') marks.push(stage.required ? 'must run and pass' : 'tried where it can run')
  const rows = stage.steps.map((step) => [
    step.name,
    `≤ ${formatDuration(step.timeout)}`,
    stepNeeds(step),
    firstLine(step.run),
  ])
  const steps = table(rows).map((line) => fit(line, WIDTH - 2))
  const outputs = stage.outputs.map(({ path, obligations }) => `→ ${path}: ${obligations.join(', ')}`)
  if (stage.folder !== undefined) outputs.push(`→ ${stage.folder}/: every file of the folder`)
  return block(stage.id + (marks.length > 0 ? `  (${marks.join('; ')})` : ''), [...steps, ...outputs])
}

function stepNeeds({ needs }: PlannedStep): string {
  return needs.length === 0 ? '' : `after ${needs.map((id) => id.slice(id.indexOf('/') + 1)).join(', ')}`
}

function releaseBlocks({ release }: Plan): readonly string[] {
  if (release === null) return ['no release: the project file declares none']
  const { targets, sign, image, publish, documentation } = release
  const rows = [
    ['targets', targets.join(', ')],
    ['signatures', sign],
  ]
  if (image !== null)
    rows.push([
      'image',
      `${image.repository}:${image.tag}${image.format === undefined ? '' : ` in the format of ${image.format}`} runs ${printable(image.command.join(' '))}`,
    ])
  if (documentation !== undefined) rows.push(['documentation', documentationWords(documentation)])
  if (publish !== null) rows.push(['bucket', printable(publish.bucket)])
  if (publish?.registry) rows.push(['registry', printable(publish.registry)])
  if (publish?.public) rows.push(['public', publish.public])
  const facts = block(
    'release',
    table(rows).flatMap((line) => wrapList(line, WIDTH - 2)),
  )
  const map = publish?.map ?? []
  return [facts, block('publish', table(map.map(({ source, destination }) => [source, `→ ${destination}`])))]
}

function documentationWords({ path, channel, versions, grace, newest }: PlannedDocumentation): string {
  const kept = versions ? ', also kept under each version' : ''
  const whose = newest ? `this one unless there is a newer ${channel} release` : `of the newest ${channel} release`
  const days = grace / 86_400_000
  return `${path === '' ? 'the top of the bucket' : path}: ${whose}${kept}; what vanishes stays ${days} ${days === 1 ? 'day' : 'days'}`
}

function block(title: string, lines: readonly string[]): string {
  return [title, ...lines.map((line) => `  ${line}`)].join('\n')
}

function firstLine(run: string): string {
  const lines = run.trim().split('\n')
  return printable(lines[0] ?? '') + (lines.length > 1 ? ` … (${lines.length} lines)` : '')
}

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
    ...(stage.folder === undefined ? [] : [[`output ${stage.id}`, `${stage.folder}/`] as const]),
    ...stage.outputs.map(({ id, path, obligations, static: linked }): Fact => {
      const neutral = path.replaceAll(plan.version, '$VERSION').replaceAll(plan.source.commit, '$COMMIT')
      return [`output ${id}`, `${neutral}, ${linked ? 'static' : 'dynamic allowed'}, ${obligations.join(', ')}`]
    }),
  ]
}

function order(needs: readonly string[]): string {
  return needs.length === 0 ? 'at once' : `after ${needs.join(', ')}`
}

function releaseFacts({ sign, image, publish, documentation }: PlannedRelease, plan: Plan): readonly Fact[] {
  const facts: Fact[] = [['signatures', sign]]
  if (documentation !== undefined)
    facts.push(['documentation', documentationWords({ ...documentation, newest: false })])
  if (image !== null) {
    facts.push(['image', `${image.repository} runs ${JSON.stringify(image.command)}`])
    if (image.format !== undefined) facts.push(['image format', image.format])
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
      .replace(`/${plan.version}/*`, '/$VERSION/*')
      .replace(`:${image?.tag}`, ':$VERSION')
    facts.push([`publish ${source}`, neutral])
  }
  return facts
}

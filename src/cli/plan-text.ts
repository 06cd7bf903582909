/** What `pitlane plan` prints: the plan as text. Pure. */
import { formatDuration } from '../plan/duration.ts'
import type { Plan, PlannedStage, PlannedStep } from '../plan/plan.ts'
import { fit, printable, table, wrapList } from './text-table.ts'

/** Lines are kept within this width, except where something has to be shown whole. */
const WIDTH = 100
const NOTE_LINES = 10

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
  return block(stage.id + (marks.length > 0 ? `  (${marks.join('; ')})` : ''), [...steps, ...outputs])
}

function stepNeeds({ needs }: PlannedStep): string {
  return needs.length === 0 ? '' : `after ${needs.map((id) => id.slice(id.indexOf('/') + 1)).join(', ')}`
}

function releaseBlocks({ release }: Plan): readonly string[] {
  if (release === null) return ['no release: the project file declares none']
  const { targets, sign, image, publish } = release
  const rows = [
    ['targets', targets.join(', ')],
    ['signatures', sign],
  ]
  if (image !== null)
    rows.push(['image', `${image.repository}:${image.tag} runs ${printable(image.command.join(' '))}`])
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

function block(title: string, lines: readonly string[]): string {
  return [title, ...lines.map((line) => `  ${line}`)].join('\n')
}

function firstLine(run: string): string {
  const lines = run.trim().split('\n')
  return printable(lines[0] ?? '') + (lines.length > 1 ? ` … (${lines.length} lines)` : '')
}

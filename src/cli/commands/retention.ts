import { PitlaneError } from '../../errors.ts'
import { type Applied, applyRetention } from '../../release/retention/apply.ts'
import { planRetention, type RetentionParts, type RetentionPlan } from '../../release/retention/plan.ts'
import { settledStanding } from '../../release/lists/standing.ts'
import { notesOf, requirePublish } from '../by-hand.ts'
import { guard, printJson, withState } from '../command.ts'
import type { Context, Project } from '../context.ts'
import { committedConfiguration, planRevision } from '../planning.ts'
import { publishing } from '../publishing.ts'
import { appliedLines, planDocument, planLines } from '../retention-text.ts'

interface Flags {
  readonly noWait: boolean
  readonly json: boolean
}

export async function plan(this: Context, flags: Flags): Promise<void> {
  await guard(this, flags.json, () =>
    withParts(this, flags, 'plan', async (parts, notes) => {
      const made = await planRetention(parts, await settledStanding(parts.lists), this.clock.now())
      if (flags.json) printJson(this, { ...planDocument(made), notes })
      else write(this, planLines(made))
    }),
  )
}

export async function apply(this: Context, flags: Flags): Promise<void> {
  await guard(this, flags.json, () =>
    withParts(this, flags, 'apply', async (parts, notes) => {
      const show = (made: RetentionPlan) => (flags.json ? undefined : write(this, planLines(made)))
      const applied: Applied = await applyRetention(parts, this.stop.drain, show)
      const { plan: made, restored, retired, removed, left } = applied
      if (flags.json) printJson(this, { ...planDocument(made), restored, retired, removed, left, notes })
      else write(this, appliedLines(applied))
    }),
  )
}

async function withParts(
  context: Context,
  flags: Flags,
  command: string,
  work: (parts: RetentionParts, notes: readonly string[]) => Promise<void>,
): Promise<void> {
  const project = await context.project()
  const planned = await planRevision(project, undefined)
  const retention = await policyOf(project)
  requirePublish(planned, project)
  const { report, notes } = notesOf(context, flags.json)
  await withState(context, project, flags, `pitlane retention ${command}`, report, async (state) => {
    const { lists } = await publishing(context, project, planned, { ...state, report, noWait: flags.noWait })
    await work({ lists, retention }, notes)
  })
}

async function policyOf(project: Project) {
  const configuration = await committedConfiguration(project)
  if (configuration?.retention != null) return configuration.retention
  throw new PitlaneError('CONFIG_INVALID', `${project.file} declares no retention`, {
    hint: 'Add `retention: { development: { keep: 20, for: 60d } }`, or the like, and commit it. Without it nothing is ever removed.',
  })
}

function write(context: Context, lines: readonly string[]): void {
  context.process.stdout.write(lines.map((line) => `${line}\n`).join(''))
}

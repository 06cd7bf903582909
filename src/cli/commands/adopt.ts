import { PitlaneError, EXIT } from '../../errors.ts'
import { publicName } from '../../event/promotion.ts'
import { applyAdoption } from '../../release/adopt/apply.ts'
import { type AdoptionPlan, planAdoption } from '../../release/adopt/plan.ts'
import { settledStanding } from '../../release/lists/standing.ts'
import { adoptedLine, adoptionDocument, plannedLines, skippedLines, totalLine } from '../adoption-text.ts'
import { notesOf, requirePublish } from '../by-hand.ts'
import { guard, printJson, withState } from '../command.ts'
import type { Context } from '../context.ts'
import { committedConfiguration, planRevision } from '../planning.ts'
import { publishing } from '../publishing.ts'

export interface AdoptFlags {
  readonly digest: boolean
  readonly dryRun: boolean
  readonly yes: boolean
  readonly noWait: boolean
  readonly json: boolean
}

export async function adopt(this: Context, flags: AdoptFlags): Promise<void> {
  await guard(this, flags.json, async () => {
    const { digest, dryRun } = flags
    const asks = !flags.yes && !dryRun
    if (asks && (flags.json || !this.canAsk())) {
      throw new PitlaneError('USAGE', 'nobody is at a terminal to agree to it', {
        hint: 'See what would be adopted with --dry-run, then add --yes.',
      })
    }
    const project = await this.project()
    const planned = await planRevision(project, undefined)
    requirePublish(planned, project)
    const channels = (await committedConfiguration(project))?.channels ?? []
    const actor = publicName(await this.actor(project))
    const { report, notes } = notesOf(this, flags.json)
    const write = (lines: readonly string[]) => {
      if (!flags.json) this.process.stdout.write(lines.map((line) => `${line}\n`).join(''))
    }
    await withState(this, project, flags, 'pitlane adopt', report, async (state) => {
      const { lists } = await publishing(this, project, planned, { ...state, report, noWait: flags.noWait })
      const parts = { lists, channels, digest, actor, pitlaneVersion: this.pitlaneVersion }
      const plan = await planAdoption(parts, await settledStanding(lists))
      write(asks || dryRun ? [...plannedLines(plan, digest), ...skippedLines(plan)] : skippedLines(plan))
      if (dryRun) {
        write([totalLine(plan, null)])
        if (flags.json) printJson(this, adoptionDocument(plan, null, { notes, reads: digest }))
        return
      }
      if (asks && hasWork(plan)) {
        write([totalLine(plan, null)])
        if (!(await this.ask('Do it?'))) {
          write(['nothing was changed'])
          this.exitCode = EXIT.interrupted
          return
        }
      }
      const done = await applyAdoption(parts, plan, this.stop.drain, (document) => write([adoptedLine(document)]))
      write([...skippedLines({ skipped: [], refused: done.refused.slice(plan.refused.length) }), totalLine(plan, done)])
      if (flags.json) printJson(this, adoptionDocument(plan, done, { notes, reads: digest }))
      if (done.refused.length > 0) this.exitCode = EXIT.failed
    })
  })
}

function hasWork({ adopt: found, digest }: AdoptionPlan): boolean {
  return found.length + digest.length > 0
}

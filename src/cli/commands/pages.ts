import { checkPages, rebuildPages } from '../../release/rebuild-pages.ts'
import { PitlaneError, EXIT } from '../../errors.ts'
import { guard, printJson, reporter, withState } from '../command.ts'
import type { Report } from '../../run/progress.ts'
import type { Context } from '../context.ts'
import { planRevision } from '../planning.ts'
import { publishing } from '../publishing.ts'

export async function rebuild(this: Context, flags: { check: boolean; noWait: boolean; json: boolean }): Promise<void> {
  await guard(this, flags.json, async () => {
    const project = await this.project()
    const plan = await planRevision(project, undefined)
    if (plan.release?.publish == null) {
      throw new PitlaneError('CONFIG_INVALID', `${project.file} declares no bucket`, {
        hint: 'Add `publish: { bucket: FOLDER }`.',
      })
    }
    const notes: string[] = []
    const text = reporter(this, false)
    // With --json there is one document, and what was noted stands in it.
    const report: Report = (progress) => {
      if (!flags.json) text(progress)
      else if (progress.event === 'note') notes.push(progress.message)
    }
    await withState(this, project, flags, 'pitlane pages rebuild', report, async (state) => {
      const { lists } = await publishing(this, project, plan, { ...state, report, noWait: flags.noWait })
      const changed = flags.check ? await checkPages(lists) : await rebuildPages(lists, this.stop.drain)
      if (flags.json) printJson(this, { changed, notes })
      else if (changed.length === 0)
        this.process.stdout.write('page, lists, feeds and pointers are what the documents say\n')
      else for (const key of changed) this.process.stdout.write(`${flags.check ? 'differs' : 'written'}  ${key}\n`)
      if (flags.check && changed.length > 0) this.exitCode = EXIT.failed
    })
  })
}

import type { Context } from '../context.ts'
import { guard, printJson } from '../command.ts'
import { diffPlans, renderPlan } from '../plan-text.ts'
import { describeChanges, planRevision } from '../planning.ts'

export async function plan(this: Context, flags: { diff?: string; json: boolean }, revision?: string): Promise<void> {
  await guard(this, flags.json, async () => {
    const project = await this.project()
    const made = await planRevision(project, revision)
    if (flags.diff !== undefined) {
      const differences = diffPlans(await planRevision(project, flags.diff), made)
      if (flags.json) printJson(this, { from: flags.diff, to: made.source.commit, differences })
      else
        this.process.stdout.write(differences.length === 0 ? 'the plans are the same\n' : `${differences.join('\n')}\n`)
      return
    }
    if (flags.json) return printJson(this, made)
    this.process.stdout.write(renderPlan(made))
    const changes = revision === undefined ? await describeChanges(project, Promise.resolve(made)) : null
    if (changes !== null) this.process.stderr.write(`note: ${changes}\n`)
  })
}

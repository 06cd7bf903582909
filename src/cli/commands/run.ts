import { checksDigest } from '../../plan/plan-id.ts'
import { buildFailure, carryOutBuild } from '../../run/build.ts'
import { guard, reporter, withState } from '../command.ts'
import type { Context } from '../context.ts'
import { describeChanges, planRevision } from '../planning.ts'

export async function run(this: Context, flags: { jobs?: number; noWait: boolean; json: boolean }, revision?: string): Promise<void> {
  await guard(this, flags.json, async () => {
    const project = await this.project()
    const plan = await planRevision(project, revision)
    const report = reporter(this, flags.json)
    const changes = revision === undefined ? await describeChanges(project) : null
    if (changes !== null) report({ event: 'note', message: changes })
    await withState(this, project, flags, `pitlane run ${revision ?? 'HEAD'}`, report, async (_state, engine) => {
      const actor = await this.actor(project)
      const build = await carryOutBuild(engine, { kind: 'checks', plan, checksDigest: checksDigest(plan), actor }, this.stop)
      if (build.state !== 'succeeded') throw await buildFailure(engine, build)
    })
  })
}

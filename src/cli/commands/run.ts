import { checksDigest } from '../../plan/plan-id.ts'
import { buildFailure, carryOutBuild } from '../../run/build.ts'
import { guard, reporter, withState } from '../command.ts'
import type { Context } from '../context.ts'
import { describeChanges, planRevision } from '../planning.ts'

export async function run(
  this: Context,
  flags: { jobs?: number; noWait: boolean; json: boolean },
  revision?: string,
): Promise<void> {
  await guard(this, flags.json, async () => {
    const project = await this.project()
    this.loadState()
    const planning = planRevision(project, revision)
    const [plan, changes, actor] = await Promise.all([
      planning,
      revision === undefined ? describeChanges(project, planning) : null,
      this.actor(project),
    ])
    const report = reporter(this, flags.json)
    if (changes !== null) report({ event: 'note', message: changes })
    await withState(this, project, flags, `pitlane run ${revision ?? 'HEAD'}`, report, async (_state, engine) => {
      const event = {
        kind: 'manual',
        revision: revision ?? 'HEAD',
        actor,
        at: this.clock.now(),
      } as const
      const build = await carryOutBuild(
        engine,
        { kind: 'checks', plan, checksDigest: checksDigest(plan), event },
        this.stop,
      )
      if (build.state !== 'succeeded') throw await buildFailure(engine, build)
    })
  })
}

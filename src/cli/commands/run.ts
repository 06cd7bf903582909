import { checksDigest } from '../../plan/plan-id.ts'
import { buildFailure, carryOutBuild } from '../../run/build.ts'
import { suspendOthers } from '../../run/suspend.ts'
import { guard, reporter, tidyUp, withState } from '../command.ts'
import type { Context } from '../context.ts'
import { readRequest } from '../request.ts'

export async function run(
  this: Context,
  flags: { jobs?: number; noWait: boolean; json: boolean },
  revision?: string,
): Promise<void> {
  await guard(this, flags.json, async () => {
    const request = await readRequest(this, 'run', revision)
    const { project, plan, changes } = request
    const report = reporter(this, flags.json)
    if (changes !== null) report({ event: 'note', message: changes })
    await withState(this, project, flags, request.command, report, async (state, engine) => {
      const digest = checksDigest(plan)
      await suspendOthers(engine, { checks: digest, release: null })
      const wanted = { kind: 'checks', plan, checksDigest: digest, event: request.event() } as const
      const build = await carryOutBuild(engine, wanted, this.stop)
      if (build.state !== 'succeeded') throw await buildFailure(engine, build)
      await tidyUp(state, engine)
    })
  })
}

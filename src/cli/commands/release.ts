import { PitlaneError } from '../../errors.ts'
import { inheritPlan } from '../../release/inherit-plan.ts'
import { release as releasePlan } from '../../release/release.ts'
import { guard, reporter, tidyUp, withState } from '../command.ts'
import type { Context } from '../context.ts'
import { publishing } from '../publishing.ts'
import { readRequest } from '../request.ts'

export async function release(
  this: Context,
  flags: { jobs?: number; noWait: boolean; reason?: string; takeTags: boolean; json: boolean },
  revision?: string,
): Promise<void> {
  await guard(this, flags.json, async () => {
    const request = await readRequest(this, 'release', revision)
    const { project, plan: planned, changes } = request
    if (planned.release?.publish == null) {
      throw new PitlaneError(
        'CONFIG_INVALID',
        `${project.file} at ${planned.source.commit.slice(0, 12)} declares no release to publish`,
        {
          hint: 'Add `release:` (what to build) and `publish:` (the bucket), and commit it.',
        },
      )
    }
    const report = reporter(this, flags.json)
    if (changes !== null) throw dirty(changes)
    await withState(this, project, flags, request.command, report, async (state, engine) => {
      const plan = await inheritPlan(state.writer.db, planned)
      const parts = await publishing(this, project, plan, { ...state, ...flags, report })
      const { repository } = project
      await releasePlan(
        { engine, content: state.content, repository, ...parts, pitlaneVersion: this.pitlaneVersion, stop: this.stop },
        { plan, event: request.event(), reason: flags.reason ?? null },
      )
      await tidyUp(state, engine)
    })
  })
}

/** `pitlane release` without a revision means "what I have here", and that has to be what is committed. */
function dirty(changes: string): PitlaneError {
  return new PitlaneError('DIRTY_TREE', changes, {
    hint: 'Commit or stash them, or name the revision: `pitlane release HEAD` releases the commit as it is.',
  })
}

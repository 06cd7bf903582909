import { PitlaneError } from '../../errors.ts'
import type { Plan } from '../../plan/plan.ts'
import { shellWord } from '../../shell-word.ts'
import { inheritPlan } from '../../release/inherit-plan.ts'
import { release as releasePlan } from '../../release/release.ts'
import { guard, reporter, tidyUp, withState } from '../command.ts'
import type { Context, Project } from '../context.ts'
import { publishing } from '../publishing.ts'
import { readRequest } from '../request.ts'

export async function release(
  this: Context,
  flags: { jobs?: number; noWait: boolean; reason?: string; json: boolean },
  revision?: string,
): Promise<void> {
  await guard(this, flags.json, async () => {
    const request = await readRequest(this, 'release', revision)
    const { project, plan: planned, changes, named } = request
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
    if (changes !== null && !named) throw dirty(changes)
    const tags = await tagsBeside(project, planned)
    for (const message of [changes, tags]) if (message !== null) report({ event: 'note', message })
    await withState(this, project, flags, request.command, report, async (state, engine) => {
      const plan = await inheritPlan(state.writer.db, planned)
      const parts = await publishing(this, project, plan, { ...state, report, noWait: flags.noWait })
      const { repository } = project
      await releasePlan(
        { engine, content: state.content, repository, ...parts, pitlaneVersion: this.pitlaneVersion, stop: this.stop },
        { plan, event: request.event(), reason: flags.reason ?? null, inherited: plan.id !== planned.id },
      )
      await tidyUp(state, engine)
    })
  })
}

/** A commit is released as one, also where a tag names it: whoever has just made the tag may not know. */
async function tagsBeside({ repository }: Project, { source, version, channel }: Plan): Promise<string | null> {
  if (source.tag !== null) return null
  const tags = (await repository.tags()).filter(({ commit }) => commit === source.commit)
  const [tag] = tags
  if (tag === undefined) return null
  const names = tags.slice(0, 3).map(({ name }) => name)
  return `${version.slice(0, 12)} is released as a commit (${channel}), not as ${names.join(', ')}: that would be \`pitlane release ${shellWord(tag.name)}\``
}

/** `pitlane release` without a revision means "what I have here", and that has to be what is committed. */
function dirty(changes: string): PitlaneError {
  return new PitlaneError('DIRTY_TREE', changes, {
    hint: 'Commit or stash them, or name the revision: `pitlane release HEAD` releases the commit as it is.',
  })
}

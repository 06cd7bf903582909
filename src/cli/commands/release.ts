import { EXIT, PitlaneError } from '../../errors.ts'
import type { Plan } from '../../plan/plan.ts'
import { shellWord } from '../../words/shell-word.ts'
import { inheritPlan } from '../../release/inherit-plan.ts'
import { release as releasePlan, type ReleaseParts } from '../../release/release.ts'
import { startOver } from '../../release/start-over/start-over.ts'
import { guard, reporter, tidyUp, withState } from '../command.ts'
import type { Context, Project } from '../context.ts'
import { publishing } from '../publishing.ts'
import { readRequest } from '../request.ts'

export interface ReleaseFlags {
  readonly jobs?: number
  readonly noWait: boolean
  readonly reason?: string
  readonly takeTags: boolean
  readonly startOver: boolean
  readonly dryRun: boolean
  readonly yes: boolean
  readonly json: boolean
}

export async function release(this: Context, flags: ReleaseFlags, revision?: string): Promise<void> {
  await guard(this, flags.json, async () => {
    requireAsked(this, flags)
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
      const parts = await publishing(this, project, plan, { ...state, ...flags, report })
      const { repository } = project
      const { content } = state
      const all = { engine, content, repository, ...parts, pitlaneVersion: this.pitlaneVersion, stop: this.stop }
      if (flags.startOver && (await begunAnew(this, flags, all, plan)) === 'stopped') return
      const inherited = plan.id !== planned.id
      await releasePlan(all, { plan, event: request.event(), reason: flags.reason ?? null, inherited })
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

function requireAsked(context: Context, { startOver: asked, dryRun, yes }: ReleaseFlags): void {
  if (!asked && (dryRun || yes))
    throw new PitlaneError('USAGE', `${dryRun ? '--dry-run' : '--yes'} is for --start-over`, {
      hint: 'What a release would do is shown by `pitlane plan`.',
    })
  if (asked && !dryRun && !yes && !context.canAsk())
    throw new PitlaneError('USAGE', 'nobody is at a terminal to agree to it', {
      hint: 'See what would be removed with --dry-run, then add --yes.',
    })
}

/** What an earlier try left is removed, if that is agreed to. */
async function begunAnew(
  context: Context,
  { dryRun, yes }: ReleaseFlags,
  parts: ReleaseParts,
  plan: Plan,
): Promise<'stopped' | 'begun'> {
  const { report } = parts.engine
  const done = await startOver(parts, plan, async (shown) => {
    report({ event: 'start-over', state: 'planned', ...shown })
    return !dryRun && (yes || (await context.ask('Remove it, and begin anew?')))
  })
  if (done === 'declined') {
    if (dryRun) return 'stopped'
    report({ event: 'note', message: 'nothing was changed' })
    context.exitCode = EXIT.interrupted
    return 'stopped'
  }
  if (done !== null) report({ event: 'start-over', state: 'done', ...done })
  else report({ event: 'note', message: `there is nothing of ${plan.version} to start over` })
  return dryRun ? 'stopped' : 'begun'
}

/** `pitlane release` without a revision means "what I have here", and that has to be what is committed. */
function dirty(changes: string): PitlaneError {
  return new PitlaneError('DIRTY_TREE', changes, {
    hint: 'Commit or stash them, or name the revision: `pitlane release HEAD` releases the commit as it is.',
  })
}

import { PitlaneError, EXIT } from '../../errors.ts'
import { publicName } from '../../event/promotion.ts'
import { KEYS } from '../../plan/keys.ts'
import { changeState, type Decide, previewState, type StateChange } from '../../release/states/change-state.ts'
import type { ListParts } from '../../release/lists/list-parts.ts'
import { rollback as rollbackOf } from '../../release/states/rollback.ts'
import { checkReason } from '../../release/states/state-document.ts'
import { notesOf, requirePublish } from '../by-hand.ts'
import { guard, printJson, withState } from '../command.ts'
import type { Context } from '../context.ts'
import { oneLine, printable } from '../output.ts'
import { planRevision } from '../planning.ts'
import { publishing } from '../publishing.ts'

interface Flags {
  readonly reason?: string
  readonly dryRun: boolean
  readonly noWait: boolean
  readonly json: boolean
}

export async function withdraw(
  this: Context,
  flags: Flags & { supersededBy?: string; amend: boolean },
  version: string,
): Promise<void> {
  await change(this, flags, `pitlane releases withdraw ${version}`, false, (_, reason, actor) => () => ({
    version,
    state: 'withdrawn',
    reason,
    supersededBy: flags.supersededBy ?? null,
    amend: flags.amend,
    actor,
  }))
}

export async function restore(this: Context, flags: Flags, version: string): Promise<void> {
  await change(this, flags, `pitlane releases restore ${version}`, false, (_, reason, actor) => () => ({
    version,
    state: 'published',
    reason,
    supersededBy: null,
    amend: false,
    actor,
  }))
}

export async function rollback(this: Context, flags: Flags & { yes: boolean }, channel: string): Promise<void> {
  const asks = !flags.yes && !flags.dryRun
  await change(this, flags, `pitlane releases rollback ${channel}`, asks, (lists, reason, actor) =>
    rollbackOf(lists, channel, reason, actor),
  )
}

/** `asks`: whether a person has to agree to what is shown. */
async function change(
  context: Context,
  flags: Flags,
  command: string,
  asks: boolean,
  decide: (lists: ListParts, reason: string | null, actor: string) => Decide,
): Promise<void> {
  await guard(context, flags.json, async () => {
    const reason = flags.reason === undefined ? null : checkReason(flags.reason)
    if (asks && !context.canAsk()) {
      throw new PitlaneError('USAGE', 'nobody is at a terminal to agree to it', {
        hint: 'See what would be done with --dry-run, then add --yes.',
      })
    }
    const project = await context.project()
    const plan = await planRevision(project, undefined)
    requirePublish(plan, project)
    const { report, notes } = notesOf(context, flags.json)
    const actor = publicName(await context.actor(project))
    await withState(context, project, flags, command, report, async (state) => {
      const { lists } = await publishing(context, project, plan, { ...state, report, noWait: flags.noWait })
      const decision = decide(lists, reason, actor)
      const preview = flags.dryRun || asks ? await previewState(lists, decision) : null
      if (preview !== null && (!flags.json || asks)) tell(context, preview, 'would')
      if (preview?.changed === true && asks && !(await context.ask('Do it?'))) {
        context.process.stdout.write('nothing was changed\n')
        context.exitCode = EXIT.interrupted
        return
      }
      const shown = asks ? preview : null
      const done =
        flags.dryRun && preview !== null ? preview : await changeState(lists, decision, shown, context.stop.drain)
      if (flags.json) printJson(context, documentOf(done, flags.dryRun, notes))
      else if (!flags.dryRun) tell(context, done, 'did')
    })
  })
}

function documentOf(done: StateChange, dryRun: boolean, notes: readonly string[]) {
  const { version, state, changed, pointers, tags, documentation } = done
  return {
    version,
    changed,
    dryRun,
    state,
    pointers,
    tags,
    ...(documentation === null ? {} : { documentation }),
    notes,
  }
}

function tell({ process }: Context, told: StateChange, tense: 'would' | 'did'): void {
  const { changed, pointers, tags, documentation } = told
  const lines = [headline(told, tense)]
  if (changed) {
    lines.push(
      ...pointers.map(({ channel, from, to }) => `  ${pointerKey(channel)}: ${from ?? 'none'} → ${to ?? 'none'}`),
      ...tags.map(({ name, from, to }) => `  image ${printable(name)}: ${from ?? 'none'} → ${to ?? 'none'}`),
    )
    if (documentation !== null) {
      const { path, from, to } = documentation
      lines.push(`  documentation in ${path === '' ? 'the top' : path}: ${from ?? 'none'} → ${to ?? 'none'}`)
    }
    lines.push(
      tense === 'would'
        ? '  page, lists, feeds and install.sh follow; its files stay where they are'
        : '  page, lists, feeds and install.sh say so; its files stay where they are',
    )
  }
  process.stdout.write(`${lines.join('\n')}\n`)
}

function pointerKey(channel: string): string {
  return (channel === 'stable' ? KEYS.latest : KEYS.latestOf(channel)).slice(KEYS.releases.length)
}

function headline({ version, state, changed }: StateChange, tense: 'would' | 'did'): string {
  if (state === null) return `${version} is published and was never withdrawn`
  const { since, reason, supersededBy } = state
  const word = state.state === 'withdrawn' ? 'withdrawn' : 'published again'
  const why = `${oneLine(reason)}${supersededBy === null ? '' : `; use ${supersededBy}`}`
  if (!changed) return `${version} is already ${word}, since ${since}: ${why}`
  return `${version} ${tense === 'would' ? 'would be' : 'is'} ${word}: ${why}`
}

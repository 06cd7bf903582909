import { checkPages, rebuildPages } from '../../release/lists/rebuild-pages.ts'
import { EXIT, PitlaneError } from '../../errors.ts'
import { notesOf, requirePublish } from '../by-hand.ts'
import { guard, printJson, withState } from '../command.ts'
import type { Context } from '../context.ts'
import { planRevision } from '../planning.ts'
import { publishing } from '../publishing.ts'

export interface RebuildFlags {
  readonly without?: readonly string[]
  readonly yes: boolean
  readonly takeTags: boolean
  readonly noWait: boolean
  readonly json: boolean
}

export async function rebuild(this: Context, flags: RebuildFlags & { check: boolean }): Promise<void> {
  await refresh(this, flags, 'pitlane pages rebuild', (changed) => {
    if (changed.length === 0) return 'page, lists, feeds and pointers are what the documents say\n'
    return changed.map((key) => `${flags.check ? 'differs' : 'written'}  ${key}\n`).join('')
  })
}

/** `publish index`: the same, told in one line. */
export async function index(this: Context, flags: RebuildFlags): Promise<void> {
  await refresh(this, { ...flags, check: false }, 'pitlane publish index', (changed, location) =>
    changed.length === 0
      ? `present  page, lists, feeds and pointers  in ${location}: they are what the documents say\n`
      : `put      page, lists, feeds and pointers  in ${location}: ${changed.length} written\n`,
  )
}

async function refresh(
  context: Context,
  flags: RebuildFlags & { readonly check: boolean },
  command: string,
  words: (changed: readonly string[], location: string) => string,
): Promise<void> {
  await guard(context, flags.json, async () => {
    const asks = flags.without !== undefined && flags.without.length > 0 && !flags.check && !flags.yes
    if (asks && (flags.json || !context.canAsk())) {
      throw new PitlaneError('USAGE', 'nobody is at a terminal to agree to it', {
        hint: 'See what would be written with `pitlane pages rebuild --check`, then add --yes.',
      })
    }
    if (asks && !(await context.ask(`Give ${flags.without?.join(', ')} up for ever?`))) {
      context.process.stdout.write('nothing was changed\n')
      context.exitCode = EXIT.interrupted
      return
    }
    const project = await context.project()
    const plan = await planRevision(project, undefined)
    requirePublish(plan, project)
    const { report, notes } = notesOf(context, flags.json)
    await withState(context, project, flags, command, report, async (state) => {
      const { lists } = await publishing(context, project, plan, {
        ...state,
        ...flags,
        without: new Set(flags.without),
        report,
      })
      const changed = flags.check ? await checkPages(lists) : await rebuildPages(lists, context.stop.drain)
      if (flags.json) printJson(context, { changed, notes })
      else context.process.stdout.write(words(changed, lists.bucket.location))
      if (flags.check && changed.length > 0) context.exitCode = EXIT.failed
    })
  })
}

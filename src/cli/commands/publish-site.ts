import { stat } from 'node:fs/promises'
import { collectFolder } from '../../artifact/collect-folder.ts'
import { PitlaneError } from '../../errors.ts'
import { defaultPlace } from '../../plan/documentation.ts'
import type { SiteChange } from '../../release/documentation/change-site.ts'
import { filesOf } from '../../release/documentation/difference.ts'
import { previewSite, publishSite } from '../../release/documentation/publish-site.ts'
import { notesOf, requirePublish } from '../by-hand.ts'
import { absolute, guard, printJson, tidyUp, withState } from '../command.ts'
import type { Context } from '../context.ts'
import { formatBytes } from '../amounts.ts'
import { oneLine } from '../output.ts'
import { planRevision } from '../planning.ts'
import { publishing } from '../publishing.ts'

export interface SiteFlags {
  readonly version?: string
  readonly dryRun: boolean
  readonly noWait: boolean
  readonly json: boolean
}

export async function site(this: Context, flags: SiteFlags, folder: string): Promise<void> {
  await guard(this, flags.json, async () => {
    const project = await this.project()
    const plan = await planRevision(project, undefined)
    requirePublish(plan, project)
    const base = absolute(folder, this.cwd)
    await requireFolder(base)
    const { report, notes } = notesOf(this, flags.json)
    await withState(this, project, flags, `pitlane publish site ${folder}`, report, async (state, engine) => {
      const { content } = state
      const files = await collectFolder(base, '.', content, { shown: oneLine(folder.replace(/(.)\/+$/, '$1')) })
      const { lists } = await publishing(this, project, plan, { ...state, report, noWait: flags.noWait })
      const request = { files, version: flags.version ?? null, open: (sha256: string) => content.open(sha256) }
      const change = flags.dryRun
        ? await previewSite(lists, request)
        : await publishSite(lists, this.stop.drain, request)
      const path = (lists.documentation ?? defaultPlace()).path
      if (flags.json)
        printJson(this, {
          state: change === null ? 'present' : 'put',
          dryRun: flags.dryRun,
          bucket: lists.bucket.location,
          path,
          version: request.version,
          files: files.length,
          ...partsOf(change),
          notes,
        })
      else {
        const where = `${path === '' ? 'the top' : path} in ${lists.bucket.location}`
        const of = request.version === null ? 'of no release' : `of ${request.version}`
        const lines = flags.dryRun ? dryLines(change) : []
        this.process.stdout.write(
          `${[...lines, summary(change, files.length, `${where}, ${of}`, flags.dryRun)].join('\n')}\n`,
        )
      }
      await tidyUp(state, engine)
    })
  })
}

async function requireFolder(path: string): Promise<void> {
  const isFolder = await stat(path).then(
    (facts) => facts.isDirectory(),
    () => false,
  )
  if (isFolder) return
  throw new PitlaneError('NOT_FOUND', `there is no folder ${path}`, {
    hint: 'Name the folder that holds the finished site.',
  })
}

function partsOf(change: SiteChange | null) {
  return {
    put: change === null ? [] : filesOf(change.put).map(({ key, size, sha256 }) => ({ key, size, sha256 })),
    removed: change?.remove ?? [],
    leaving: change?.site.leaving ?? [],
  }
}

/** In the order in which it would be done. */
function dryLines(change: SiteChange | null): readonly string[] {
  if (change === null) return []
  const { removed, leaving } = partsOf(change)
  return [
    ...removed.map((key) => `remove   ${oneLine(key)}`),
    ...filesOf(change.put).map(({ key, size }) => `put      ${oneLine(key)}  ${formatBytes(size)}`),
    ...leaving.map(({ key, removeAfter }) => `leaves   ${oneLine(key)}, goes after ${removeAfter}`),
  ]
}

function summary(change: SiteChange | null, count: number, where: string, isDry: boolean): string {
  if (change === null) return `present  documentation, ${filesWord(count)}  ${where}`
  const put = filesOf(change.put)
  const bytes = put.reduce((sum, { size }) => sum + size, 0)
  const facts = [
    `${put.length} of ${filesWord(count)}${put.length === 0 ? '' : `, ${formatBytes(bytes)}`}`,
    ...(change.remove.length === 0 ? [] : [`${change.remove.length} removed`]),
    ...(change.site.leaving.length === 0 ? [] : [`${change.site.leaving.length} stay for a while`]),
  ]
  return `${isDry ? 'would put' : 'put     '} documentation, ${facts.join('; ')}  ${where}`
}

function filesWord(count: number): string {
  return `${count} file${count === 1 ? '' : 's'}`
}

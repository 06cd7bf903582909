import { requireTag } from '../../image/names.ts'
import { PitlaneError } from '../../errors.ts'
import type { Plan } from '../../plan/plan.ts'
import { publishMultiarch, type PublishedIndex } from '../../release/by-hand/publish-multiarch.ts'
import { recordImage, requireRecordable } from '../../release/by-hand/record-image.ts'
import { metering } from '../../run/meter.ts'
import { notesOf, planByHand, plannedImage } from '../by-hand.ts'
import { guard, printJson, withState } from '../command.ts'
import type { Context, Project } from '../context.ts'
import { askedTag, askedVersion, noVersion } from '../old-variables.ts'
import { publishing, type PublishingParts } from '../publishing.ts'
import { versionOfTag } from './publish-image.ts'

export interface MultiarchFlags {
  readonly tag?: string
  readonly version?: string
  readonly partial: boolean
  readonly takeTags: boolean
  readonly noWait: boolean
  readonly json: boolean
}

export async function multiarch(this: Context, flags: MultiarchFlags): Promise<void> {
  await guard(this, flags.json, async () => {
    const asked = askedVersion(flags.version, this.env)
    const tagged = askedTag(flags.tag, this.env, asked?.version ?? null)
    const version = asked ?? (tagged && { version: { ...tagged, value: versionOfTag(tagged) }, commit: null })
    if (version === null) throw noVersion()
    const project = await this.project()
    const planned = await planByHand(project, version)
    const { plan } = planned
    const { image, registry: place } = plannedImage(planned, project)
    const tag = tagged?.value ?? image.tag
    requireTag(tag)
    const { report, notes } = notesOf(this, flags.json)
    const command = `pitlane publish multiarch ${image.repository}:${tag}`
    await withState(this, project, flags, command, report, async (state) => {
      const registry = await this.registry(place, project.folder)
      const { clock, stop } = this
      const journal = {
        writer: state.writer,
        bucket: null,
        registry,
        metering: metering({ clock, report }),
        stop: stop.drain,
      }
      const options = { ...state, ...flags, report }
      const parts = tag === image.tag ? await partsOf(this, project, plan, options) : null
      const permit = async (made: PublishedIndex['image']) => {
        if (parts?.lists != null) await requireRecordable(parts.lists, { plan, image: made })
      }
      const result = await publishMultiarch(journal, { plan, image, tag, partial: flags.partial, permit })
      const { state: outcome, digest, platforms, missing } = result
      const lacks = missing.length === 0 ? '' : `; without ${missing.join(', ')}`
      let recorded: string | null = null
      try {
        if (parts !== null) recorded = await record(this, plan, result, parts)
      } finally {
        // It is there, whatever came of its document.
        const what = `${image.repository}:${tag}@${digest}  in ${registry.location}: ${platforms.join(', ')}${lacks}`
        const line = `${outcome === 'pushed' ? 'pushed  ' : 'present '} ${what}${recorded === null ? '' : `; ${recorded}`}\n`
        if (!flags.json) this.process.stdout.write(line)
      }
      const { image: _, ...about } = result
      if (flags.json)
        printJson(this, { ...about, registry: registry.location, repository: image.repository, tag, recorded, notes })
    })
  })
}

type Parts = Awaited<ReturnType<typeof publishing>> | { readonly lists: null }

/** What it takes to write a release document. A step that only has the logins of the registry does what it can. */
async function partsOf(context: Context, project: Project, plan: Plan, options: PublishingParts): Promise<Parts> {
  try {
    return await publishing(context, project, plan, options)
  } catch (error) {
    if (!(error instanceof PitlaneError) || error.code !== 'KEY_MISSING') throw error
    return { lists: null }
  }
}

/** A release by hand learns of its image. */
async function record(
  { stop, pitlaneVersion }: Context,
  plan: Plan,
  { image }: PublishedIndex,
  parts: Parts,
): Promise<string | null> {
  if (parts.lists === null) return 'its release document is left as it is: there is no signing key here'
  const { lists, images, registry } = parts
  if (registry === null) throw new PitlaneError('INTERNAL', 'an image without a registry')
  return recordImage({ ...lists, registry }, stop.drain, { plan, image: { ...image, ...images }, pitlaneVersion })
}

import { requireTag } from '../../image/names.ts'
import { publishMultiarch } from '../../release/publish-multiarch.ts'
import { notesOf, planByHand, plannedImage } from '../by-hand.ts'
import { guard, printJson, withState } from '../command.ts'
import type { Context } from '../context.ts'
import { askedTag, askedVersion, noVersion } from '../old-variables.ts'
import { requireOwnPlaces } from '../places.ts'
import { versionOfTag } from './publish-image.ts'

export interface MultiarchFlags {
  readonly tag?: string
  readonly version?: string
  readonly partial: boolean
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
    requireOwnPlaces(planned.publish, project)
    const { image, registry: place } = plannedImage(planned, project)
    const tag = tagged?.value ?? image.tag
    requireTag(tag)
    const { report, notes } = notesOf(this, flags.json)
    const command = `pitlane publish multiarch ${image.repository}:${tag}`
    await withState(this, project, flags, command, report, async ({ writer }) => {
      const registry = await this.registry(place, project.folder)
      const journal = { writer, bucket: null, registry, stop: this.stop.drain }
      const result = await publishMultiarch(journal, { plan: planned.plan, image, tag, partial: flags.partial })
      const { state, digest, platforms, missing } = result
      if (flags.json)
        return printJson(this, { ...result, registry: registry.location, repository: image.repository, tag, notes })
      const lacks = missing.length === 0 ? '' : `; without ${missing.join(', ')}`
      this.process.stdout.write(
        `${state === 'pushed' ? 'pushed  ' : 'present '} ${image.repository}:${tag}@${digest}  in ${registry.location}: ${platforms.join(', ')}${lacks}\n`,
      )
    })
  })
}

import { publishImage } from '../../release/by-hand/publish-image.ts'
import { metering } from '../../run/meter.ts'
import { binaryOf, notesOf, planByHand, plannedImage, plannedOutput, repositoryIn } from '../by-hand.ts'
import { guard, printJson, tidyUp, withState } from '../command.ts'
import type { Context } from '../context.ts'
import { askedName, askedPlatform, askedTag, askedVersion, contradict, noVersion, type Said } from '../old-variables.ts'
import type { PlannedImage } from '../../plan/plan.ts'
import type { Target } from '../../plan/targets.ts'
import { requireRepository, requireTag } from '../../image/names.ts'

export interface ImageFlags {
  readonly platform?: string
  readonly name?: string
  readonly tag?: string
  readonly version?: string
  readonly noCheck: boolean
  readonly noWait: boolean
  readonly json: boolean
}

export async function image(this: Context, flags: ImageFlags, file?: string): Promise<void> {
  await guard(this, flags.json, async () => {
    const target = askedPlatform(flags.platform, this.env)
    const asked = askedVersion(flags.version, this.env)
    const tagged = askedTag(flags.tag, this.env, asked?.version ?? null)
    const version = asked ?? (tagged && { version: { ...tagged, value: versionOfTag(tagged) }, commit: null })
    if (version === null) throw noVersion()
    const project = await this.project()
    const planned = await planByHand(project, version)
    const { plan } = planned
    const { image: whole, registry: place } = plannedImage(planned, project)
    const output = plannedOutput(plan, target, target.triple)
    const name = askedName(flags.name, this.env)
    const repository = name === null ? ownRepository(whole, target) : repositoryIn(place, name)
    if (name !== null) requireOwnName(whole, target, name, repository)
    requireRepository(repository)
    const tag = tagged?.value ?? whole.tag
    requireTag(tag)
    const { report, notes } = notesOf(this, flags.json)
    // Machines set this name, too, for purposes of their own.
    if (name?.from === 'CONTAINER_NAME' && repository !== ownRepository(whole, target)) {
      const message = `${name.from} names the repository ${repository}; without it, it is ${ownRepository(whole, target)}`
      report({ event: 'note', message })
    }
    await withState(
      this,
      project,
      flags,
      `pitlane publish image ${repository}:${tag}`,
      report,
      async (state, engine) => {
        const { content, writer } = state
        const { sha256 } = await binaryOf(this, project, content, { file, target, output, noCheck: flags.noCheck })
        const registry = await this.registry(place, project.folder)
        const { platform } = target
        const { clock, stop } = this
        const journal = { writer, bucket: null, registry, metering: metering({ clock, report }), stop: stop.drain }
        const result = await publishImage(journal, content, {
          plan,
          image: { ...whole, platforms: [{ target: target.triple, platform, repository }] },
          tag,
          name: output.name,
          binary: await content.open(sha256),
        })
        if (flags.json) {
          const about = { registry: registry.location, repository, tag, platform, version: plan.version }
          printJson(this, { ...result, ...about, checked: !flags.noCheck, notes })
        } else {
          const unchecked = flags.noCheck ? ', not held against its target' : ''
          const what = `${repository}:${tag}@${result.digest}  in ${registry.location}`
          this.process.stdout.write(
            `${result.state === 'pushed' ? 'pushed  ' : 'present '} ${what}: ${plan.version} for ${platform}${unchecked}\n`,
          )
        }
        await tidyUp(state, engine)
      },
    )
  })
}

/** `+` is `--` in a tag, and no version has two of them in a row. */
export function versionOfTag({ value }: Said): string {
  return value.replaceAll('--', '+')
}

function ownRepository({ platforms, repository }: PlannedImage, { triple }: Target): string {
  return platforms.find(({ target }) => target === triple)?.repository ?? repository
}

/** A name from the environment that is another platform's is a mistake; whoever says it with a flag wants it so. */
function requireOwnName({ platforms }: PlannedImage, target: Target, name: Said, repository: string): void {
  const other = platforms.find((platform) => platform.repository === repository && platform.target !== target.triple)
  if (other === undefined || name.from.startsWith('--')) return
  throw contradict(name, { from: 'the platform', value: `${target.platform}, and that name is of ${other.platform}` })
}

/** What the commands by hand have in common: the plan of the version that was asked for, and the binary of one of its targets. */
import { takeBinary } from '../artifact/given-binary.ts'
import type { ContentStore } from '../artifact/content.ts'
import { PitlaneError } from '../errors.ts'
import { isRegistryAddress, parseRegistryAddress } from '../image/address.ts'
import type { Plan, PlannedImage, PlannedOutput, PlannedPublish, PlannedRelease } from '../plan/plan.ts'
import type { Target } from '../plan/targets.ts'
import { checkVersionName, isCommitId } from '../plan/version-name.ts'
import type { Report } from '../run/progress.ts'
import { absolute, reporter } from './command.ts'
import type { Context, Project } from './context.ts'
import { type AskedVersion, contradict, type Said } from './old-variables.ts'
import { planRevision } from './planning.ts'

export interface PlanByHand {
  readonly plan: Plan
  readonly release: PlannedRelease
  readonly publish: PlannedPublish
  /** Null where the version is no tag of the repository: a name that a person gave. */
  readonly tag: string | null
}

/** @throws PitlaneError `USAGE`, `VERSION_NAME`, `CONFIG_INVALID`, `REVISION_UNKNOWN` */
export async function planByHand(project: Project, asked: AskedVersion): Promise<PlanByHand> {
  const { plan, tag } = await planOf(project, asked)
  return { plan, tag, ...requirePublish(plan, project) }
}

/** @throws PitlaneError `CONFIG_INVALID` */
export function requirePublish(
  { release }: Plan,
  { file }: Project,
): { readonly release: PlannedRelease; readonly publish: PlannedPublish } {
  if (release?.publish == null) {
    throw new PitlaneError('CONFIG_INVALID', `${file} declares no bucket`, {
      hint: 'Add `publish: { bucket: FOLDER }`, or an S3 address.',
    })
  }
  return { release, publish: release.publish }
}

async function planOf(project: Project, { version, commit }: AskedVersion) {
  const name = version.value
  if (isCommitId(name)) return { plan: await planRevision(project, name), tag: null }
  checkVersionName(name)
  const tagged = await project.repository.tagCommit(name)
  if (tagged === null) return { plan: await planRevision(project, commit?.value, name), tag: null }
  if (commit !== null && commit.value !== tagged)
    throw contradict({ ...version, value: `${name} (commit ${tagged})` }, commit)
  return { plan: await planRevision(project, name), tag: name }
}

/** @throws PitlaneError `USAGE` */
export function plannedOutput(plan: Plan, target: Target, said: string): PlannedOutput {
  const outputs = plan.stages.flatMap((stage) => stage.outputs)
  const output = outputs.find((candidate) => candidate.target === target.triple)
  if (output !== undefined) return output
  throw new PitlaneError('USAGE', `${said} is none of the project's targets`, {
    hint: `pitlane.yaml declares ${outputs.map(({ target: triple }) => triple).join(', ')}.`,
  })
}

/** The file that was named, or the one that a build would have left in the project; held against its target unless that is not wanted. */
export function binaryOf(
  context: Context,
  project: Project,
  content: ContentStore,
  request: {
    readonly file: string | undefined
    readonly target: Target
    readonly output: PlannedOutput
    readonly noCheck: boolean
  },
) {
  const { file, target, output, noCheck } = request
  const path = file === undefined ? absolute(output.path, project.folder) : absolute(file, context.cwd)
  return takeBinary(path, content, target, noCheck ? null : { static: output.static })
}

export interface ImagePlan {
  readonly image: PlannedImage
  /** As `pitlane.yaml` names it. */
  readonly registry: string
}

/** @throws PitlaneError `CONFIG_INVALID` */
export function plannedImage({ release, publish }: PlanByHand, { file }: Project): ImagePlan {
  if (release.image !== null && publish.registry !== null) return { image: release.image, registry: publish.registry }
  throw new PitlaneError('CONFIG_INVALID', `${file} declares no image`, {
    hint: 'Add `release.image` and `publish.registry`.',
  })
}

/**
 * A repository as it is named below the project's registry: in front of it the registry itself may stand, as in `docker pull`, by any name
 * that it goes by. A folder stands for whatever registry that is.
 * @throws PitlaneError `USAGE` for one that is in another registry
 */
export function repositoryIn(registry: string, { from, value }: Said): string {
  const [first = ''] = value.split('/', 1)
  const isNamed = value.includes('/') && isRegistryAddress(first)
  const inside = isNamed ? value.slice(first.length + 1) : value
  if (!isRegistryAddress(registry)) return inside
  const { host, namespace } = parseRegistryAddress(registry)
  if (isNamed && parseRegistryAddress(first).host.toLowerCase() !== host.toLowerCase())
    throw contradict({ from, value }, { from: 'publish.registry', value: registry })
  return namespace !== '' && inside.startsWith(namespace) ? inside.slice(namespace.length) : inside
}

/** Text that is worth a line; with `--json`, where one document is printed, notes are kept for it. */
export function notesOf(
  context: Context,
  json: boolean,
): { readonly report: Report; readonly notes: readonly string[] } {
  const notes: string[] = []
  if (!json) return { notes, report: reporter(context, false) }
  return {
    notes,
    report: (progress) => {
      if (progress.event === 'note') notes.push(progress.message)
    },
  }
}

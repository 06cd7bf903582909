/**
 * From a commit and its project file to the plan: the one place that decides what a build and its release consist of. Pure: the same
 * input gives the same plan, with the same id.
 */
import { sha256Of } from '../bytes/digest.ts'
import { PitlaneError } from '../errors.ts'
import { type BinaryPath, binaryPath } from './binary-path.ts'
import { classify, STABLE } from './channel.ts'
import type { Configuration, ConfiguredImage } from './configuration.ts'
import { requireTag } from '../image/names.ts'
import { parseConfiguration } from './dialects/pitlane/parse.ts'
import { documentationLinks, versionPath } from './documentation.ts'
import { checkVariables, documentationVariables, releaseVariables } from './environment.ts'
import { floatingTags, platformRepository } from './image-names.ts'
import { releaseNotes } from './notes.ts'
import type {
  Obligation,
  Plan,
  PlannedDocumentation,
  PlannedImage,
  PlannedOutput,
  PlannedRelease,
  PlannedStage,
  PlannedStep,
  Source,
} from './plan.ts'
import { planId } from './plan-id.ts'
import { publishMap } from './publish-map.ts'
import { TARGETS, type Target, findTarget } from './targets.ts'
import { checkVersionName } from './version-name.ts'
import { imageTag } from './version.ts'

export interface PlanInput {
  readonly source: Source
  /** The project file at the commit; `file` names it in messages. */
  readonly configuration: { readonly file: string; readonly text: Buffer }
  /** CHANGELOG.md at the commit, null when there is none. */
  readonly changelog: Buffer | null
}

type Release = NonNullable<Configuration['release']>
type Environment = Readonly<Record<string, string>>

/** What is released: resolved before anything is planned. */
interface Subject {
  readonly project: string
  readonly source: Source
  readonly version: string
  readonly channel: string
}

/** @throws PitlaneError `CONFIG_INVALID`, `VERSION_NAME` */
export function makePlan(input: PlanInput): Plan {
  const { source } = input
  const { file, text } = input.configuration
  const configuration = parseConfiguration(file, text)
  const version = source.tag === null ? source.commit : checkVersionName(source.tag)
  const channel = classify(configuration.channels, source)
  const { release } = configuration
  const subject = { project: configuration.name, source, version, channel }
  const builds = release ? targetBuilds(release, configuration.env, subject) : []
  const documentation = release ? documentationStage(release, configuration.env, subject) : null
  const content: Omit<Plan, 'id'> = {
    format: 1,
    ...subject,
    configuration: { file, sha256: sha256Of(text) },
    notes: releaseNotes(source, input.changelog),
    stages: [
      checksStage(configuration, source),
      ...builds.map(({ build }) => build),
      ...builds.flatMap(({ test }) => (test === null ? [] : [test])),
      ...(documentation === null ? [] : [documentation]),
    ],
    release: release ? plannedRelease(release, subject, builds) : null,
  }
  return { ...content, id: planId(content) }
}

function checksStage(configuration: Configuration, source: Source): PlannedStage {
  const steps = configuration.checks.map(({ name, run, timeout, env, needs }): PlannedStep => {
    return {
      id: `checks/${name}`,
      name,
      run,
      env: merge(configuration.env, env, checkVariables(source)),
      timeout,
      needs: needs.map((need) => `checks/${need}`),
    }
  })
  return { id: 'checks', kind: 'checks', target: null, needs: [], steps, outputs: [], required: true }
}

interface TargetBuild {
  readonly target: Target
  readonly build: PlannedStage
  readonly output: PlannedOutput
  readonly test: PlannedStage | null
}

function targetBuilds(release: Release, common: Environment, subject: Subject): readonly TargetBuild[] {
  return release.targets.map((triple) => {
    const target = knownTarget(triple)
    const variables = releaseVariables(subject.source, subject.version, subject.channel, target)
    const step = (
      stage: string,
      name: string,
      command: { run: string; timeout: number; env: Environment },
    ): PlannedStep => ({
      id: `${stage}/${name}`,
      name,
      run: command.run,
      env: merge(common, command.env, variables),
      timeout: command.timeout,
      needs: [],
    })
    const output = plannedOutput(release, target, binaryPath(release.build.binary, variables))
    const stage = { target: triple, outputs: [], required: true }
    const build: PlannedStage = {
      ...stage,
      id: `build/${triple}`,
      kind: 'build',
      needs: ['checks'],
      steps: [step(`build/${triple}`, 'build', release.build)],
      outputs: [output],
    }
    const test: PlannedStage | null = release.test && {
      ...stage,
      id: `test/${triple}`,
      kind: 'test',
      needs: [build.id],
      steps: [step(`test/${triple}`, 'test', release.test)],
      required: release.test.required.includes(triple),
    }
    return { target, build, output, test }
  })
}

/** Where nothing of it would be published it is not built; null then. */
function documentationStage(release: Release, common: Environment, subject: Subject): PlannedStage | null {
  const planned = plannedDocumentation(release, subject)
  const build = release.documentation?.build ?? null
  if (planned === null || build === null || (planned.kept === null && !planned.newest)) return null
  const { source, version, channel } = subject
  const links = documentationLinks(release.publish.public, planned)
  const step: PlannedStep = {
    id: 'documentation/build',
    name: 'build',
    run: build.run,
    env: merge(common, build.env, documentationVariables(source, version, channel, links)),
    timeout: build.timeout,
    needs: [],
  }
  return {
    id: 'documentation',
    kind: 'documentation',
    target: null,
    needs: ['checks'],
    steps: [step],
    outputs: [],
    folder: build.folder,
    required: true,
  }
}

function plannedDocumentation({ documentation }: Release, subject: Subject): PlannedDocumentation | null {
  if (documentation === null) return null
  const { build, ...place } = documentation
  const isKept = build !== null && place.versions && subject.source.tag !== null
  return {
    ...place,
    kept: isKept ? versionPath(place, subject.version) : null,
    newest: build !== null && place.channel === subject.channel,
  }
}

function plannedOutput(release: Release, target: Target, path: BinaryPath): PlannedOutput {
  if (path.kind === 'unfit') throw new PitlaneError('CONFIG_INVALID', `release.build.binary: ${path.problem}`)
  const obligations: Obligation[] = ['bytes', 'digest', 'elf']
  if (release.sign !== 'none') obligations.push('signature')
  if (release.test?.required.includes(target.triple)) obligations.push('test')
  if (release.image) obligations.push('image')
  obligations.push('page')
  const id = `binary/${target.triple}`
  return { id, target: target.triple, name: path.name, path: path.path, static: release.static, obligations }
}

function plannedRelease(release: Release, subject: Subject, builds: readonly TargetBuild[]): PlannedRelease {
  const image = release.image && plannedImage(release.image, subject, builds)
  const outputs = builds.map(({ output }) => output)
  const signed = release.sign !== 'none'
  const documentation = plannedDocumentation(release, subject)
  return {
    targets: release.targets,
    sign: release.sign,
    image,
    ...(documentation === null ? {} : { documentation }),
    publish: { ...release.publish, map: publishMap({ ...subject, signed, outputs, image, documentation }) },
  }
}

function plannedImage(image: ConfiguredImage, subject: Subject, builds: readonly TargetBuild[]): PlannedImage {
  const { project, source, version, channel } = subject
  const floating = channel === STABLE ? floatingTags(image.floating, version) : []
  for (const tag of floating) requireTag(tag)
  const platforms = builds
    .map(({ target }) => target)
    // Some clients take the first platform that fits.
    .sort((a, b) => TARGETS.indexOf(a) - TARGETS.indexOf(b))
    .map((target) => ({
      target: target.triple,
      platform: target.platform,
      repository: platformRepository(image, target),
    }))
  const standard = {
    'org.opencontainers.image.created': `${new Date(source.commitTime * 1000).toISOString().slice(0, 19)}Z`,
    'org.opencontainers.image.revision': source.commit,
    'org.opencontainers.image.title': project,
    'org.opencontainers.image.version': version,
  }
  return {
    repository: image.name,
    tag: imageTag(version),
    command: image.command,
    env: Object.entries(image.env).map(([name, value]) => `${name}=${value}`),
    labels: merge(standard, image.labels),
    platforms,
    // Absent as it is in plans of before: same input, same id.
    ...(image.format === 'docker' && { format: image.format }),
    ...(floating.length > 0 && { floating }),
  }
}

function knownTarget(triple: string): Target {
  const target = findTarget(triple)
  if (target === undefined) throw new PitlaneError('CONFIG_INVALID', `there is no target ${triple}`)
  return target
}

/** Later ones win; sorted by name. */
function merge(...environments: readonly Environment[]): Environment {
  const entries = environments.flatMap((environment) => Object.entries(environment))
  return Object.fromEntries([...new Map(entries)].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)))
}

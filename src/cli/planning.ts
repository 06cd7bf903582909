/** From a revision to its plan: the files at that commit, and nothing of the working tree. */
import { existsSync, readFileSync, statSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { isS3Address } from '../buckets/address.ts'
import { isRegistryAddress } from '../image/address.ts'
import type { Configuration } from '../plan/configuration.ts'
import { PitlaneError } from '../errors.ts'
import type { Plan } from '../plan/plan.ts'
import { absolute } from './command.ts'
import type { Project } from './context.ts'
import { requireOwnPlaces } from './places.ts'

const CONFIGURATION_LIMIT = 1024 * 1024
const CHANGELOG_LIMIT = 16 * 1024 * 1024

/**
 * Also what only this machine can tell of it: where bucket and image layout lie.
 * @param name a version that is no tag, which the commit is released as by hand
 */
export async function planRevision(project: Project, revision: string | undefined, name?: string): Promise<Plan> {
  const { repository, file } = project
  const asked = repository.source(revision ?? 'HEAD')
  // What reads YAML and checks it is loaded while git answers.
  const loading = import('../plan/make-plan.ts')
  const found = await asked
  const source = name === undefined ? found : { ...found, tag: name, tagMessage: null }
  const text = await repository.file(source.commit, file, CONFIGURATION_LIMIT)
  if (text === null) {
    throw new PitlaneError('CONFIG_MISSING', `there is no ${file} in commit ${source.commit}`, {
      hint: existsSync(join(project.folder, 'pitlane.yaml'))
        ? 'There is one in the working tree: commit it, or name a revision that has it.'
        : 'Write one with `pitlane init`, and commit it.',
    })
  }
  const changelog = await repository.file(source.commit, join(dirname(file), 'CHANGELOG.md'), CHANGELOG_LIMIT)
  const { makePlan } = await loading
  const plan = makePlan({ source, configuration: { file, text }, changelog })
  if (plan.release?.publish) requireOwnPlaces(plan.release.publish, project)
  return plan
}

/** The configuration at HEAD, as `planRevision` reads it. */
export async function committedConfiguration({ repository, file }: Project): Promise<Configuration | null> {
  const { commit } = await repository.source('HEAD')
  const text = await repository.file(commit, file, CONFIGURATION_LIMIT)
  const { parseConfiguration } = await import('../plan/dialects/pitlane/parse.ts')
  return text === null ? null : parseConfiguration(file, text)
}

/** Of the working tree, committed or not; null where there is no file. */
export async function workingConfiguration(folder: string): Promise<Configuration | null> {
  const { parseConfiguration } = await import('../plan/dialects/pitlane/parse.ts')
  const path = join(folder, 'pitlane.yaml')
  const facts = statSync(path, { throwIfNoEntry: false })
  if (facts === undefined) return null
  // Not opened: a pipe would be waited for.
  if (!facts.isFile()) {
    throw new PitlaneError('CONFIG_INVALID', `${path} is no file`, { hint: 'Move it away, or put the file there.' })
  }
  if (facts.size > CONFIGURATION_LIMIT) {
    throw new PitlaneError(
      'CONFIG_INVALID',
      `${path} has ${facts.size} bytes, and at most ${CONFIGURATION_LIMIT} are read`,
    )
  }
  return parseConfiguration('pitlane.yaml', readFileSync(path))
}

const CHANGES_LIMIT = 1000
/** It ignores itself, but for a moment of a full disk or a power cut in which it could not. */
const STATE = '.pitlane'

/** Says that the working tree differs: what is built is the commit. What releases themselves wrote is no change. Refuses nothing. */
export async function describeChanges(project: Project, planning: Promise<Plan>): Promise<string | null> {
  const [all, plan] = await Promise.all([project.repository.changes(CHANGES_LIMIT), planning])
  const written = [...publishedFolders(project, plan), join(dirname(project.file), STATE)]
  const changes = all.filter((path) => !written.some((folder) => `${path}/`.startsWith(`${folder}/`)))
  if (changes.length === 0) return null
  const shown = changes.slice(0, 3).join(', ')
  return `the working tree has changes that are not committed and not built: ${shown}${changes.length > 3 ? ', …' : ''}`
}

/** Bucket and image layout, relative to the repository's top, as git names paths. */
function publishedFolders(project: Project, { release }: Plan): readonly string[] {
  const { bucket, registry } = release?.publish ?? { bucket: null, registry: null }
  return [
    bucket === null || isS3Address(bucket) ? null : bucket,
    registry === null || isRegistryAddress(registry) ? null : registry,
  ]
    .filter((folder) => folder !== null)
    .map((folder) => join(dirname(project.file), relative(project.folder, absolute(folder, project.folder))))
}

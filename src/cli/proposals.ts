/** What a shell proposes for the next word: revisions, published versions, files. Whoever presses Tab is told nothing of what fails. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { KEYS } from '../plan/keys.ts'
import { compareVersions } from '../plan/version.ts'
import { shellWord } from '../words/shell-word.ts'
import { LIST_LIMIT } from '../release/lists/site-index.ts'
import { absolute } from './command.ts'
import { isS3Address } from '../buckets/address.ts'
import type { Context } from './context.ts'

export async function revisions(context: Context): Promise<readonly string[]> {
  try {
    const { repository } = await context.project()
    return newestFirst((await repository.tags()).map(({ name }) => name))
  } catch {
    return []
  }
}

/** Of the bucket that `--from` names, else of the project's own; of an address, the project's tags, as nothing is fetched for this. */
export async function versions(context: Context): Promise<readonly string[]> {
  try {
    const { argv } = context.process
    const at = argv.indexOf('--from')
    const from = at === -1 ? '' : (argv[at + 1] ?? '')
    // Nobody waits for a server to get a word completed.
    if (/^(?:https?|s3):/.test(from)) return await revisions(context)
    return await published(context, from)
  } catch {
    return []
  }
}

/** Those of the project that can be restored. */
export async function withdrawn(context: Context): Promise<readonly string[]> {
  try {
    const { releases } = await indexOf(context, '')
    return newestFirst(releases.filter((release) => release.withdrawn).map(({ version }) => version))
  } catch {
    return []
  }
}

/** Those of the project that have a release. */
export async function channels(context: Context): Promise<readonly string[]> {
  try {
    const { pointers } = await indexOf(context, '')
    return Object.keys(pointers).filter((name) => shellWord(name) === name)
  } catch {
    return []
  }
}

async function published(context: Context, from: string): Promise<readonly string[]> {
  return newestFirst((await indexOf(context, from)).releases.map(({ version }) => version))
}

interface Listed {
  readonly releases: readonly { readonly version: string; readonly withdrawn: boolean }[]
  readonly pointers: Readonly<Record<string, string>>
}

/** Fails when there is none. */
async function indexOf(context: Context, from: string): Promise<Listed> {
  const folder = from === '' ? await projectBucket(context) : absolute(from, context.cwd)
  const bucket = await context.bucket(folder, context.cwd)
  return JSON.parse(String(await bucket.read(KEYS.index, LIST_LIMIT))) as Listed
}

async function projectBucket(context: Context): Promise<string> {
  // Not checked against the schema, which takes as long to load as all the rest.
  const { readYaml } = await import('../plan/dialects/pitlane/read-yaml.ts')
  const folder = await context.repositoryFolder()
  const file = readYaml('pitlane.yaml', readFileSync(join(folder, 'pitlane.yaml')))
  const { publish } = file.value as { readonly publish?: { readonly bucket?: unknown } }
  const bucket = String(publish?.bucket)
  if (isS3Address(bucket)) throw new Error('nobody waits for a server')
  return absolute(bucket, folder)
}

/** Names of tags and what stands in a bucket are others' words, and bash puts a proposal into the line as it is: only what no shell takes for more. */
function newestFirst(names: readonly string[]): readonly string[] {
  return names.filter((name) => shellWord(name) === name).toSorted((a, b) => compareVersions(b, a))
}

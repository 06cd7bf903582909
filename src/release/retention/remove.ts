/**
 * Removes versions that left the lists a grace time ago, in the order tags, manifests, blobs, objects, mark: whatever is named is there, and
 * whoever finds the mark finds what is still to be removed. What anything that stays needs, stays.
 */
import { PitlaneError } from '../../errors.ts'
import type { Deletion, Registry } from '../../image/types.ts'
import { inParallel } from '../../parallel.ts'
import type { ListParts } from '../lists/list-parts.ts'
import type { ReleaseDocument } from '../document.ts'
import { readDocuments, readTrustedDocument } from '../documents.ts'
import { readStanding } from '../lists/standing.ts'
import { removeMark } from './mark.ts'
import { ImageReader, tagsOf } from './contents.ts'
import type { PlannedVersion, RetentionPlan } from './plan.ts'

export interface Left {
  readonly version: string
  /** `repository:tag` or `repository@digest`. */
  readonly name: string
}

/** Versions whose objects are removed at a time. */
const PARALLEL = 4
/** Tags of others, in one repository, that are looked at. */
const MOST_FOREIGN = 1000

export async function removeVersions(
  lists: ListParts,
  plan: RetentionPlan,
  due: readonly PlannedVersion[],
  goOn: () => void,
): Promise<{ readonly removed: readonly string[]; readonly left: readonly Left[] }> {
  const left = await removeImages(lists, plan, due, goOn)
  const keysOf = ({ contents }: PlannedVersion) =>
    [...(contents?.objects ?? []), ...(contents?.documentation ?? [])].map(({ key }) => key)
  const pieces = due.reduce((sum, version) => sum + keysOf(version).length, 0)
  const about = { of: 'what left the lists', doing: 'removing', pieces, bytes: 0 } as const
  await lists.metering(about, (meter) =>
    inParallel(due, PARALLEL, async (version) => {
      for (const key of keysOf(version)) {
        goOn()
        await lists.bucket.delete(key)
        meter.piece(0).done()
      }
    }),
  )
  const removed: string[] = []
  for (const { version } of due) {
    if (left.some((one) => one.version === version)) continue
    await removeMark(lists, version)
    removed.push(version)
  }
  return { removed, left }
}

async function removeImages(
  lists: ListParts,
  plan: RetentionPlan,
  due: readonly PlannedVersion[],
  goOn: () => void,
): Promise<readonly Left[]> {
  const { registry } = lists
  const withImages = due.filter(({ contents }) => contents !== null && contents.tags.length > 0)
  if (withImages.length === 0) return []
  if (registry === null) {
    const [first] = withImages
    throw new PitlaneError('CONFIG_INVALID', `${first?.version ?? ''} has images, and pitlane.yaml names no registry`, {
      hint: 'Put publish.registry back until they are removed.',
    })
  }
  const needed = await neededDigests(lists, registry, plan, withImages)
  const left: Left[] = []
  // Once it has said that it does not delete such things, it is not asked again.
  const refused = new Set<string>()
  const attempt = async (version: string, name: string, kind: string, act: () => Promise<Deletion>) => {
    goOn()
    await lists.bucket.requireHeld?.()
    const deletion = refused.has(kind) ? 'unsupported' : await act()
    if (deletion !== 'unsupported') return
    refused.add(kind)
    left.push({ version, name })
  }
  for (const { version, contents } of withImages)
    for (const { repository, tag, digest } of contents?.tags ?? []) {
      const there = await registry.resolveTag(repository, tag)
      if (there === null) continue
      const name = `${repository}:${tag}`
      if (there.digest !== digest) lists.note(`${name} names something else than ${version} by now: it stays`)
      else await attempt(version, name, 'tag', () => registry.deleteTag(repository, tag, digest))
    }
  for (const { version, contents } of withImages) {
    const before = left.length
    for (const { repository, digest } of contents?.manifests ?? []) {
      if (needed.has(digest) || (refused.has('manifest') && (await registry.readManifest(repository, digest)) === null))
        continue
      const name = `${repository}@${digest}`
      await attempt(version, name, 'manifest', () => registry.deleteManifest(repository, digest))
    }
    // A manifest that stays keeps its blobs.
    if (left.length > before) continue
    for (const { repository, digest } of contents?.blobs ?? [])
      if (!needed.has(digest))
        await attempt(version, `${repository}@${digest}`, 'blob', () => registry.deleteBlob(repository, digest))
  }
  return stillTagged(registry, left)
}

/** A server that does not delete tags deletes them with the manifest that they name. */
async function stillTagged(registry: Registry, left: readonly Left[]): Promise<readonly Left[]> {
  const there = await inParallel(left, PARALLEL, async (one) => {
    const [, repository, tag] = /^([^@]+):([^@:]+)$/.exec(one.name) ?? []
    if (repository === undefined || tag === undefined) return true
    return (await registry.resolveTag(repository, tag)) !== null
  })
  return left.filter((_, index) => there[index])
}

/** What the bucket shows, and what readers are shown: a listing may be an old one, and so may that of tags be. */
async function documentsThere(lists: ListParts): Promise<readonly ReleaseDocument[]> {
  const shown = (await readDocuments(lists.bucket, lists.check)).map(({ document }) => document)
  const known = new Set(shown.map(({ version }) => version))
  const { index } = await readStanding(lists)
  const hidden = (index?.releases ?? []).map(({ version }) => version).filter((version) => !known.has(version))
  const others = await inParallel(hidden, PARALLEL, (version) =>
    readTrustedDocument(lists.bucket, version, lists.check),
  )
  return [...shown, ...others.flatMap((stored) => stored?.document ?? [])]
}

/** Digests that versions which stay lead to, and what other tags of the same repositories name. */
async function neededDigests(
  lists: ListParts,
  registry: Registry,
  plan: RetentionPlan,
  due: readonly PlannedVersion[],
): Promise<ReadonlySet<string>> {
  const reader = new ImageReader(registry)
  const going = new Set(due.map(({ version }) => version))
  const documents = await documentsThere(lists)
  const staying = documents.filter(({ version }) => !going.has(version)).flatMap((document) => tagsOf(document))
  // Retired ones without a document any more that wait for a registry are known by their marks.
  const marked = plan.versions
    .filter(({ version }) => !going.has(version))
    .flatMap(({ contents }) => contents?.tags ?? [])
  const own = due.flatMap(({ contents }) => contents?.tags ?? [])
  const known = new Set([...staying, ...marked, ...own].map(({ repository, tag }) => `${repository}:${tag}`))
  const foreign: { repository: string; digest: string }[] = []
  for (const repository of new Set(own.map((tag) => tag.repository))) {
    const others = (await registry.listTags(repository)).filter((tag) => !known.has(`${repository}:${tag}`))
    if (others.length > MOST_FOREIGN)
      throw new PitlaneError('STORAGE_FAILED', `${repository} has ${others.length} tags that no release names`, {
        hint: `They may need what would be removed, and only ${MOST_FOREIGN} are looked at. Nothing was removed.`,
      })
    for (const tag of others) {
      const there = await registry.resolveTag(repository, tag)
      if (there !== null) foreign.push({ repository, digest: there.digest })
    }
  }
  const needed = new Set<string>()
  for (const images of [staying, marked, foreign]) {
    const { manifests, blobs } = await reader.contents(images)
    for (const { digest } of [...images, ...manifests, ...blobs]) needed.add(digest)
  }
  return needed
}

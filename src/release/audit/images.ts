/** Images in the registry against the documents: tags, indexes, manifests, blobs; and tags that no document names. */
import { checkImage } from '../../image/check.ts'
import { partsOfAny } from '../../image/manifest.ts'
import { isDigest } from '../../image/names.ts'
import type { Registry } from '../../image/types.ts'
import { inParallel } from '../../parallel.ts'
import { imageTag } from '../../plan/version.ts'
import { type BuiltDocument, builtOf, isAdopted, type ReleaseImage } from '../document.ts'
import { wrong } from '../verify/findings.ts'
import { isIn } from '../lists/floating.ts'
import { tagsOf } from '../retention/contents.ts'
import type { FloatingTag } from '../lists/site-index.ts'
import { Differences } from './difference.ts'
import type { AuditedVersions } from './versions.ts'

/** Images at once, and of each of them so many tags, manifests or blobs. */
const PARALLEL = 4
/** A tag is in the way of nothing: so many of one repository are told one by one. */
const MOST_TAGS = 100

export interface AuditedImages {
  /** Those that the project declares. */
  readonly repositories: readonly string[]
  /** Where tags that move on have to lead; null where the lists can't be computed, which say it. */
  readonly floating: readonly FloatingTag[] | null
  /** Whether every layer is read. */
  readonly digest: boolean
}

export async function auditImages(
  registry: Registry | null,
  { stored, marks, leaving, unread }: AuditedVersions,
  { repositories, floating, digest }: AuditedImages,
): Promise<Differences['all']> {
  const documents = stored.map(({ document }) => document)
  const built = documents.flatMap((document) => builtOf(document) ?? [])
  const withImages = built.filter(({ version, image }) => image !== null && !leaving.has(version))
  if (registry === null) {
    const found = new Differences('registry')
    for (const { version } of withImages)
      found.add(version, 'has images, and pitlane.yaml names no registry to look for them')
    return found.all
  }
  const audited = await each(withImages, async (found, document) => {
    if (document.image !== null) await auditImage(registry, found, document, document.image, digest)
  })
  const named = [
    ...documents.flatMap((document) => tagsOf(document)),
    ...[...marks.values()].flatMap(({ contents }) => contents.tags),
  ]
  const moving = (floating ?? []).filter((tag) => isIn(registry, tag))
  const known = new Set([...named, ...moving].map(({ repository, tag }) => `${repository}:${tag}`))
  // What older scripts pushed for what they put into the bucket, nobody has written down.
  const adopted = documents.filter((document) => isAdopted(document)).map(({ version }) => version)
  const unknown = new Set([...adopted, ...unread].map((version) => imageTag(version)))
  const all = new Set([...repositories, ...named.map(({ repository }) => repository)])
  // One without a version may stay where the registry takes no tag away.
  const leading = moving.filter((one) => one.digest !== null)
  const led = await each(leading, async (found, { repository, tag, version, digest: expected }) => {
    const there = (await registry.resolveTag(repository, tag))?.digest ?? null
    if (there !== expected)
      found.add(
        `${repository}:${tag}`,
        `${there === null ? 'is missing' : `names ${there}`} instead of ${expected} (${version})`,
      )
  })
  const stray = await each([...all], async (found, repository) => {
    const unnamed = (await registry.listTags(repository)).filter(
      (tag) => !known.has(`${repository}:${tag}`) && !unknown.has(tag),
    )
    const others = floating === null ? await leadingElsewhere(registry, repository, unnamed, named) : unnamed
    for (const tag of others.slice(0, MOST_TAGS)) found.add(`${repository}:${tag}`, 'is named by no document')
    if (others.length > MOST_TAGS)
      found.add(repository, `has ${others.length - MOST_TAGS} more tags that no document names`)
  })
  return [...audited, ...led, ...stray]
}

/** Several at once; what is found is in the order of the items. */
async function each<T>(
  items: readonly T[],
  look: (found: Differences, item: T) => Promise<void>,
): Promise<Differences['all']> {
  const all = await inParallel(items, PARALLEL, async (item) => {
    const found = new Differences('registry')
    await look(found, item)
    return found.all
  })
  return all.flat()
}

/** Of these tags, those that lead to none of the images that are named: another may be one that moves on. */
async function leadingElsewhere(
  registry: Registry,
  repository: string,
  tags: readonly string[],
  named: readonly { readonly digest: string }[],
): Promise<readonly string[]> {
  const images = new Set(named.map(({ digest }) => digest))
  const digests = await inParallel(tags, PARALLEL, async (tag) => (await registry.resolveTag(repository, tag))?.digest)
  return tags.filter((_, at) => !images.has(digests[at] ?? ''))
}

async function auditImage(
  registry: Registry,
  found: Differences,
  document: BuiltDocument,
  image: ReleaseImage,
  digest: boolean,
): Promise<void> {
  if (digest) {
    const files = new Map(document.files.map((file) => [file.target, file]))
    for (const { subject, problem } of await checkImage(registry, image, files)) found.add(subject, problem)
    return
  }
  const tags = await each([image, ...image.platforms], async (own, { repository, tag, digest: expected }) => {
    await own.found(`${repository}:${tag}`, async () => {
      const there = await registry.resolveTag(repository, tag)
      if (there === null) throw wrong('is missing')
      if (there.digest !== expected) throw wrong(`names ${there.digest} instead of ${expected}`)
    })
  })
  found.all.push(...tags)
  const children = await auditManifest(registry, found, image.repository, image.digest)
  if (children === null) return
  const platforms = await each(image.platforms, async (own, { repository, digest: expected }) => {
    if (!children.includes(expected)) own.add(`${image.repository}@${image.digest}`, `does not name ${expected}`)
    // In its own repository, and in that of the index, which names it.
    for (const at of new Set([repository, image.repository])) await auditManifest(registry, own, at, expected)
  })
  found.all.push(...platforms)
}

/** @returns digests of the manifests that it names; null when it is not there as it should be */
async function auditManifest(
  registry: Registry,
  found: Differences,
  repository: string,
  digest: string,
): Promise<readonly string[] | null> {
  const name = `${repository}@${digest}`
  const parts = await found.found(name, async () => {
    const bytes = await registry.readManifest(repository, digest)
    if (bytes === null) throw wrong('is missing')
    const read = partsOfAny(bytes)
    if ('problem' in read) throw wrong(`cannot be read as a manifest: ${read.problem}`)
    return read.value
  })
  for (const { digest: blob } of parts?.blobs ?? []) {
    if (!isDigest(blob)) continue
    const at = `${repository}@${blob}`
    await found.found(at, async () => {
      if (!(await registry.hasBlob(repository, blob))) throw wrong('is missing')
    })
  }
  return parts?.manifests.map((child) => child.digest) ?? null
}

/**
 * Image tags that move on: `latest`, `1`, `1.2`. A release document names those that lead to it while it is the newest that names them, so that where
 * each leads follows from all documents, as a pointer does. Pure.
 */
import { PitlaneError } from '../../errors.ts'
import { isRegistryAddress } from '../../image/address.ts'
import type { Registry } from '../../image/types.ts'
import { inParallel } from '../../parallel.ts'
import { compareVersions } from '../../plan/version.ts'
import { KEYS } from '../../plan/keys.ts'
import { imageIn, type ReleaseDocument, type ReleaseImage } from '../document.ts'
import type { Operation } from '../publication.ts'
import type { FloatingTag, SiteIndex } from './site-index.ts'
import { isWithdrawn, type States } from '../states/state-document.ts'

/**
 * Where each tag leads, in the order of their names.
 * @param stable whole stable releases, newest first
 */
export function floatingTags(stable: readonly ReleaseDocument[], states: States): readonly FloatingTag[] {
  const tags = new Map<string, FloatingTag>()
  for (const document of stable) {
    const { version } = document
    const image = imageIn(document)
    for (const tag of image?.floating ?? []) {
      if (image === null) continue
      const { repository, digest, registry } = image
      const place = { ...(registry === undefined ? {} : { registry }), repository, tag }
      const name = nameOf(place)
      const isOffered = !isWithdrawn(states, version)
      if (isOffered && (tags.get(name)?.version ?? null) === null) tags.set(name, { ...place, version, digest })
      // Everything that names it is withdrawn, as far as is known yet.
      else if (!tags.has(name)) tags.set(name, { ...place, version: null, digest: null })
    }
  }
  return [...tags].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, tag]) => tag)
}

/** As in `docker pull`. */
export function nameOf({ registry, repository, tag }: Pick<FloatingTag, 'registry' | 'repository' | 'tag'>): string {
  return `${registry === undefined ? '' : `${registry}/`}${repository}:${tag}`
}

/** Whether images of a document are in this registry: a project may have moved to another one since. */
export function isIn({ location }: Pick<Registry, 'location'>, { registry }: Pick<FloatingTag, 'registry'>): boolean {
  return registry === undefined ? !isRegistryAddress(location) : registry === location
}

/**
 * What has to become of the tags of this registry.
 * @param known every release that there is, listed or not: what names one of their images is the project's own, and may be moved
 * @param take whether a tag that names another image is taken over
 */
export function floatingOperations(
  registry: Registry,
  tags: readonly FloatingTag[],
  known: readonly ReleaseDocument[],
  take: boolean,
): readonly Operation[] {
  const own = ownDigests(known)
  for (const tag of tags) requireNoVersions(tag, known, (image) => image.registry === tag.registry)
  return tags
    .filter((tag) => isIn(registry, tag))
    .map(({ repository, tag, digest }) => ({ to: 'floating', entry: 'lists', repository, tag, digest, own, take }))
}

/**
 * A version's own tag never moves, whoever asks: a tag that moves on can't have its name.
 * @param isThere whether an image is in the registry of the tag: one of the same name elsewhere is another
 * @throws PitlaneError `CONTRADICTION`
 */
function requireNoVersions(
  { repository, tag }: Pick<FloatingTag, 'repository' | 'tag'>,
  known: readonly ReleaseDocument[],
  isThere: (image: ReleaseImage) => boolean,
): void {
  const isVersions = (image: ReleaseImage | null) =>
    image?.repository === repository && image.tag === tag && isThere(image)
  if (!known.some((document) => isVersions(imageIn(document)))) return
  throw new PitlaneError('CONTRADICTION', `${repository}:${tag} would move on, and it is a version's own tag`, {
    hint: `There is a release of that name: take the pattern that makes "${tag}" out of release.image.floating.`,
  })
}

export function ownDigests(known: readonly ReleaseDocument[]): ReadonlySet<string> {
  return new Set(known.flatMap((document) => imageIn(document)?.digest ?? []))
}

/** @throws PitlaneError `CONTRADICTION` for a tag that names somebody else's image */
export function requireOwn(
  name: string,
  there: string,
  { own, take }: { readonly own: ReadonlySet<string>; readonly take: boolean },
): void {
  if (take || own.has(there)) return
  throw new PitlaneError('CONTRADICTION', `${name} names ${there}, which is no image of a release here`, {
    hint: 'Was it pushed by something else? Add --take-tags to take it over: `pitlane release`, `publish multiarch` and `pages rebuild` have it.',
  })
}

/**
 * Before any of these operations is carried out: no tag that would move is somebody else's.
 * @throws PitlaneError `CONTRADICTION`
 */
export async function requireOwnFloating(registry: Registry | null, operations: readonly Operation[]): Promise<void> {
  if (registry === null) return
  await inParallel(operations, PARALLEL, async (operation) => {
    if (operation.to !== 'floating') return
    const { repository, tag, digest } = operation
    const there = (await registry.resolveTag(repository, tag))?.digest ?? null
    if (there !== null && there !== digest) requireOwn(`${repository}:${tag}`, there, operation)
  })
}

/** How many tags are looked at at once. */
const PARALLEL = 16

/**
 * Like pointers, they only move forward.
 * @param mayGo a version that is withdrawn, or given up by name
 * @throws PitlaneError `PLAN_CONTRADICTION`
 */
export function refuseTagsBackwards(
  before: SiteIndex['floating'],
  after: SiteIndex['floating'],
  mayGo: (version: string) => boolean,
): void {
  for (const tag of before ?? []) {
    const { version } = tag
    if (version === null || mayGo(version)) continue
    const now = after?.find((other) => nameOf(other) === nameOf(tag))?.version ?? null
    if (now !== null && compareVersions(now, version) >= 0) continue
    throw new PitlaneError('PLAN_CONTRADICTION', `${nameOf(tag)} would go back from ${version} to ${now ?? 'none'}`, {
      hint: `Tags only move forward. ${KEYS.document(version)} is missing from the bucket: put its folder back, or the whole bucket as it was.`,
    })
  }
}

/**
 * Before anything of a release goes out: none of its tags that move on is somebody else's.
 * @throws PitlaneError `CONTRADICTION`
 */
export async function requireOwnTags(
  registry: Registry | null,
  image: Pick<ReleaseImage, 'repository' | 'digest' | 'floating'>,
  known: readonly ReleaseDocument[],
  take: boolean,
): Promise<void> {
  const own = new Set([...ownDigests(known), image.digest])
  for (const tag of image.floating ?? []) {
    requireNoVersions(
      { repository: image.repository, tag },
      known,
      (other) => registry === null || isIn(registry, other),
    )
    const there = await registry?.resolveTag(image.repository, tag)
    if (there != null) requireOwn(`${image.repository}:${tag}`, there.digest, { own, take })
  }
}

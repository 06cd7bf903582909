/**
 * Which documents may be listed. A publication that died after `release.json` and before the image tags leaves a document of a version that is
 * not complete; another version's publication, or `pages rebuild`, must not make it visible.
 */
import type { Bucket } from '../../buckets/types.ts'
import type { Registry } from '../../image/types.ts'
import { ahead, inParallel } from '../../parallel.ts'
import { KEYS } from '../../plan/keys.ts'
import { builtOf, type ReleaseDocument, type ReleaseImage } from '../document.ts'
import type { StoredDocument } from '../revisions.ts'
import type { Signer } from '../keys/sign.ts'
import type { SiteIndex } from './site-index.ts'

/** How many releases, or objects of one, are looked at at once. */
const PARALLEL = 16

export interface ListableParts {
  readonly bucket: Bucket
  readonly registry: Registry | null
  /** Null when the project asked for `sign: none`. */
  readonly signer: Signer | null
}

export interface Listable {
  readonly listed: readonly StoredDocument[]
  /** Versions that are left out, each with what it lacks. */
  readonly incomplete: readonly { readonly version: string; readonly lacks: string }[]
}

/**
 * What readers see listed already was complete when it was listed; every other version is looked at.
 * @param index only one that the project itself has made
 */
export async function listable(
  parts: ListableParts,
  stored: readonly StoredDocument[],
  index: SiteIndex | null,
): Promise<Listable> {
  const known = new Map(index?.releases.map((release) => [release.version, release.document.sha256]))
  const looked = await inParallel(stored, PARALLEL, async (candidate) => {
    const isKnown = known.get(candidate.document.version) === candidate.sha256
    return { candidate, lacks: isKnown ? null : await whatLacks(parts, candidate.document) }
  })
  const listed: StoredDocument[] = []
  const incomplete: { version: string; lacks: string }[] = []
  for (const { candidate, lacks } of looked) {
    if (lacks === null) listed.push(candidate)
    else incomplete.push({ version: candidate.document.version, lacks })
  }
  return { listed, incomplete }
}

/** What a release that is not listed yet lacks to be, in words; null when it is complete. */
export async function whatLacks(
  { bucket, registry, signer }: ListableParts,
  document: ReleaseDocument,
): Promise<string | null> {
  const { files, signing } = document
  // A project that signs now may have releases from before. A new one without a signature could be anybody's.
  if (signer !== null && signing.scheme === 'none') return 'a signature'
  const built = builtOf(document)
  const image = ahead(lackingImage(registry, built?.image ?? null))
  const paths = files.map(({ path }) => path)
  const found = await inParallel(paths, PARALLEL, (path) => bucket.head(path))
  const lost = files.find(({ size }, at) => found[at]?.size !== size)
  if (lost !== undefined) return lost.path
  // What is kept of it went out before its list did.
  if (built?.documentation !== undefined && (await bucket.head(KEYS.documentation(built.version))) === null)
    return KEYS.documentation(built.version)
  return image
}

/** An image whose tag does not name the published one, in words; null when there is none. */
export async function lackingImage(registry: Registry | null, image: ReleaseImage | null): Promise<string | null> {
  if (image === null) return null
  const tags = [...image.platforms, image]
  const found = await inParallel(tags, PARALLEL, async ({ repository, tag }) => {
    return (await registry?.resolveTag(repository, tag))?.digest
  })
  const lost = tags.find(({ digest }, at) => found[at] !== digest)
  return lost === undefined ? null : `image ${lost.repository}:${lost.tag}`
}

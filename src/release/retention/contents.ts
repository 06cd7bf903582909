/** Everything that a version consists of, by what its release document names: objects of the bucket, tags, manifests and blobs. */
import { partsOfAny } from '../../image/manifest.ts'
import { MANIFEST_LIMIT } from '../../image/media-types.ts'
import { isDigest } from '../../image/names.ts'
import type { Registry } from '../../image/types.ts'
import { PitlaneError } from '../../errors.ts'
import { KEYS } from '../../plan/keys.ts'
import { besideFiles, builtOf, isAdopted, type ReleaseDocument, revisionOf } from '../document.ts'
import type { Contents } from './retired.ts'
import type { States } from '../states/state-document.ts'

export type StoredContent = Contents['manifests'][number]

/**
 * Keys in the order in which they are removed. The list of the documentation goes first: a version whose removal has begun lacks something. A document goes before its signatures: without them it could not be believed, and would
 * stop every publication. Of the revisions of a release document the first goes first: without it there is no release, and without the last
 * there would be another one. Until then its states have to say what became of it.
 * @param document its newest revision
 */
export function objectsOf(document: ReleaseDocument, states: States): readonly string[] {
  return objectsUpTo(document, states.get(document.version)?.state.revision ?? 0)
}

/** The same where the state is known by its number: 0 for a release that was never withdrawn. */
export function objectsUpTo(document: ReleaseDocument, lastState: number): readonly string[] {
  const { version, files, signing } = document
  const documentation = builtOf(document)?.documentation
  const signed = signing.scheme !== 'none'
  const revisions = numbersTo(revisionOf(document))
  const stateRevisions = numbersTo(lastState)
  const documents = [
    ...sumsRevisions(document).map((revision) => KEYS.sums(version, revision)),
    ...revisions.map((revision) => KEYS.document(version, revision)),
  ]
  const withSides = (key: string, isSigned: boolean) => [key, ...(isSigned ? [`${key}.minisig`, `${key}.sig`] : [])]
  return [
    ...(documentation === undefined ? [] : withSides(KEYS.documentation(version), signed)),
    ...files.flatMap(({ path }) => [path, ...besideFiles(document).map((side) => `${path}${side}`)]),
    ...documents.flatMap((key) => withSides(key, signed)),
    // A project that signs now may have released this one before.
    ...stateRevisions.flatMap((revision) => withSides(KEYS.state(version, revision), true)),
  ]
}

/** Revisions that have checksums: of an adopted release those since somebody has computed them, which is the last one or none. */
function sumsRevisions(document: ReleaseDocument): readonly number[] {
  const newest = revisionOf(document)
  if (!isAdopted(document)) return numbersTo(newest)
  return document.adopted.digests === 'unknown' ? [] : [newest]
}

function numbersTo(last: number): readonly number[] {
  return Array.from({ length: last }, (_, index) => index + 1)
}

/** In the order in which they are removed. */
export function tagsOf(document: ReleaseDocument): Contents['tags'] {
  const image = builtOf(document)?.image ?? null
  return image === null
    ? []
    : [image, ...image.platforms].map(({ repository, tag, digest }) => ({ repository, tag, digest }))
}

/** Follows images down to their blobs, each manifest read once. */
export class ImageReader {
  readonly #registry: Registry
  readonly #known = new Map<string, Promise<ImageParts>>()

  constructor(registry: Registry) {
    this.#registry = registry
  }

  /** Manifests, indexes before what they name, and blobs; what is not there is left out. */
  async contents(
    images: readonly { readonly repository: string; readonly digest: string }[],
  ): Promise<{ readonly manifests: readonly StoredContent[]; readonly blobs: readonly StoredContent[] }> {
    const manifests = new Map<string, StoredContent>()
    const blobs = new Map<string, StoredContent>()
    // An image index that is tagged, what it names, and once more what other tools put in between.
    let level = [...images]
    for (let depth = 0; level.length > 0 && depth < DEPTH; depth += 1) {
      const next: { readonly repository: string; readonly digest: string }[] = []
      for (const { repository, digest } of level) {
        const parts = await this.#read(repository, digest)
        if (parts === null) continue
        // Read again at a deeper level, it comes later.
        manifests.delete(`${repository}@${digest}`)
        manifests.set(`${repository}@${digest}`, { repository, digest, size: parts.size })
        for (const blob of parts.blobs) blobs.set(`${repository}@${blob.digest}`, { repository, ...blob })
        next.push(...parts.manifests.map((child) => ({ repository, digest: child })))
      }
      level = next
    }
    return { manifests: [...manifests.values()], blobs: [...blobs.values()] }
  }

  #read(repository: string, digest: string): Promise<ImageParts> {
    const name = `${repository}@${digest}`
    const known = this.#known.get(name) ?? this.#parts(repository, digest)
    this.#known.set(name, known)
    return known
  }

  async #parts(repository: string, digest: string): Promise<ImageParts> {
    const bytes = await this.#registry.readManifest(repository, digest)
    if (bytes === null || bytes.length > MANIFEST_LIMIT) return null
    const parts = partsOfAny(bytes)
    if ('problem' in parts)
      throw new PitlaneError(
        'STORAGE_FAILED',
        `${repository}@${digest} cannot be read as a manifest: ${parts.problem}`,
        {
          hint: 'Nothing is removed while it is not known what it names.',
        },
      )
    const { blobs, manifests } = parts.value
    return {
      size: bytes.length,
      blobs: blobs.filter((blob) => isDigest(blob.digest)).map(({ digest: name, size }) => ({ digest: name, size })),
      // Other algorithms are other tools'.
      manifests: manifests.map((child) => child.digest).filter((child) => isDigest(child)),
    }
  }
}

type ImageParts = {
  readonly size: number
  readonly blobs: readonly { readonly digest: string; readonly size: number }[]
  readonly manifests: readonly string[]
} | null

const DEPTH = 4

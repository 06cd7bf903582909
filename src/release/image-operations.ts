/** How images are put into a registry: what has to be there before what, under which names. */
import type { Body } from '../buckets/types.ts'
import type { AssembledImage, Document, ImageFacts, PlatformImage } from '../image/image.ts'
import type { Descriptor } from '../image/types.ts'
import type { Plan } from '../plan/plan.ts'
import { bodyOf } from './digest.ts'
import type { Operation } from './publication.ts'

/** Stored bytes by SHA-256. */
type StoredBody = (sha256: string, size: number) => Body

export function imageFacts(plan: Plan): ImageFacts {
  return {
    name: plan.project,
    version: plan.version,
    revision: plan.source.commit,
    commitTime: plan.source.commitTime,
  }
}

/** Blobs and manifests go to the platform's own repository and to the multi-platform one, whose index names them. */
export function imageOperations(
  image: AssembledImage,
  { repository, tag }: { readonly repository: string; readonly tag: string },
  body: StoredBody,
): Operation[] {
  return [
    ...image.platforms.flatMap((platform) =>
      [platform.repository, repository].flatMap((name) => platformOperations(platform, name, body)),
    ),
    manifestOperation('image-index', repository, image.index),
    ...image.platforms.map((platform) => tagOperation(platform.repository, tag, platform.manifest.descriptor)),
    tagOperation(repository, tag, image.index.descriptor),
  ]
}

/** The image of one platform, by digest. */
export function platformOperations(
  { layer, config, manifest }: Pick<PlatformImage, 'layer' | 'config' | 'manifest'>,
  repository: string,
  body: StoredBody,
): Operation[] {
  return [
    { to: 'blob', entry: 'objects', repository, body: body(hexOf(layer.digest), layer.size) },
    { to: 'blob', entry: 'objects', repository, body: bodyOf(config.bytes) },
    manifestOperation('manifests', repository, manifest),
  ]
}

export function manifestOperation(
  entry: 'manifests' | 'image-index',
  repository: string,
  { descriptor, bytes }: Document,
): Operation {
  const { mediaType, digest } = descriptor
  return { to: 'manifest', entry, repository, mediaType, bytes, sha256: hexOf(digest) }
}

export function tagOperation(repository: string, tag: string, descriptor: Descriptor): Operation {
  return { to: 'tag', entry: 'tags', repository, tag, descriptor }
}

function hexOf(digest: string): string {
  return digest.slice('sha256:'.length)
}

/**
 * Media types that Pitlane writes and reads: those of the OCI image specification 1.1 (media-types.md), and those of Docker's image manifest
 * version 2, schema 2 (manifest-v2-2.md of the distribution project), which mean the same.
 */
export const MEDIA_TYPES = {
  index: 'application/vnd.oci.image.index.v1+json',
  manifest: 'application/vnd.oci.image.manifest.v1+json',
  config: 'application/vnd.oci.image.config.v1+json',
  layer: 'application/vnd.oci.image.layer.v1.tar+gzip',
} as const

export const DOCKER_MEDIA_TYPES = {
  index: 'application/vnd.docker.distribution.manifest.list.v2+json',
  manifest: 'application/vnd.docker.distribution.manifest.v2+json',
  config: 'application/vnd.docker.container.image.v1+json',
  layer: 'application/vnd.docker.image.rootfs.diff.tar.gzip',
} as const

export type ImageFormat = 'oci' | 'docker'
export type MediaTypes = { readonly [What in keyof typeof MEDIA_TYPES]: string }

export function mediaTypesOf(format: ImageFormat): MediaTypes {
  return format === 'docker' ? DOCKER_MEDIA_TYPES : MEDIA_TYPES
}

/** What a manifest or index is of, by its own media type: everything that it names is of the same. */
export function familyOf(mediaType: string): MediaTypes {
  return Object.values<string>(DOCKER_MEDIA_TYPES).includes(mediaType) ? DOCKER_MEDIA_TYPES : MEDIA_TYPES
}

/** Bytes. Registries must accept manifests up to 4 MiB (distribution specification 1.1); nothing larger is written or read. */
export const MANIFEST_LIMIT = 4 * 1024 * 1024

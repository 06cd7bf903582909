/** Media types of the OCI image specification 1.1 (media-types.md) that Pitlane writes and reads. */
export const MEDIA_TYPES = {
  index: 'application/vnd.oci.image.index.v1+json',
  manifest: 'application/vnd.oci.image.manifest.v1+json',
  config: 'application/vnd.oci.image.config.v1+json',
  layer: 'application/vnd.oci.image.layer.v1.tar+gzip',
} as const

/** Bytes. Registries must accept manifests up to 4 MiB (distribution specification 1.1); nothing larger is written or read. */
export const MANIFEST_LIMIT = 4 * 1024 * 1024

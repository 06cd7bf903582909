/** Reading manifests, indexes and configs that somebody else may have written (OCI image specification 1.1, Docker's schema 2). Pure. */
import { z } from 'zod'
import { DOCKER_MEDIA_TYPES, MEDIA_TYPES } from './media-types.ts'
import { isDigest } from './names.ts'
import type { Descriptor } from './types.ts'

const PlatformFields = { architecture: z.string(), os: z.string(), variant: z.string().exactOptional() }

const DescriptorFields = z.object({
  mediaType: z.string(),
  digest: z.string().refine(isDigest, 'is not a sha256 digest'),
  size: z.int().nonnegative(),
  platform: z.object(PlatformFields).exactOptional(),
})

const Manifest = z.object({
  schemaVersion: z.literal(2),
  mediaType: z.enum([MEDIA_TYPES.manifest, DOCKER_MEDIA_TYPES.manifest]),
  config: DescriptorFields,
  layers: z.array(DescriptorFields),
})
export type Manifest = z.infer<typeof Manifest>

const Index = z.object({
  schemaVersion: z.literal(2),
  mediaType: z.enum([MEDIA_TYPES.index, DOCKER_MEDIA_TYPES.index]),
  manifests: z.array(DescriptorFields),
})
export type Index = z.infer<typeof Index>

const Config = z.object({
  ...PlatformFields,
  rootfs: z.object({
    type: z.literal('layers'),
    diff_ids: z.array(z.string().refine(isDigest, 'is not a sha256 digest')),
  }),
})
export type Config = z.infer<typeof Config>

/** What was read, or why it can't be. */
export type Read<T> = { readonly value: T } | { readonly problem: string }

export function readManifest(bytes: Buffer): Read<Manifest> {
  return read(Manifest, bytes)
}

export function readIndex(bytes: Buffer): Read<Index> {
  return read(Index, bytes)
}

export function readConfig(bytes: Buffer): Read<Config> {
  return read(Config, bytes)
}

/** Everything a manifest or index names, which has to be in a registry before it: blobs and manifests. */
export function readParts(
  mediaType: string,
  bytes: Buffer,
): Read<{ readonly blobs: readonly Descriptor[]; readonly manifests: readonly Descriptor[] }> {
  if (mediaType === MEDIA_TYPES.manifest || mediaType === DOCKER_MEDIA_TYPES.manifest) {
    const manifest = saying(mediaType, readManifest(bytes))
    if ('problem' in manifest) return manifest
    return { value: { blobs: [manifest.value.config, ...manifest.value.layers], manifests: [] } }
  }
  if (mediaType === MEDIA_TYPES.index || mediaType === DOCKER_MEDIA_TYPES.index) {
    const index = saying(mediaType, readIndex(bytes))
    if ('problem' in index) return index
    return { value: { blobs: [], manifests: index.value.manifests } }
  }
  return { problem: `${mediaType} is not the media type of an image manifest or index` }
}

/** One that is handed over as something else than it says of itself is read differently by different readers. */
function saying<T extends { readonly mediaType: string }>(mediaType: string, found: Read<T>): Read<T> {
  if ('problem' in found || found.value.mediaType === mediaType) return found
  return { problem: `it says that it is ${found.value.mediaType}, and not ${mediaType}` }
}

const AnyDescriptor = z.object({
  mediaType: z.string().default(''),
  digest: z.string(),
  size: z.int().nonnegative().default(0),
})
/** Whatever an OCI or Docker manifest or index may name, also through members that Pitlane writes none of. */
const Any = z.object({
  config: AnyDescriptor.optional(),
  layers: z.array(AnyDescriptor).default([]),
  blobs: z.array(AnyDescriptor).default([]),
  subject: AnyDescriptor.optional(),
  manifests: z.array(AnyDescriptor).default([]),
})
type Named = z.infer<typeof AnyDescriptor>

/** What a manifest of any kind names, so that it is kept. */
export function partsOfAny(
  bytes: Buffer,
): Read<{ readonly blobs: readonly Named[]; readonly manifests: readonly Named[] }> {
  const any = read(Any, bytes)
  if ('problem' in any) return any
  const { config, layers, blobs, subject, manifests } = any.value
  return {
    value: {
      blobs: [...(config === undefined ? [] : [config]), ...layers, ...blobs],
      manifests: [...manifests, ...(subject === undefined ? [] : [subject])],
    },
  }
}

function read<T>(schema: z.ZodType<T>, bytes: Buffer): Read<T> {
  let content: unknown
  try {
    content = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch (error) {
    return { problem: error instanceof Error ? error.message : String(error) }
  }
  const result = schema.safeParse(content)
  if (result.success) return { value: result.data }
  const issue = result.error.issues[0]
  return { problem: issue === undefined ? 'is not valid' : `${issue.path.join('.')}: ${issue.message}` }
}

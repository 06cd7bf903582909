/** The multi-platform index over the images of the platforms that are in the registry, by their digests. */
import { Readable } from 'node:stream'
import type { Body } from '../../buckets/types.ts'
import { PitlaneError } from '../../errors.ts'
import { assembleIndex, type Document, indexAnnotations, platformName } from '../../image/image.ts'
import { type ImageFormat, mediaTypesOf } from '../../image/media-types.ts'
import { type Read, readConfig, readIndex, readManifest } from '../../image/manifest.ts'
import { readBlob } from '../../image/read-blob.ts'
import type { Descriptor, Registry } from '../../image/types.ts'
import { inParallel } from '../../parallel.ts'
import type { Plan, PlannedImage } from '../../plan/plan.ts'
import { type ByHandJournal, carryOutByHand } from './by-hand-journal.ts'
import type { ReleaseImage } from '../document.ts'
import { imageFacts, manifestOperation, tagOperation } from '../image-operations.ts'
import { findContradictions } from '../contradictions.ts'
import type { Operation } from '../publication.ts'

export interface MultiarchRequest {
  readonly plan: Plan
  readonly image: PlannedImage
  readonly tag: string
  /** Whether an index that lacks planned platforms is wanted: its tag can't be given to a fuller one later. */
  readonly partial: boolean
  /** Called before anything is pushed; what it throws stops that. */
  readonly permit: (image: PublishedIndex['image']) => Promise<void>
}

export interface PublishedIndex {
  readonly state: 'pushed' | 'present'
  readonly digest: string
  readonly platforms: readonly string[]
  /** As a release document names it, but for where the registry is. */
  readonly image: Omit<ReleaseImage, 'layout' | 'registry'>
  /** Planned, and not in the registry. */
  readonly missing: readonly string[]
}

interface Found {
  readonly target: string
  readonly repository: string
  readonly platform: string
  readonly config: Document
  readonly manifest: Document
  readonly layers: readonly Descriptor[]
}

/** How many platforms are looked for at once. */
const PARALLEL = 4
/** Bytes. */
const CONFIG_LIMIT = 1024 * 1024

/** @throws PitlaneError `NOT_FOUND` when images are missing, `CONTRADICTION` when the tag names another index */
export async function publishMultiarch(
  journal: ByHandJournal & { readonly registry: Registry },
  { plan, image, tag, partial, permit }: MultiarchRequest,
): Promise<PublishedIndex> {
  const { registry } = journal
  const looked = await inParallel(image.platforms, PARALLEL, async (planned) => {
    const { repository, platform } = planned
    return { name: `${repository}:${tag}`, platform, found: await findImage(registry, planned, tag) }
  })
  const images = looked.map(({ found }) => found).filter((found) => found !== null)
  const absent = looked.filter(({ found }) => found === null)
  if (images.length === 0 || (absent.length > 0 && !partial)) throw incomplete(registry, absent)
  const { format = 'oci' } = image
  for (const found of images) requireFormat(found, format, tag)
  const index = assembleIndex(images, indexAnnotations(image, imageFacts(plan)), format)
  const { digest } = index.descriptor
  const result = {
    digest,
    platforms: images.map(({ platform }) => platform),
    image: {
      repository: image.repository,
      tag,
      digest,
      ...(tag === image.tag && image.floating !== undefined && { floating: [...image.floating] }),
      platforms: images.map((found) => described(found, tag)),
    },
    missing: absent.map((one) => one.platform),
  }
  const tagging = tagOperation(image.repository, tag, index.descriptor)
  const there = await registry.resolveTag(image.repository, tag)
  if (there !== null) await refuseFuller(registry, result, there.digest)
  await findContradictions(journal, [tagging])
  if (there !== null) return { state: 'present', ...result }
  await permit(result.image)
  await carryOutByHand(journal, `${image.repository}:${tag}`, [
    ...withoutDoubles(images.flatMap((found) => copies(registry, found, image.repository))),
    manifestOperation('image-index', image.repository, index),
    tagging,
  ])
  return { state: 'pushed', ...result }
}

/**
 * Where the tag names an index of some of these images: it was made with `--partial`, and stays that one.
 * @throws PitlaneError `CONTRADICTION`
 */
async function refuseFuller(
  registry: Registry,
  { digest, image: { repository, tag, platforms } }: Pick<PublishedIndex, 'digest' | 'image'>,
  there: string,
): Promise<void> {
  if (there === digest) return
  const bytes = await registry.readManifest(repository, there)
  const read = bytes === null ? null : readIndex(bytes)
  if (read === null || 'problem' in read) return
  const named = new Set(read.value.manifests.map((manifest) => manifest.digest))
  const added = platforms.filter((one) => !named.has(one.digest))
  // Something of it is not ours, or another image of the same platform.
  if (named.size === 0 || named.size + added.length !== platforms.length) return
  const has = platforms.filter((one) => named.has(one.digest)).map(({ platform }) => platform)
  throw new PitlaneError(
    'CONTRADICTION',
    `${repository}:${tag} is the image of ${has.join(', ')} alone, and with ${added.map(({ platform }) => platform).join(', ')} it would be another one\n  there:  ${there}\n  here:   ${digest}`,
    {
      hint: 'It was pushed with --partial, and a tag that was pushed keeps its bytes: whoever pulled it would get something else. Push all platforms under a new version (`publish binary`, `publish image`, then `publish multiarch`).',
    },
  )
}

/** An index of Docker's names manifests of Docker's, and one of OCI's those of OCI: some clients take no mixture. */
function requireFormat({ repository, manifest }: Found, format: ImageFormat, tag: string): void {
  const { mediaType } = manifest.descriptor
  if (mediaType === mediaTypesOf(format).manifest) return
  throw unfit(`${repository}:${tag}`, `is ${mediaType}, and release.image.format is ${format}`)
}

function described(
  { platform, target, repository, manifest, layers }: Found,
  tag: string,
): ReleaseImage['platforms'][number] {
  const { digest } = manifest.descriptor
  return { platform, target, repository, tag, digest, size: layers.reduce((sum, { size }) => sum + size, 0) }
}

function incomplete({ location }: Registry, absent: readonly { readonly name: string; readonly platform: string }[]) {
  const list = absent.map(({ name, platform }) => `${name} (${platform})`).join(', ')
  return new PitlaneError('NOT_FOUND', `${location} lacks ${list}`, {
    hint: 'Put them there with `pitlane publish image`. --partial makes the index of those that are there; its tag then stays that one: the others need a new version.',
  })
}

async function findImage(
  registry: Registry,
  { repository, platform, target }: PlannedImage['platforms'][number],
  tag: string,
): Promise<Found | null> {
  const name = `${repository}:${tag}`
  const tagged = await registry.resolveTag(repository, tag)
  if (tagged === null) return null
  const bytes = await registry.readManifest(repository, tagged.digest)
  if (bytes === null) throw unfit(name, `names ${tagged.digest}, which is not there`)
  const manifest = valid(name, 'manifest', readManifest(bytes))
  const { digest, size, mediaType } = manifest.config
  if (size > CONFIG_LIMIT) throw unfit(name, `has a config of ${size} bytes`)
  const config = valid(
    name,
    'config',
    await readBlob(() => registry.openBlob(repository, digest), { digest, size, mediaType }),
  )
  const { architecture, os, variant } = valid(name, 'config', readConfig(config))
  const own = { architecture, os, ...(variant === undefined ? {} : { variant }) }
  if (platformName(own) !== platform) throw unfit(name, `is an image for ${platformName(own)}, and not for ${platform}`)
  return {
    target,
    repository,
    platform,
    config: { descriptor: { mediaType, digest, size }, bytes: config },
    manifest: {
      descriptor: { mediaType: manifest.mediaType, digest: tagged.digest, size: bytes.length, platform: own },
      bytes,
    },
    layers: manifest.layers,
  }
}

/** An index can only name what is in its own repository. */
function copies(
  registry: Registry,
  { repository: from, config, layers, manifest }: Found,
  repository: string,
): Operation[] {
  const blobs = [config.descriptor, ...layers].map(
    (part): Operation => ({ to: 'blob', entry: 'objects', repository, body: blobBody(registry, from, part) }),
  )
  return [...blobs, manifestOperation('manifests', repository, manifest)]
}

function withoutDoubles(operations: readonly Operation[]): readonly Operation[] {
  const seen = new Set<string>()
  return operations.filter((operation) => {
    if (operation.to !== 'blob') return true
    const { sha256 } = operation.body
    return !seen.has(sha256) && seen.add(sha256)
  })
}

function blobBody(registry: Registry, repository: string, { digest, size }: Descriptor): Body {
  async function* chunks() {
    const blob = await registry.openBlob(repository, digest)
    if (blob === null) throw unfit(repository, `has lost ${digest}`)
    yield* blob as AsyncIterable<Buffer>
  }
  return { size, sha256: digest.slice('sha256:'.length), open: () => Readable.from(chunks(), { objectMode: false }) }
}

function valid<T>(name: string, what: string, read: Read<T>): T {
  if ('problem' in read) throw unfit(name, `has a ${what} that can't be read: ${read.problem}`)
  return read.value
}

function unfit(name: string, why: string): PitlaneError {
  return new PitlaneError('VERIFICATION_FAILED', `${name} ${why}`, {
    hint: 'Nothing was pushed. Was it pushed by something else? Use another tag, and push it with `pitlane publish image`.',
  })
}

/**
 * The images of a release as bytes: for every platform a config and a manifest, over them one multi-platform index (OCI image
 * specification 1.1: config.md, manifest.md, image-index.md, annotations.md; or the same with Docker's media types, whose manifests have no
 * annotations). Pure: same input, same digests.
 */
import { PitlaneError } from '../errors.ts'
import type { PlannedImage } from '../plan/plan.ts'
import { findTarget, TARGETS, type Target } from '../plan/targets.ts'
import { type ImageFormat, mediaTypesOf } from './media-types.ts'
import { digestOf } from './names.ts'
import type { Descriptor } from './types.ts'

/** Bytes with the descriptor that names them. */
export interface Document {
  readonly descriptor: Descriptor
  readonly bytes: Buffer
}

export interface ImageFacts {
  /** The project's name: the title, unless the project declares one. */
  readonly name: string
  readonly version: string
  /** Full commit id. */
  readonly revision: string
  /** Seconds since 1970: the commit's time. */
  readonly commitTime: number
}

/** What an image needs to know of its only layer. */
export interface LayerFacts {
  readonly digest: string
  /** Compressed bytes. */
  readonly size: number
  readonly diffId: string
}

export interface PlatformImage {
  readonly target: string
  readonly platform: string
  readonly repository: string
  readonly layer: Descriptor
  readonly config: Document
  readonly manifest: Document
}

export interface AssembledImage {
  /** In the order of the index. */
  readonly platforms: readonly PlatformImage[]
  readonly index: Document
}

const STANDARD = 'org.opencontainers.image.'
/** The last second of the year 9999: RFC 3339 has four digits for the year. */
const TIME_LIMIT = 253_402_300_799

/**
 * Builds configs, manifests and index for every platform of the plan.
 * @param layers by triple; exactly those of the plan
 * @throws PitlaneError `PLAN_CONTRADICTION` when layers and plan differ, a platform occurs twice, or a platform isn't its target's
 */
export function assembleImage(
  planned: PlannedImage,
  facts: ImageFacts,
  layers: ReadonlyMap<string, LayerFacts>,
): AssembledImage {
  for (const target of layers.keys()) {
    if (!planned.platforms.some((platform) => platform.target === target)) {
      throw contradiction(`there is a layer for ${target}, which the image ${planned.repository} does not have`)
    }
  }
  const labels = labelsOf(planned, facts)
  const platforms = planned.platforms.map(({ target: triple, platform, repository }) => {
    const target = findTarget(triple)
    if (target === undefined) throw contradiction(`the image ${planned.repository} has an unknown target ${triple}`)
    if (target.platform !== platform) {
      throw contradiction(`the image ${repository} is planned for ${platform}, but ${triple} is ${target.platform}`)
    }
    const layer = layers.get(triple)
    if (layer === undefined) throw contradiction(`there is no layer for ${triple} of the image ${planned.repository}`)
    return assemblePlatform(target, repository, planned, facts, labels, layer)
  })
  platforms.sort((a, b) => positionOf(a.target) - positionOf(b.target))
  return { platforms, index: assembleIndex(platforms, annotationsOf(labels), planned.format) }
}

/**
 * The index over platform images, in the given order.
 * @throws PitlaneError `PLAN_CONTRADICTION` when a platform occurs twice, or a descriptor and the image's config disagree about it
 */
export function assembleIndex(
  images: readonly Pick<PlatformImage, 'config' | 'manifest'>[],
  annotations: Readonly<Record<string, string>>,
  format: ImageFormat = 'oci',
): Document {
  const { index } = mediaTypesOf(format)
  const seen = new Set<string>()
  for (const { config, manifest } of images) {
    const declared = manifest.descriptor.platform
    const configured = JSON.parse(config.bytes.toString()) as NonNullable<Descriptor['platform']>
    const name = declared === undefined ? 'none' : platformName(declared)
    if (declared === undefined || name !== platformName(configured)) {
      throw contradiction(`an image is declared for ${name}, and its config says ${platformName(configured)}`)
    }
    if (seen.has(name)) throw contradiction(`the index would have two images for ${name}`)
    seen.add(name)
  }
  return document(index, {
    schemaVersion: 2,
    mediaType: index,
    manifests: images.map(({ manifest }) => manifest.descriptor),
    ...(format === 'oci' && { annotations }),
  })
}

/** What stands at the index of an image, whichever platforms it has. */
export function indexAnnotations(planned: PlannedImage, facts: ImageFacts): Readonly<Record<string, string>> {
  return annotationsOf(labelsOf(planned, facts))
}

/** `os/architecture[/variant]`. */
export function platformName(platform: NonNullable<Descriptor['platform']>): string {
  return [platform.os, platform.architecture, ...(platform.variant === undefined ? [] : [platform.variant])].join('/')
}

function assemblePlatform(
  target: Target,
  repository: string,
  planned: PlannedImage,
  facts: ImageFacts,
  labels: Readonly<Record<string, string>>,
  layer: LayerFacts,
): PlatformImage {
  const created = rfc3339(facts.commitTime)
  const types = mediaTypesOf(planned.format ?? 'oci')
  const platform = {
    architecture: target.architecture,
    os: target.os,
    ...(target.variant !== null && { variant: target.variant }),
  }
  const config = document(types.config, {
    created,
    ...platform,
    config: {
      ...(planned.env.length > 0 && { Env: planned.env }),
      ...(planned.command.length > 0 && { Cmd: planned.command }),
      Labels: labels,
    },
    rootfs: { type: 'layers', diff_ids: [layer.diffId] },
    history: [{ created, created_by: `pitlane: the ${target.triple} binary of ${facts.name} ${facts.version}` }],
  })
  const layerDescriptor = { mediaType: types.layer, digest: layer.digest, size: layer.size }
  const manifest = document(
    types.manifest,
    {
      schemaVersion: 2,
      mediaType: types.manifest,
      config: config.descriptor,
      layers: [layerDescriptor],
      ...(planned.format !== 'docker' && { annotations: annotationsOf(labels) }),
    },
    platform,
  )
  return { target: target.triple, platform: target.platform, repository, layer: layerDescriptor, config, manifest }
}

/** The project's labels under what is fact: no label can claim another version, commit or time. Sorted by name. */
function labelsOf(planned: PlannedImage, facts: ImageFacts): Readonly<Record<string, string>> {
  const labels = {
    [`${STANDARD}title`]: facts.name,
    ...planned.labels,
    [`${STANDARD}created`]: rfc3339(facts.commitTime),
    [`${STANDARD}revision`]: facts.revision,
    [`${STANDARD}version`]: facts.version,
  }
  return Object.fromEntries(Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1)))
}

/** Some readers show labels of the config, some annotations of the manifest or the index: what is standard is in all three. */
function annotationsOf(labels: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(labels).filter(([name]) => name.startsWith(STANDARD)))
}

function document(mediaType: string, content: object, platform?: Descriptor['platform']): Document {
  const bytes = Buffer.from(JSON.stringify(content))
  return {
    bytes,
    descriptor: { mediaType, digest: digestOf(bytes), size: bytes.length, ...(platform && { platform }) },
  }
}

function rfc3339(seconds: number): string {
  const held = Math.min(Math.max(Math.trunc(seconds), 0), TIME_LIMIT)
  return `${new Date(held * 1000).toISOString().slice(0, 19)}Z`
}

function positionOf(triple: string): number {
  return TARGETS.findIndex((target) => target.triple === triple)
}

function contradiction(message: string): PitlaneError {
  return new PitlaneError('PLAN_CONTRADICTION', message)
}

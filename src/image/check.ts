/**
 * Whether a registry holds exactly the images that a release document names: tags, index, manifests, configs and layers, down to the bytes
 * of the binary inside. Trusts the registry in nothing; reads it in constant memory. No I/O but through the port.
 */
import { type ErrorCode, PitlaneError } from '../errors.ts'
import { ahead, inParallel } from '../parallel.ts'
import { checkLayer, type ExpectedBinary } from './check-layer.ts'
import { platformName } from './image.ts'
import { type Manifest, type Read, readConfig, readIndex, readManifest } from './manifest.ts'
import { familyOf, type MediaTypes } from './media-types.ts'
import { isDigest, isRepository, isTag } from './names.ts'
import { readBlob } from './read-blob.ts'
import type { Pullable } from './pulling.ts'
import type { Descriptor } from './types.ts'

/** The part of a release document that describes its images. */
export interface ExpectedImage {
  readonly repository: string
  readonly tag: string
  /** Of the multi-platform index. */
  readonly digest: string
  readonly platforms: readonly ExpectedPlatform[]
}

export interface ExpectedPlatform {
  readonly platform: string
  /** Triple: the key of its binary. */
  readonly target: string
  readonly repository: string
  readonly tag: string
  /** Of the platform's manifest. */
  readonly digest: string
  /** Bytes of the compressed layer. */
  readonly size: number
}

export interface Finding {
  /** What is wrong: `dxflrs/garage:v1.0.0`, or that and the platform. */
  readonly subject: string
  readonly problem: string
}

/** Of how many images tag, manifest and config are read at once. */
const DOCUMENTS = 8
/** How many layers are unpacked at once: each on a thread of its own, while this one hashes. */
const LAYERS = 4

/** Bytes. Configs of one-binary images have some hundred. */
const CONFIG_LIMIT = 1024 * 1024

/**
 * Everything that doesn't agree, in the order of the walk; empty when the images are exactly the expected ones.
 * @param binaries by triple
 * @throws PitlaneError `STORAGE_FAILED` when the registry can't be read: nothing is known then
 */
export async function checkImage(
  registry: Pullable,
  image: ExpectedImage,
  binaries: ReadonlyMap<string, ExpectedBinary>,
): Promise<readonly Finding[]> {
  const index = new Walk(registry, image, binaries)
  const walks = image.platforms.map((platform) => ({ platform, walk: new Walk(registry, image, binaries) }))
  const documents = [
    () => index.index(),
    ...walks.map(
      ({ platform, walk }) =>
        () =>
          walk.documents(platform),
    ),
  ]
  await inParallel(documents, DOCUMENTS, (work) => work())
  await inParallel(walks, LAYERS, ({ platform, walk }) => walk.layer(platform))
  return [index, ...walks.map(({ walk }) => walk)].flatMap(({ findings }) => findings)
}

const FINDINGS: ReadonlySet<ErrorCode> = new Set(['CONTRADICTION', 'OUTPUT_UNFIT'])

/** Ends the walk below one subject; the finding is noted. */
class Stop extends Error {}

function subjectOf({ repository, tag, platform }: ExpectedPlatform): string {
  return `${repository}:${tag} (${platform})`
}

class Walk {
  readonly findings: Finding[] = []
  readonly #registry: Pullable
  readonly #image: ExpectedImage
  readonly #binaries: ReadonlyMap<string, ExpectedBinary>
  /** What the documents of the platform have led to. */
  #layer: { readonly layer: Descriptor; readonly diffId: string; readonly binary: ExpectedBinary } | null = null

  constructor(registry: Pullable, image: ExpectedImage, binaries: ReadonlyMap<string, ExpectedBinary>) {
    this.#registry = registry
    this.#image = image
    this.#binaries = binaries
  }

  index(): Promise<void> {
    return this.#below(`${this.#image.repository}:${this.#image.tag}`, (subject) => this.#index(subject))
  }

  /** What leads to the layer of a platform. */
  documents(platform: ExpectedPlatform): Promise<void> {
    return this.#below(subjectOf(platform), (subject) => this.#documents(subject, platform))
  }

  /** The layer itself, unless what leads to it is wrong. */
  layer(platform: ExpectedPlatform): Promise<void> {
    return this.#below(subjectOf(platform), (subject) => this.#unpacked(subject, platform))
  }

  async #index(subject: string): Promise<void> {
    const image = this.#image
    const { tagged, bytes } = await this.#tagged(subject, image)
    const { manifests, mediaType } = this.#parsed(subject, 'index', readIndex(bytes))
    const types = familyOf(mediaType)
    // Its own bytes say what it is, and they have the digest; what a registry says beside them has not.
    this.#agree(subject, 'the media type of the tag', tagged.mediaType, mediaType)
    const expected = new Map(image.platforms.map((platform) => [platform.platform, platform]))
    if (expected.size !== image.platforms.length) this.#note(subject, 'the release names a platform twice')
    const seen = new Set<string>()
    const there = await inParallel(manifests, DOCUMENTS, (entry) => this.#ofPlatform(entry, expected))
    for (const [at, entry] of manifests.entries()) {
      const name = entry.platform === undefined ? 'no platform' : platformName(entry.platform)
      const platform = expected.get(name)
      if (seen.has(name)) this.#note(subject, `the index has two entries for ${name}`)
      seen.add(name)
      if (platform === undefined) {
        this.#note(subject, `the index has an entry for ${name}, which the release does not have`)
        continue
      }
      this.#agree(subject, `the media type of ${name}`, entry.mediaType, types.manifest)
      this.#agree(subject, `the digest of ${name}`, entry.digest, platform.digest)
      const manifest = there[at] ?? null
      if (manifest === null) this.#note(subject, `the manifest of ${name} (${entry.digest}) is not there`)
      else this.#agree(subject, `the size of the manifest of ${name}`, entry.size, manifest.length)
    }
    for (const name of expected.keys()) if (!seen.has(name)) this.#note(subject, `the index has no entry for ${name}`)
  }

  /** Nothing is fetched for a platform that the release does not have. */
  async #ofPlatform({ platform, digest }: Descriptor, expected: ReadonlyMap<string, unknown>): Promise<Buffer | null> {
    const isExpected = platform !== undefined && expected.has(platformName(platform))
    return isExpected ? this.#registry.readManifest(this.#image.repository, digest) : null
  }

  async #documents(subject: string, platform: ExpectedPlatform): Promise<void> {
    const binary = this.#binaries.get(platform.target)
    if (binary === undefined) this.#stop(subject, `the release has no binary for ${platform.target}`)
    const { tagged, bytes } = await this.#tagged(subject, platform)
    const manifest = this.#parsed(subject, 'manifest', readManifest(bytes))
    const types = familyOf(manifest.mediaType)
    this.#agree(subject, 'the media type of the tag', tagged.mediaType, manifest.mediaType)
    const layer = this.#onlyLayer(subject, manifest, types, platform)
    const diffId = await this.#config(subject, platform, types, manifest.config)
    this.#layer = { layer, diffId, binary }
  }

  async #unpacked(subject: string, { repository }: ExpectedPlatform): Promise<void> {
    if (this.#layer === null) return
    const { layer, diffId, binary } = this.#layer
    const problems = await checkLayer(() => this.#registry.openBlob(repository, layer.digest), layer, diffId, binary)
    for (const problem of problems) this.#note(subject, problem)
  }

  #onlyLayer(subject: string, manifest: Manifest, types: MediaTypes, platform: ExpectedPlatform): Descriptor {
    const [layer, ...others] = manifest.layers
    if (layer === undefined || others.length > 0) {
      this.#stop(subject, `the manifest has ${manifest.layers.length} layers instead of one`)
    }
    this.#agree(subject, 'the media type of the layer', layer.mediaType, types.layer)
    this.#agree(subject, 'the size of the layer', layer.size, platform.size)
    return layer
  }

  /** Checks the config and returns the diff id of the only layer. */
  async #config(
    subject: string,
    platform: ExpectedPlatform,
    types: MediaTypes,
    descriptor: Descriptor,
  ): Promise<string> {
    this.#agree(subject, 'the media type of the config', descriptor.mediaType, types.config)
    if (descriptor.size > CONFIG_LIMIT) this.#stop(subject, `the config would have ${descriptor.size} bytes`)
    const blob = await readBlob(() => this.#registry.openBlob(platform.repository, descriptor.digest), descriptor)
    if ('problem' in blob) this.#stop(subject, `the config ${blob.problem}`)
    const config = this.#parsed(subject, 'config', readConfig(blob.value))
    this.#agree(subject, 'the platform of the config', platformName(config), platform.platform)
    const [diffId, ...others] = config.rootfs.diff_ids
    if (diffId === undefined || others.length > 0) {
      this.#stop(subject, `the config has ${config.rootfs.diff_ids.length} layers instead of one`)
    }
    return diffId
  }

  /** A tag, and the manifest or index that it has to name. */
  async #tagged(
    subject: string,
    { repository, tag, digest }: { readonly repository: string; readonly tag: string; readonly digest: string },
  ): Promise<{ readonly tagged: Descriptor; readonly bytes: Buffer }> {
    if (!isRepository(repository) || !isTag(tag) || !isDigest(digest)) {
      this.#stop(subject, 'the release gives a repository, tag or digest that cannot be one')
    }
    const named = ahead(this.#registry.readManifest(repository, digest))
    const tagged = await this.#registry.resolveTag(repository, tag)
    if (tagged === null) this.#stop(subject, 'there is no such tag')
    if (tagged.digest !== digest) this.#stop(subject, `the tag names ${tagged.digest} instead of ${digest}`)
    const bytes = await named
    if (bytes === null) this.#stop(subject, `${digest} is not there`)
    this.#agree(subject, `the size of ${digest}`, tagged.size, bytes.length)
    return { tagged, bytes }
  }

  #parsed<T>(subject: string, what: string, read: Read<T>): T {
    if ('problem' in read) this.#stop(subject, `the ${what} is not valid: ${read.problem}`)
    return read.value
  }

  #agree(subject: string, what: string, found: string | number, expected: string | number): void {
    if (found !== expected) this.#note(subject, `${what} is ${found} instead of ${expected}`)
  }

  #note(subject: string, problem: string): void {
    this.findings.push({ subject, problem })
  }

  #stop(subject: string, problem: string): never {
    this.#note(subject, problem)
    throw new Stop(problem)
  }

  /** Bytes that don't have their digest, or a binary no layer can hold, are a finding; a registry that can't be read is not. */
  async #below(subject: string, action: (subject: string) => Promise<void>): Promise<void> {
    try {
      await action(subject)
    } catch (error) {
      if (error instanceof Stop) return
      if (!(error instanceof PitlaneError && FINDINGS.has(error.code))) throw error
      this.#note(subject, error.message)
    }
  }
}

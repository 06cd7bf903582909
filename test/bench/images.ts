/** Images that are made already: as Pitlane keeps them, and as OCI layouts for the tools of others. */
import { linkSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { staticBinary } from '../../src/artifact/fixtures/elf-builder.ts'
import { contentStore } from '../../src/artifact/content.ts'
import { systemClock } from '../../src/clock.ts'
import { type AssembledImage, assembleImage, type ImageFacts, type LayerFacts } from '../../src/image/image.ts'
import { writeLayer } from '../../src/image/layer.ts'
import type { Descriptor } from '../../src/image/types.ts'
import type { PlannedImage } from '../../src/plan/plan.ts'
import { TARGETS } from '../../src/plan/targets.ts'
import { bodyOf } from '../../src/release/digest.ts'
import { halfCompressible } from './binaries.ts'

/** What programs need besides the stored bytes; in `made.json`. */
export interface MadeImages {
  readonly planned: PlannedImage
  readonly facts: ImageFacts
  readonly layers: readonly (readonly [triple: string, layer: LayerFacts])[]
  /** SHA-256 by triple. */
  readonly binaries: readonly (readonly [triple: string, sha256: string])[]
}

export interface Layouts {
  /** Each binary as a file. */
  readonly binaries: readonly { readonly triple: string; readonly path: string }[]
  /** Each platform's own image, as `repository:tag` and a layout with nothing else in it. */
  readonly platforms: readonly { readonly repository: string; readonly layout: string }[]
  /** The multi-platform image. */
  readonly index: { readonly repository: string; readonly layout: string }
}

export const TAG = 'v1.0.0'

/** One image for each target, with a binary of so many bytes. */
export async function makeImages(folder: string, size: number): Promise<Layouts> {
  const content = contentStore(join(folder, 'content'), systemClock)
  const layers: [string, LayerFacts][] = []
  const binaries: [string, string][] = []
  for (const [at, { triple }] of TARGETS.entries()) {
    const body = bodyOf(staticBinary(triple, halfCompressible(size, at + 1)))
    const put = (bytes: AsyncIterable<Uint8Array>) => content.putChunks(bytes, triple)
    binaries.push([triple, (await content.putChunks(body.open(), triple)).sha256])
    layers.push([triple, await writeLayer({ name: 'big', body, mtime: 1_772_366_400, put })])
  }
  const planned: PlannedImage = {
    repository: 'example/big',
    tag: TAG,
    command: ['/big'],
    env: [],
    labels: {},
    platforms: TARGETS.map(({ triple, platform, architecture }) => ({
      target: triple,
      platform,
      repository: `example/${architecture}_big`,
    })),
  }
  const facts = { name: 'big', version: TAG, revision: '0'.repeat(40), commitTime: 1_772_366_400 }
  const made: MadeImages = { planned, facts, layers, binaries }
  writeFileSync(join(folder, 'made.json'), JSON.stringify(made))
  const files = binaries.map(([triple, sha256]) => ({ triple, path: content.path(sha256) }))
  return { binaries: files, ...layoutsOf(folder, assembleImage(planned, facts, new Map(layers)), planned.repository) }
}

function layoutsOf(
  folder: string,
  { platforms, index }: AssembledImage,
  repository: string,
): Omit<Layouts, 'binaries'> {
  const layout = (name: string, top: Descriptor, parts: AssembledImage['platforms'], documents: readonly Buffer[]) => {
    const path = join(folder, name)
    const blobs = join(path, 'blobs', 'sha256')
    mkdirSync(blobs, { recursive: true })
    writeFileSync(join(path, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}')
    const annotations = { 'org.opencontainers.image.ref.name': TAG }
    writeFileSync(join(path, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests: [{ ...top, annotations }] }))
    for (const { layer, config, manifest } of parts) {
      const hex = layer.digest.slice('sha256:'.length)
      linkSync(join(folder, 'content', hex), join(blobs, hex))
      documents = [...documents, config.bytes, manifest.bytes]
    }
    for (const bytes of documents) writeFileSync(join(blobs, bodyOf(bytes).sha256), bytes)
    return path
  }
  return {
    platforms: platforms.map((platform, at) => ({
      repository: platform.repository,
      layout: layout(`platform-${at}`, platform.manifest.descriptor, [platform], []),
    })),
    index: { repository, layout: layout('index', index.descriptor, platforms, [index.bytes]) },
  }
}

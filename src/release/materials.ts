/** A release's document and everything that goes out before it is visible, computed from rows and stored bytes: again and again the same. */
import { documentHead } from './document-head.ts'
import type { Body } from '../buckets/types.ts'
import { readEvidence } from '../artifact/evidence.ts'
import { machineName } from '../artifact/machines.ts'
import { howToDecide } from '../artifact/verify-elf.ts'
import type { ArtifactRow, LayerRow, ReleaseTestRow } from '../database/queries/artifacts.ts'
import { PitlaneError } from '../errors.ts'
import { type AssembledImage, assembleImage } from '../image/image.ts'
import { KEYS } from '../plan/keys.ts'
import type { Plan } from '../plan/plan.ts'
import { findTarget, type Target } from '../plan/targets.ts'
import { bodyOf } from './digest.ts'
import { type BuiltDocument, type ReleaseFile, type ReleaseTest } from './document.ts'
import { type DocumentationFile, encodeFiles, entriesBelow } from './documentation/documents.ts'
import { filesOperations, keptOperation } from './documentation/operations.ts'
import type { Made } from './obligations.ts'
import { imageFacts, imageOperations } from './image-operations.ts'
import type { Operation } from './publication.ts'
import { binaryOperations, documentOperations } from './put-operations.ts'
import type { Signer } from './keys/sign.ts'

/** Where images go, for those who look for them. */
export interface ImagePlace {
  /** Where the image layout lies, relative to the bucket; null for a registry, and without an image. */
  readonly layout: string | null
  /** What stands in front of repositories where images are named: `docker.io`, `registry.example.org:5000/team`. Absent for a layout. */
  readonly registry?: string
}

export interface MaterialsInput {
  readonly plan: Plan
  readonly artifacts: readonly ArtifactRow[]
  readonly layers: readonly LayerRow[]
  readonly tests: readonly ReleaseTestRow[]
  /** Files of the documentation; empty where none was built. */
  readonly documentation: readonly DocumentationFile[]
  /** Null when the project asked for `sign: none`. */
  readonly signer: Signer | null
  /** Milliseconds since 1970, from the journal. */
  readonly publishedAt: number
  readonly promotion: BuiltDocument['promotion']
  readonly builder: BuiltDocument['builder']
  readonly images: ImagePlace
  /** Stored bytes by SHA-256. */
  readonly body: (sha256: string, size: number) => Body
}

export interface Materials {
  readonly document: BuiltDocument
  readonly operations: readonly Operation[]
  /** By target. */
  readonly made: ReadonlyMap<string, Made>
  readonly documentation: readonly DocumentationFile[]
}

export function makeMaterials(input: MaterialsInput): Materials {
  const { plan, signer } = input
  if (plan.release === null) throw new PitlaneError('INTERNAL', `plan ${plan.id} declares no release`)
  const image = plan.release.image === null ? null : assemble(input, plan.release.image)
  const document = makeDocument(input, image)
  const operations: Operation[] = []
  const named = { name: plan.project, version: plan.version, signer }
  for (const file of document.files) {
    const artifact = input.artifacts.find((row) => row.target === file.target)
    if (artifact === undefined) throw new PitlaneError('PLAN_CONTRADICTION', `${file.path} has no artifact`)
    const blake2b512 = Buffer.from(artifact.blake2b512, 'hex')
    operations.push(...binaryOperations(named, file, blake2b512, input.body(file.sha256, file.size)))
  }
  if (image !== null && plan.release.image !== null)
    operations.push(...imageOperations(image, plan.release.image, input.body))
  operations.push(...documentationOperations(input))
  operations.push(...documentOperations(document, signer))
  const made = new Map(
    input.artifacts.map(({ target, sha256, blake2b512 }) => {
      const layer = input.layers.find((row) => row.target === target)?.digest ?? null
      return [target, { sha256, blake2b512: Buffer.from(blake2b512, 'hex'), layer }]
    }),
  )
  return { document, operations, made, documentation: input.documentation }
}

function assemble(input: MaterialsInput, planned: NonNullable<NonNullable<Plan['release']>['image']>): AssembledImage {
  const layers = new Map(
    input.layers.map((row) => [row.target, { digest: row.digest, size: row.size, diffId: row.diff_id }]),
  )
  return assembleImage(planned, imageFacts(input.plan), layers)
}

function makeDocument(input: MaterialsInput, image: AssembledImage | null): BuiltDocument {
  const { plan } = input
  const targets = plan.release?.targets ?? []
  const checks = plan.stages.filter((stage) => stage.kind === 'checks').flatMap((stage) => stage.steps)
  return {
    ...documentHead(plan, { tag: plan.source.tag, signer: input.signer, publishedAt: input.publishedAt }),
    builder: input.builder,
    promotion: input.promotion,
    files: targets.map((target) => fileOf(input, target)),
    image: image === null ? null : imageOf(input, image),
    ...(input.documentation.length === 0 ? {} : { documentation: documentationOf(input) }),
    checks: checks.map((step) => ({ name: step.name, result: 'passed' })),
    tests: targets.map((target) => testOf(input, target)),
  }
}

function documentationOf(input: MaterialsInput): NonNullable<BuiltDocument['documentation']> {
  const { documentation: files, plan } = input
  return {
    sha256: bodyOf(filesDocument(input)).sha256,
    files: files.length,
    size: files.reduce((sum, { size }) => sum + size, 0),
    kept: plan.release?.documentation?.kept ?? null,
  }
}

function filesDocument({ plan, documentation }: MaterialsInput): Buffer {
  const { project, version } = plan
  return encodeFiles({ format: 'pitlane-documentation/1', name: project, version, files: [...documentation] })
}

/** What stays under the version: the list of the files, and the files themselves where that was asked for. */
function documentationOperations(input: MaterialsInput): readonly Operation[] {
  const { plan, documentation, body } = input
  if (documentation.length === 0) return []
  const kept = plan.release?.documentation?.kept ?? null
  const files = kept === null ? [] : entriesBelow(kept, documentation)
  return [
    ...files.map((file) => keptOperation(file, body(file.sha256, file.size))),
    ...filesOperations(input.signer, plan.project, plan.version, filesDocument(input)),
  ]
}

function fileOf(input: MaterialsInput, triple: string): ReleaseFile {
  const artifact = input.artifacts.find((row) => row.target === triple)
  const target = findTarget(triple)
  if (artifact === undefined || target === undefined) {
    throw new PitlaneError('PLAN_CONTRADICTION', `the plan declares ${triple}, and there is no artifact for it`)
  }
  const { elf, findings } = readEvidence(artifact)
  if (findings.length > 0) requireRun(input, target, findings)
  return {
    kind: 'binary',
    name: artifact.name,
    path: KEYS.binary(input.plan.version, triple, artifact.name),
    size: artifact.size,
    sha256: artifact.sha256,
    mediaType: 'application/octet-stream',
    target: triple,
    platform: target.platform,
    elf: {
      class: elf.class,
      machine: machineName(elf.machine),
      static: elf.interpreter === null && elf.needed.length === 0,
      pie: elf.type === 'dyn',
      arm:
        findings.length > 0 && target.elf.maxArmVersion !== null
          ? { version: target.elf.maxArmVersion, source: 'run' }
          : elf.arm,
    },
  }
}

/** What the file does not tell has to be shown by a run under the target's own CPU model. The release test has refused anything else already. */
function requireRun(input: MaterialsInput, target: Target, findings: readonly string[]): void {
  const test = input.tests.find((row) => row.target === target.triple)
  if (target.qemu.cpu !== null && test?.result === 'passed' && test.mode === 'qemu' && test.executed === 1) return
  throw new PitlaneError('ELF_MISMATCH', `${target.triple}: ${findings.join('; ')}; it was not run on one`, {
    hint: `${howToDecide(target)} Nothing was published.`,
  })
}

function testOf(input: MaterialsInput, triple: string): ReleaseTest {
  const platform = findTarget(triple)?.platform
  if (platform === undefined) throw new PitlaneError('INTERNAL', `no target ${triple}`)
  const declared = input.plan.stages.some((stage) => stage.kind === 'test' && stage.target === triple)
  if (!declared)
    return {
      target: triple,
      platform,
      result: 'none',
      mode: null,
      binarySha256: null,
      reason: 'the project declares no release test for this target',
    }
  const test = input.tests.find((row) => row.target === triple)
  if (test === undefined || test.result === 'running') {
    throw new PitlaneError('PLAN_CONTRADICTION', `the plan declares a release test for ${triple}, and it has no result`)
  }
  return {
    target: triple,
    platform,
    result: test.result,
    mode: test.mode,
    binarySha256: test.binary_sha256,
    ...(test.executed === null ? {} : { executed: test.executed === 1 }),
    reason: test.reason,
  }
}

function imageOf(input: MaterialsInput, image: AssembledImage): BuiltDocument['image'] {
  const planned = input.plan.release?.image
  if (!planned) return null
  return {
    repository: planned.repository,
    tag: planned.tag,
    digest: image.index.descriptor.digest,
    ...input.images,
    ...(planned.floating !== undefined && { floating: [...planned.floating] }),
    platforms: image.platforms.map((platform) => ({
      platform: platform.platform,
      target: platform.target,
      repository: platform.repository,
      tag: planned.tag,
      digest: platform.manifest.descriptor.digest,
      size: platform.layer.size,
    })),
  }
}

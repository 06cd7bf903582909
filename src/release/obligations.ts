/** Counts what the plan declared against what there is, before and after anything becomes visible. Missing is missing; nothing is assumed. */
import { machineName } from '../artifact/machines.ts'
import { PitlaneError } from '../errors.ts'
import { inParallel } from '../parallel.ts'
import { platformName } from '../image/image.ts'
import { readIndex, readManifest } from '../image/manifest.ts'
import { KEYS } from '../plan/keys.ts'
import type { Obligation, Plan, PlannedOutput } from '../plan/plan.ts'
import { findTarget } from '../plan/targets.ts'
import type { BuiltDocument, ReleaseFile } from './document.ts'
import type { DocumentationFile } from './documentation/documents.ts'
import type { PublicKey } from './keys/public-key.ts'
import { trustedCommentOf } from './keys/sign.ts'
import type { SiteIndex } from './lists/site-index.ts'
import { verifyFile } from './keys/verify-signature.ts'

/** What the build made for a target: the only bytes that may be found. */
export interface Made {
  readonly sha256: string
  readonly blake2b512: Buffer
  /** Digest of the image layer that holds it; null without an image. */
  readonly layer: string | null
}

/** What is counted: first what is about to be put, then what was read back. */
export interface Presence {
  /** SHA-256 of the object; null when it is absent. */
  readonly object: (key: string) => Promise<string | null>
  /** A small object. */
  readonly bytes: (key: string) => Promise<Buffer | null>
  readonly manifest: (repository: string, digest: string) => Promise<Buffer | null>
  /** Digest that the tag names. */
  readonly tag: (repository: string, tag: string) => Promise<string | null>
  /** What readers see; null while nothing of the release is visible. */
  readonly lists: { readonly page: string; readonly index: SiteIndex } | null
}

export interface Count {
  readonly plan: Plan
  readonly document: BuiltDocument
  /** By target. */
  readonly made: ReadonlyMap<string, Made>
  /** Null when the project asked for `sign: none`. */
  readonly key: PublicKey | null
  /** What the build made of the documentation; empty where it made none. */
  readonly documentation: readonly DocumentationFile[]
}

/** How many are looked at at once. */
const PARALLEL = 16

/** One sentence for each obligation that is not met; empty when the release is complete. */
export async function unmetObligations(count: Count, presence: Presence): Promise<string[]> {
  const { plan, document } = count
  const outputs = plan.stages.flatMap((stage) => stage.outputs)
  const unmet: string[] = []
  if (plan.release !== null && outputs.length === 0) unmet.push('the plan declares a release and not one output')
  const owed = outputs.flatMap((output) => output.obligations.map((obligation) => ({ output, obligation })))
  const counted = await inParallel(owed, PARALLEL, async ({ output, obligation }) => {
    const file = document.files.find(({ target, name }) => target === output.target && name === output.name)
    const met = file !== undefined && (await isMet(obligation, { count, presence, output, file }))
    return met ? [] : [`${output.id}: ${obligation} is missing`]
  })
  unmet.push(...counted.flat())
  unmet.push(...(await unmetDocumentation(count, presence)))
  if (document.files.length !== outputs.length) {
    unmet.push(`${outputs.length} outputs are declared and ${document.files.length} files are in the document`)
  }
  return unmet
}

/** A stage that was to leave a folder has left one, and what is out is exactly that. */
async function unmetDocumentation({ plan, document, documentation }: Count, presence: Presence): Promise<string[]> {
  const isDeclared = plan.stages.some((stage) => stage.folder !== undefined)
  const { version, documentation: named } = document
  if (!isDeclared) return named === undefined ? [] : ['documentation: the plan declares none']
  if (documentation.length === 0 || named === undefined) return ['documentation: bytes are missing']
  const unmet: string[] = []
  if (named.kept !== (plan.release?.documentation?.kept ?? null)) unmet.push('documentation: kept is missing')
  if (named.files !== documentation.length || (await presence.object(KEYS.documentation(version))) !== named.sha256)
    unmet.push('documentation: digest is missing')
  for (const { path, sha256 } of named.kept === null ? [] : documentation)
    if ((await presence.object(`${named.kept}${path}`)) !== sha256)
      unmet.push(`documentation ${path}: bytes are missing`)
  return unmet
}

interface Subject {
  readonly count: Count
  readonly presence: Presence
  readonly output: PlannedOutput
  readonly file: ReleaseFile
}

async function isMet(obligation: Obligation, subject: Subject): Promise<boolean> {
  const { count, presence, output, file } = subject
  switch (obligation) {
    case 'bytes':
      return file.sha256 === count.made.get(file.target)?.sha256 && (await presence.object(file.path)) === file.sha256
    case 'digest':
      return String(await presence.bytes(`${file.path}.sha256`)) === `${file.sha256}  ${file.name}\n`
    case 'elf':
      return fitsTarget(file, output, count.document)
    case 'signature':
      return isSigned(subject)
    case 'test':
      return isTested(count, file)
    case 'image':
      return isInImage(subject)
    case 'page':
      return isListed(subject)
  }
}

function fitsTarget({ elf, platform }: ReleaseFile, output: PlannedOutput, { tests }: BuiltDocument): boolean {
  const target = findTarget(output.target)
  if (target === undefined || elf === null || platform !== target.platform) return false
  const { maxArmVersion } = target.elf
  const test = tests.find((candidate) => candidate.target === output.target)
  const ran = test?.result === 'passed' && test.mode === 'qemu' && test.executed === true
  return (
    elf.class === target.elf.class &&
    elf.machine === machineName(target.elf.machine) &&
    (elf.static || !output.static) &&
    (maxArmVersion === null ||
      (elf.arm !== null && elf.arm.version <= maxArmVersion && (elf.arm.source !== 'run' || ran)))
  )
}

async function isSigned({ count, presence, file }: Subject): Promise<boolean> {
  const { key, document, made } = count
  const path = `${file.path}.minisig`
  const minisig = await presence.bytes(path)
  const blake2b512 = made.get(file.target)?.blake2b512
  if (key === null || minisig === null || blake2b512 === undefined) return false
  try {
    const comment = trustedCommentOf({ name: document.name, version: document.version, path: file.path })
    verifyFile(key, { blake2b512 }, minisig.toString('utf8'), comment, path)
    return true
  } catch (error) {
    if (error instanceof PitlaneError && error.code === 'VERIFICATION_FAILED') return false
    throw error
  }
}

function isTested({ plan, document }: Count, file: ReleaseFile): boolean {
  const stage = plan.stages.find((candidate) => candidate.kind === 'test' && candidate.target === file.target)
  const test = document.tests.find((candidate) => candidate.target === file.target)
  if (stage === undefined || test === undefined) return false
  if (test.result === 'passed') return test.binarySha256 === file.sha256
  return test.result === 'not-run' && !stage.required
}

/** Tags → index → manifest → the one layer that was made of this binary, in the platform's repository and in the multi-platform one. */
async function isInImage({ count, presence, file }: Subject): Promise<boolean> {
  const { image } = count.document
  const layer = count.made.get(file.target)?.layer ?? null
  const platform = image?.platforms.find((candidate) => candidate.target === file.target)
  if (image === null || layer === null || platform === undefined || platform.platform !== file.platform) return false
  const isNamed = async () => {
    const bytes = await presence.manifest(image.repository, image.digest)
    const index = bytes === null ? null : readIndex(bytes)
    if (index === null || !('value' in index)) return false
    const entries = index.value.manifests.filter((entry) => entry.digest === platform.digest)
    const named = entries[0]?.platform
    return entries.length === 1 && named !== undefined && platformName(named) === platform.platform
  }
  const holdsLayer = async (repository: string) => {
    const bytes = await presence.manifest(repository, platform.digest)
    const manifest = bytes === null ? null : readManifest(bytes)
    return (
      manifest !== null && 'value' in manifest && manifest.value.layers.map(({ digest }) => digest).join() === layer
    )
  }
  const met = await Promise.all([
    isNamed(),
    holdsLayer(platform.repository),
    holdsLayer(image.repository),
    presence.tag(platform.repository, platform.tag).then((digest) => digest === platform.digest),
    presence.tag(image.repository, image.tag).then((digest) => digest === image.digest),
  ])
  return !met.includes(false)
}

async function isListed({ count, presence, file }: Subject): Promise<boolean> {
  if (presence.lists === null) return true
  const { page, index } = presence.lists
  const { version } = count.document
  const entry = index.releases.find((release) => release.version === version)
  const listed = entry?.files.find(({ target, name }) => target === file.target && name === file.name)
  return (
    page.includes(version) &&
    page.includes(file.sha256) &&
    listed?.sha256 === file.sha256 &&
    entry?.document.sha256 === (await presence.object(KEYS.document(version)))
  )
}

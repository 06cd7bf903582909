import { constants } from 'node:fs'
import { type FileHandle, lstat, open, readdir, readlink } from 'node:fs/promises'
import { dirname, isAbsolute } from 'node:path'
import { PitlaneError, systemCode } from '../errors.ts'
import type { PlannedOutput } from '../plan/plan.ts'
import type { Target } from '../plan/targets.ts'
import type { ContentStore, StoredContent } from './content.ts'
import type { ElfFacts } from './elf-facts.ts'
import { resolveOutput } from './output-path.ts'
import { fileAccess } from './random-access.ts'
import { reading, storageFailed } from '../storage-failed.ts'
import { type ElfDemands, undecidedArm, verifyElf } from './verify-elf.ts'

export interface CollectedArtifact extends StoredContent {
  readonly outputId: string
  /** Triple. */
  readonly target: string
  readonly name: string
  readonly elf: ElfFacts
  /** What is still open about it: only a run can tell its ARM version. */
  readonly findings: readonly string[]
}

/** 4 GiB. */
const SIZE_LIMIT = 4 * 1024 ** 3

/**
 * Links may lead here: `nix-build` leaves `result`, a link into it. What is below is named by its inputs and made read-only
 * by Nix before the link is made, so nothing but Nix can have put other bytes there.
 */
const IMMUTABLE = ['/nix/store']

/** Names in the hint for a missing output. */
const NAMES_LIMIT = 8

/**
 * Copies a declared output out of the stage's workspace into the content store and verifies the stored bytes. From then on only those
 * bytes count. Call it when every process of the stage is gone.
 * @throws PitlaneError `OUTPUT_MISSING`, `OUTPUT_UNFIT`, `ELF_INVALID`, `ELF_MISMATCH`, `STORAGE_FAILED`
 */
export async function collect(
  workspace: string,
  output: PlannedOutput,
  content: ContentStore,
  target: Target,
  options: { readonly armByRun: boolean } = { armByRun: false },
): Promise<CollectedArtifact> {
  const stored = await copyOut(workspace, output.path, content)
  const demands = { static: output.static, armByRun: options.armByRun }
  const elf = await verifyStored(content.path(stored.sha256), stored.size, output, target, demands)
  const undecided = undecidedArm(elf, target)
  return {
    outputId: output.id,
    target: target.triple,
    name: output.name,
    ...stored,
    elf,
    findings: undecided === null ? [] : [undecided],
  }
}

async function copyOut(workspace: string, path: string, content: ContentStore): Promise<StoredContent> {
  if (path === '' || isAbsolute(path) || path.includes('\0') || path.split('/').includes('..')) {
    throw unfit(path, 'is not a path inside the stage folder')
  }
  const found = await resolveOutput(workspace, path, IMMUTABLE)
  if (found === null) throw await missing(workspace, path)
  // Looked at before it is opened: opening a device can do things.
  const facts = await lstat(found).catch((error: unknown) => changed(path, error))
  if (!facts.isFile()) throw unfit(path, `is ${kindOf(facts)}, not a regular file`)
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK | constants.O_NOCTTY
  const file = await open(found, flags).catch((error: unknown) => changed(path, error))
  try {
    const before = await file.stat({ bigint: true })
    if (!before.isFile() || (await openedPath(file)) !== found) throw unfit(path, 'changed while it was collected')
    if (before.size === 0n) throw unfit(path, 'is empty')
    if (before.size > BigInt(SIZE_LIMIT)) throw unfit(path, `has ${before.size} bytes, more than ${SIZE_LIMIT}`)
    const stored = await content.putFrom(file, path, SIZE_LIMIT)
    const after = await file.stat({ bigint: true })
    if (BigInt(stored.size) !== before.size || after.mtimeNs !== before.mtimeNs || after.size !== before.size) {
      throw unfit(path, 'changed while it was collected')
    }
    return stored
  } finally {
    await file.close()
  }
}

/** The path of what was opened, as Linux knows it: a folder on the way can't have been exchanged meanwhile. */
function openedPath(file: FileHandle): Promise<string> {
  const link = `/proc/self/fd/${file.fd}`
  return reading(link, readlink(link))
}

async function verifyStored(
  path: string,
  size: number,
  output: PlannedOutput,
  target: Target,
  demands: ElfDemands,
): Promise<ElfFacts> {
  const file = await reading(path, open(path, constants.O_RDONLY))
  try {
    return await verifyElf(fileAccess(file, size, path), target, demands)
  } catch (error) {
    if (!(error instanceof PitlaneError) || (error.code !== 'ELF_INVALID' && error.code !== 'ELF_MISMATCH')) throw error
    throw new PitlaneError(error.code, `${output.path} of ${target.triple}: ${error.message}`, {
      ...(error.hint === undefined ? {} : { hint: error.hint }),
      cause: error,
    })
  } finally {
    await file.close()
  }
}

function unfit(path: string, why: string): PitlaneError {
  return new PitlaneError('OUTPUT_UNFIT', `${path} ${why}`, {
    hint: 'A declared output has to be a regular file that the build leaves in its folder; see `binary` in pitlane.yaml.',
  })
}

function changed(path: string, error: unknown): never {
  const code = systemCode(error)
  if (code === 'ENOENT' || code === 'ELOOP' || code === 'ENXIO')
    throw unfit(path, `changed while it was collected (${code})`)
  throw storageFailed('reading', path, error)
}

function kindOf(facts: {
  isDirectory(): boolean
  isFIFO(): boolean
  isSocket(): boolean
  isSymbolicLink(): boolean
}): string {
  if (facts.isDirectory()) return 'a directory'
  if (facts.isFIFO()) return 'a named pipe'
  if (facts.isSocket()) return 'a socket'
  if (facts.isSymbolicLink()) return 'a symbolic link'
  return 'a device'
}

/** Says what is there instead, in the nearest folder that exists inside the workspace. */
async function missing(workspace: string, path: string): Promise<PitlaneError> {
  let folder = dirname(path)
  let names: string[] | null = null
  for (; ; folder = dirname(folder)) {
    const real = await resolveOutput(workspace, folder, IMMUTABLE).catch(() => null)
    names = real === null ? null : await readdir(real).catch(() => null)
    if (names !== null || folder === '.') break
  }
  const where = folder === '.' ? 'the stage folder' : folder
  return new PitlaneError('OUTPUT_MISSING', `${path} was not built`, { hint: describe(where, names ?? []) })
}

function describe(where: string, names: readonly string[]): string {
  if (names.length === 0) return `${where} is empty; see \`binary\` in pitlane.yaml.`
  const shown = [...names].sort().slice(0, NAMES_LIMIT)
  const rest = names.length - shown.length
  const list = shown.map((name) => JSON.stringify(name)).join(', ')
  return `${where} holds ${list}${rest > 0 ? ` and ${rest} more` : ''}; see \`binary\` in pitlane.yaml.`
}

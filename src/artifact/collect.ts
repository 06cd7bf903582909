import { constants } from 'node:fs'
import { open, readdir } from 'node:fs/promises'
import { dirname } from 'node:path'
import { PitlaneError } from '../errors.ts'
import type { PlannedOutput } from '../plan/plan.ts'
import type { Target } from '../plan/targets.ts'
import type { ContentStore, StoredContent } from './content.ts'
import { copyOut, IMMUTABLE } from './copy-out.ts'
import type { ElfFacts } from './elf-facts.ts'
import { resolveOutput } from './output-path.ts'
import { fileAccess } from './random-access.ts'
import { reading } from '../files/storage-failed.ts'
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

const HINT =
  'A declared output has to be a regular file that the build leaves in its folder; see `binary` in pitlane.yaml.'

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
  const stored = await copyOut(workspace, output.path, content, { limit: SIZE_LIMIT, mayBeEmpty: false, hint: HINT })
  if (stored === null) throw await missing(workspace, output.path)
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

/** Says what is there instead, in the nearest folder that exists inside the workspace. */
async function missing(workspace: string, path: string): Promise<PitlaneError> {
  let folder = dirname(path)
  let names: string[] | null = null
  for (; ; folder = dirname(folder)) {
    const real = await resolveOutput(workspace, folder, IMMUTABLE).catch(() => null)
    names = real === null ? null : await readdir(real).catch(() => null)
    if (names !== null || folder === '.') break
  }
  const where = folder === '.' ? 'The stage folder' : `The folder ${folder}`
  return new PitlaneError('OUTPUT_MISSING', `${path} was not built`, { hint: describe(where, names ?? []) })
}

function describe(where: string, names: readonly string[]): string {
  if (names.length === 0) return `${where} is empty; see \`binary\` in pitlane.yaml.`
  const shown = [...names].sort().slice(0, NAMES_LIMIT)
  const rest = names.length - shown.length
  const list = shown.map((name) => JSON.stringify(name)).join(', ')
  return `${where} holds ${list}${rest > 0 ? ` and ${rest} more` : ''}; see \`binary\` in pitlane.yaml.`
}

/** A binary that a person names, taken over as the outputs of a build are: copied once, and from then on only those bytes count. */
import { constants } from 'node:fs'
import { open, stat } from 'node:fs/promises'
import { PitlaneError, systemCode } from '../errors.ts'
import type { Target } from '../plan/targets.ts'
import type { ContentStore, StoredContent } from './content.ts'
import type { ElfFacts } from './elf-facts.ts'
import { readElf } from './elf.ts'
import { fileAccess } from './random-access.ts'
import { reading, storageFailed } from '../files/storage-failed.ts'
import { verifyElf } from './verify-elf.ts'

export interface GivenBinary extends StoredContent {
  /** Null when it was not checked and is no executable. */
  readonly elf: ElfFacts | null
}

/** 4 GiB, as of outputs. */
const SIZE_LIMIT = 4 * 1024 ** 3

/**
 * @param demands null: not held against its target
 * @throws PitlaneError `NOT_FOUND`, `OUTPUT_UNFIT`, `ELF_INVALID`, `ELF_MISMATCH`, `STORAGE_FAILED`
 */
export async function takeBinary(
  path: string,
  content: ContentStore,
  target: Target,
  demands: { readonly static: boolean } | null,
): Promise<GivenBinary> {
  await requireFile(path)
  const source = await reading(path, open(path, constants.O_RDONLY | constants.O_NONBLOCK))
  let stored: StoredContent
  try {
    stored = await content.putFrom(source, path, SIZE_LIMIT)
  } finally {
    await source.close()
  }
  const copy = content.path(stored.sha256)
  const file = await reading(copy, open(copy, constants.O_RDONLY))
  try {
    const access = fileAccess(file, stored.size, copy)
    const elf = demands === null ? await factsOf(access) : await verifyElf(access, target, demands)
    return { ...stored, elf }
  } catch (error) {
    if (!(error instanceof PitlaneError) || (error.code !== 'ELF_INVALID' && error.code !== 'ELF_MISMATCH')) throw error
    throw new PitlaneError(error.code, `${path}: ${error.message}`, {
      hint: `${error.hint === undefined ? '' : `${error.hint} `}--no-check puts it all the same, and what is published says so.`,
      cause: error,
    })
  } finally {
    await file.close()
  }
}

async function requireFile(path: string): Promise<void> {
  const facts = await stat(path).catch((error: unknown) => {
    if (systemCode(error) === 'ENOENT' || systemCode(error) === 'ENOTDIR')
      throw new PitlaneError('NOT_FOUND', `there is no file ${path}`, { hint: 'Name the file of the binary.' })
    throw storageFailed('reading', path, error)
  })
  const unfit = (why: string) =>
    new PitlaneError('OUTPUT_UNFIT', `${path} ${why}`, { hint: 'Name the file of the binary.' })
  if (!facts.isFile()) throw unfit('is not a regular file')
  if (facts.size === 0) throw unfit('is empty')
}

async function factsOf(access: Parameters<typeof readElf>[0]): Promise<ElfFacts | null> {
  try {
    return await readElf(access)
  } catch (error) {
    if (error instanceof PitlaneError && error.code === 'ELF_INVALID') return null
    throw error
  }
}

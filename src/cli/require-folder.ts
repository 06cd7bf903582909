import { statSync } from 'node:fs'
import { PitlaneError, systemCode } from '../errors.ts'

/** What can't be looked at may be there: only these two say for sure that it is not. */
const ABSENT = new Set<string | undefined>(['ENOENT', 'ENOTDIR'])

/** @throws PitlaneError `NOT_FOUND`, `STORAGE_FAILED` */
export function requireFolder(folder: string, hint: string): void {
  try {
    if (statSync(folder).isDirectory()) return
  } catch (error) {
    const code = systemCode(error)
    if (!ABSENT.has(code))
      throw new PitlaneError('STORAGE_FAILED', `${folder} can't be looked at: ${code ?? String(error)}`, {
        hint: 'Look whether you may read it, and every folder above it.',
        cause: error,
      })
  }
  throw new PitlaneError('NOT_FOUND', `${folder} is not a folder`, { hint })
}

/** What a failed system call means for a person, where files and folders stand for objects. */
import { statSync } from 'node:fs'
import { dirname } from 'node:path'
import { PitlaneError, systemCode } from '../../errors.ts'
import { storageFailed } from '../../files/storage-failed.ts'

/** What is done to the bucket as a whole. */
const TO_THE_BUCKET = new Set(['locking', 'writing to it'])

/**
 * The error as `STORAGE_FAILED` with the path and what to do; a PitlaneError stays what it is.
 * @param path of an object; of the bucket itself when that is what something is done to
 */
export function storageFailure(doing: string, path: string, error: unknown): PitlaneError {
  if (error instanceof PitlaneError) return error
  const code = systemCode(error)
  const blocking =
    code === 'EEXIST' || code === 'ENOTDIR' ? fileOnTheWay(TO_THE_BUCKET.has(doing) ? path : dirname(path)) : null
  if (blocking !== null) {
    return new PitlaneError('STORAGE_FAILED', `${blocking} is a file, and a folder is needed there`, {
      hint:
        blocking === path
          ? 'Move it away, or name another folder.'
          : `Move it away, or name another folder, for ${path}.`,
      cause: error,
    })
  }
  return storageFailed(doing, path, error)
}

/** The file at `path` or above it, which has to be a folder; or null. */
function fileOnTheWay(path: string): string | null {
  for (let at = path; at !== dirname(at); at = dirname(at)) {
    try {
      return statSync(at).isDirectory() ? null : at
    } catch {
      // Below the file: not there.
    }
  }
  return null
}

/** Node's way to say that a name is definitely not there: no such entry, or below something that is a file. */
export function isAbsent(error: unknown): boolean {
  const code = systemCode(error)
  return code === 'ENOENT' || code === 'ENOTDIR'
}

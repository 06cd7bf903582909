import { PitlaneError, systemCode } from '../errors.ts'

const HINTS: Readonly<Record<string, string>> = {
  ENOSPC: 'The disk is full: free some space, then run the same command again.',
  EDQUOT: 'The quota is used up: free some space, then run the same command again.',
  EROFS: 'The file system is read-only: mount it writable, or put the state folder somewhere else.',
  EACCES: 'Give the user who runs Pitlane the right to it.',
  EPERM: 'Give the user who runs Pitlane the right to it.',
  ENOENT: 'Something removed it; run the same command again.',
}

/** The error of a file operation as `STORAGE_FAILED`; `doing` completes "could not be …". */
export function storageFailed(path: string, doing: 'read' | 'written', error: unknown): PitlaneError {
  const code = systemCode(error) ?? String(error)
  return new PitlaneError('STORAGE_FAILED', `${path} could not be ${doing}: ${code}`, {
    hint: HINTS[code] ?? 'Check the disk that holds it, then run the same command again.',
    cause: error,
  })
}

/** Waits for a writing operation on `path`; its errors become `STORAGE_FAILED`. */
export function writing<T>(path: string, work: Promise<T>): Promise<T> {
  return work.catch((error: unknown) => {
    throw storageFailed(path, 'written', error)
  })
}

/** Waits for a reading operation on `path`; its errors become `STORAGE_FAILED`. */
export function reading<T>(path: string, work: Promise<T>): Promise<T> {
  return work.catch((error: unknown) => {
    throw storageFailed(path, 'read', error)
  })
}

/** What a failed file operation means for a person, told the same wherever it happens. */
import { machineHint, PitlaneError, systemCode } from '../errors.ts'

/** The error as `STORAGE_FAILED`, `<path>: <doing> failed: <code>`, with what to do; a PitlaneError stays what it is. */
export function storageFailed(doing: string, path: string, error: unknown): PitlaneError {
  if (error instanceof PitlaneError) return error
  const code = systemCode(error)
  const reason = code ?? (error instanceof Error ? error.message : String(error))
  const other =
    code === 'ENOENT'
      ? 'Something removed it; run the same command again.'
      : 'Look at the disk that holds it, then run the same command again.'
  return new PitlaneError('STORAGE_FAILED', `${path}: ${doing} failed: ${reason}`, {
    hint: machineHint(error) ?? other,
    cause: error,
  })
}

/** Waits for a writing operation on `path`; its errors become `STORAGE_FAILED`. */
export function writing<T>(path: string, work: Promise<T>): Promise<T> {
  return work.catch((error: unknown) => {
    throw storageFailed('writing', path, error)
  })
}

/** Waits for a reading operation on `path`; its errors become `STORAGE_FAILED`. */
export function reading<T>(path: string, work: Promise<T>): Promise<T> {
  return work.catch((error: unknown) => {
    throw storageFailed('reading', path, error)
  })
}

/** The chunks of `path`; errors on the way become `STORAGE_FAILED`. */
export async function* readingChunks<T>(path: string, chunks: AsyncIterable<T>): AsyncGenerator<T> {
  try {
    yield* chunks
  } catch (error) {
    throw storageFailed('reading', path, error)
  }
}

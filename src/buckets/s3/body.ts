/** The bytes of an object on their way out. */
import { Readable } from 'node:stream'
import { PitlaneError } from '../../errors.ts'
import { exactBytes } from '../../remote/exact-bytes.ts'
import type { Body } from '../types.ts'

/** Ends with STORAGE_FAILED when the bytes are not the announced ones, or can't be read. */
export async function* checkedPieces(body: Body, where: string): AsyncGenerator<Buffer> {
  try {
    yield* exactBytes(body, (found) => unlike(body, where, found))
  } catch (error) {
    if (error instanceof PitlaneError) throw error
    throw new PitlaneError('STORAGE_FAILED', `${where}: the bytes to write could not be read: ${String(error)}`, {
      hint: 'Nothing was replaced: the same command goes on.',
      cause: error,
    })
  }
}

export function checkedStream(body: Body, where: string): Readable {
  return Readable.from(checkedPieces(body, where), { objectMode: false, highWaterMark: 1 })
}

function unlike(body: Body, where: string, found: string): PitlaneError {
  return new PitlaneError(
    'STORAGE_FAILED',
    `${where}: ${body.size} bytes with SHA-256 ${body.sha256} were announced, and ${found} came`,
    { hint: 'What is written changed while it was read: run the same command again.' },
  )
}

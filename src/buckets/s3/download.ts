/** The bytes of an object on their way in: all that were announced, or an error. */
import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import { PitlaneError } from '../../errors.ts'
import { storageFailure } from './answers.ts'

export interface Download {
  readonly body: Readable
  /** Bytes, as the server announced them. */
  readonly size: number
  /** Lower-case hex, as whoever wrote the object announced it; null when they did not. */
  readonly sha256: string | null
}

/** The object is not the one that was written. */
class Damaged extends Error {}

/** Fails as the connection does; a body that ends too early, or is another one than was written, fails too. */
export async function* piecesOf({ body, size, sha256 }: Download): AsyncGenerator<Buffer> {
  const hash = sha256 === null ? null : createHash('sha256')
  let received = 0
  for await (const piece of body as AsyncIterable<Buffer>) {
    received += piece.length
    hash?.update(piece)
    yield piece
  }
  if (received !== size) throw new Error(`${size} bytes were announced, and ${received} came`)
  const found = hash?.digest('hex') ?? null
  if (found !== sha256) throw new Damaged(`bytes with SHA-256 ${sha256} were written, and such with ${found} came`)
}

export function streamOf(download: Download, where: string): Readable {
  return Readable.from(told(download, where), { objectMode: false })
}

async function* told(download: Download, where: string): AsyncGenerator<Buffer> {
  try {
    yield* piecesOf(download)
  } catch (error) {
    if (!(error instanceof Damaged)) throw storageFailure('reading', where, error)
    throw new PitlaneError('STORAGE_FAILED', `${where}: reading failed: ${error.message}`, {
      hint: 'Try again. Where it stays so, the server holds other bytes than it was given: remove the object with its own tools, and the same command puts it anew, or put it back from a copy.',
    })
  }
}

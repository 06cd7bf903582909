/** The bytes of an object on their way in: all that were announced, or an error. */
import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import { storageFailure } from './answers.ts'

export interface Download {
  readonly body: Readable
  /** Bytes, as the server announced them. */
  readonly size: number
}

/** Fails as the connection does; a body that ends too early fails too. */
export async function* piecesOf({ body, size }: Download): AsyncGenerator<Buffer> {
  let received = 0
  for await (const piece of body as AsyncIterable<Buffer>) {
    received += piece.length
    yield piece
  }
  if (received !== size) throw new Error(`${size} bytes were announced, and ${received} came`)
}

export function streamOf(download: Download, where: string): Readable {
  return Readable.from(told(download, where), { objectMode: false })
}

/** Lower-case hex. */
export async function digestOf(download: Download): Promise<string> {
  const hash = createHash('sha256')
  for await (const piece of piecesOf(download)) hash.update(piece)
  return hash.digest('hex')
}

async function* told(download: Download, where: string): AsyncGenerator<Buffer> {
  try {
    yield* piecesOf(download)
  } catch (error) {
    throw storageFailure('reading', where, error)
  }
}

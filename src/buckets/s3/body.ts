/** A body on its way out: exactly the announced bytes, or none of them completely. */
import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import { PitlaneError } from '../../errors.ts'
import type { Body } from '../types.ts'

/**
 * The body's bytes. The last piece is held back until size and digest are known to be the announced ones: a server that was promised
 * `size` bytes never has a whole object of anything else. Ends with STORAGE_FAILED otherwise.
 */
export async function* checkedPieces(body: Body, where: string): AsyncGenerator<Buffer> {
  const hash = createHash('sha256')
  let size = 0
  let held: Buffer | undefined
  for await (const piece of sourceOf(body, where)) {
    size += piece.length
    if (size > body.size) throw unlike(body, where, `more than ${body.size} bytes`)
    hash.update(piece)
    if (held !== undefined) yield held
    // The source may use its memory again.
    held = Buffer.from(piece)
  }
  const sha256 = hash.digest('hex')
  if (size !== body.size || sha256 !== body.sha256) throw unlike(body, where, `${size} bytes with SHA-256 ${sha256}`)
  if (held !== undefined) yield held
}

export function checkedStream(body: Body, where: string): Readable {
  return Readable.from(checkedPieces(body, where), { objectMode: false, highWaterMark: 1 })
}

async function* sourceOf(body: Body, where: string): AsyncGenerator<Buffer> {
  try {
    for await (const piece of body.open() as AsyncIterable<Buffer>) yield piece
  } catch (error) {
    if (error instanceof PitlaneError) throw error
    throw new PitlaneError('STORAGE_FAILED', `${where}: the bytes to write could not be read: ${String(error)}`, {
      hint: 'Nothing was replaced: the same command goes on.',
      cause: error,
    })
  }
}

function unlike(body: Body, where: string, found: string): PitlaneError {
  return new PitlaneError(
    'STORAGE_FAILED',
    `${where}: ${body.size} bytes with SHA-256 ${body.sha256} were announced, and ${found} came`,
    { hint: 'What is written changed while it was read: run the same command again.' },
  )
}

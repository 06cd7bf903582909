/** Bytes on their way to a server: exactly those that were announced, or none of them completely. */
import { createHash } from 'node:crypto'
import type { Readable } from 'node:stream'

export interface Announced {
  /** Bytes. */
  readonly size: number
  /** Lower-case hex. */
  readonly sha256: string
  /** A fresh stream at every call. */
  open(): Readable
}

/**
 * The body's bytes, in pieces that are the caller's from then on. The last piece is held back until size and digest are known to be the announced ones: a server that was promised
 * `size` bytes never has a whole object of anything else. Throws what `unlike` makes of what came instead, and what the source throws.
 */
export async function* exactBytes(body: Announced, unlike: (found: string) => Error): AsyncGenerator<Buffer> {
  const hash = createHash('sha256')
  let size = 0
  let held: Buffer | undefined
  for await (const piece of body.open() as AsyncIterable<Buffer>) {
    size += piece.length
    if (size > body.size) throw unlike(`more than ${body.size} bytes`)
    hash.update(piece)
    if (held !== undefined) yield held
    held = piece
  }
  const sha256 = hash.digest('hex')
  if (size !== body.size || sha256 !== body.sha256) throw unlike(`${size} bytes with SHA-256 ${sha256}`)
  if (held !== undefined) yield held
}

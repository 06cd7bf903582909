/** SHA-256 of bytes that are here, or that come. Digests of images are written otherwise: `image/names.ts`. */
import { createHash } from 'node:crypto'
import { giveBack } from './chunks.ts'

/** Lower-case hex. */
export function sha256Of(bytes: Uint8Array | string): string {
  return createHash('sha256').update(bytes).digest('hex')
}

export interface Measured {
  /** Lower-case hex. */
  readonly sha256: string
  /** Bytes. */
  readonly size: number
}

/** Of all chunks, which are given back. */
export async function measure(chunks: AsyncIterable<Uint8Array>): Promise<Measured> {
  const hash = createHash('sha256')
  let size = 0
  for await (const chunk of chunks) {
    hash.update(chunk)
    size += chunk.length
    giveBack(chunk)
  }
  return { sha256: hash.digest('hex'), size }
}

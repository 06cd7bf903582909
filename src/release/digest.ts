import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import { giveBack } from '../chunks.ts'
import type { Body } from '../buckets/types.ts'

/** SHA-256 (lower-case hex) and size of a stream; null for null. */
export async function digestOf(stream: Readable | null): Promise<{ sha256: string; size: number } | null> {
  if (stream === null) return null
  const hash = createHash('sha256')
  let size = 0
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    hash.update(chunk)
    size += chunk.length
    giveBack(chunk)
  }
  return { sha256: hash.digest('hex'), size }
}

/** Bytes in memory as something that can be put. */
export function bodyOf(bytes: Buffer): Body {
  return {
    size: bytes.length,
    sha256: createHash('sha256').update(bytes).digest('hex'),
    open: () => Readable.from([bytes]),
  }
}

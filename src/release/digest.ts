import { Readable } from 'node:stream'
import type { Body } from '../buckets/types.ts'
import { type Measured, measure, sha256Of } from '../bytes/digest.ts'

/** Of what was opened; null for null. */
export async function measureThere(stream: AsyncIterable<Uint8Array> | null): Promise<Measured | null> {
  return stream === null ? null : measure(stream)
}

/** Bytes in memory as something that can be put. */
export function bodyOf(bytes: Buffer): Body {
  return { size: bytes.length, sha256: sha256Of(bytes), open: () => Readable.from([bytes]) }
}

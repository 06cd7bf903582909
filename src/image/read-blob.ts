/** Reading a blob whose sender is not trusted: size and digest are measured, and no more is read than was announced. */
import { createHash } from 'node:crypto'
import type { Readable } from 'node:stream'
import type { Read } from './manifest.ts'
import type { Descriptor } from './types.ts'

/**
 * Passes on the chunks of a blob; then says what was wrong with it, or undefined. Ends early when the blob is longer than announced.
 * Errors of the stream pass through: they say nothing about the blob.
 */
export async function* measured(blob: Readable, expected: Descriptor): AsyncGenerator<Buffer, string | undefined> {
  const hash = createHash('sha256')
  let size = 0
  for await (const chunk of blob as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > expected.size) return `has more than the announced ${expected.size} bytes`
    hash.update(chunk)
    yield chunk
  }
  if (size < expected.size) return `has ${size} bytes instead of ${expected.size}`
  const digest = `sha256:${hash.digest('hex')}`
  return digest === expected.digest ? undefined : `has the digest ${digest} instead of ${expected.digest}`
}

/** The whole blob, which the caller knows to be small enough. */
export async function readBlob(open: () => Promise<Readable | null>, expected: Descriptor): Promise<Read<Buffer>> {
  const blob = await open()
  if (blob === null) return { problem: `${expected.digest} is not there` }
  const chunks: Buffer[] = []
  const source = measured(blob, expected)
  for (;;) {
    const next = await source.next()
    if (next.done !== true) chunks.push(next.value)
    else return next.value === undefined ? { value: Buffer.concat(chunks) } : { problem: next.value }
  }
}

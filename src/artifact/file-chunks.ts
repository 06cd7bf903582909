import type { FileHandle } from 'node:fs/promises'
import { storageFailed } from '../storage-failed.ts'

/** Bytes read at once. */
export const CHUNK = 1024 * 1024

/**
 * An open file from its first byte on, in chunks of at most `CHUNK` bytes; the next one is read while one is worked on. Two buffers by
 * turns: a chunk is good until the one after it is asked for. `path` is for messages.
 * @throws PitlaneError `STORAGE_FAILED`
 */
export async function* fileChunks(file: FileHandle, path: string): AsyncGenerator<Buffer> {
  const buffers = [Buffer.allocUnsafe(CHUNK), Buffer.allocUnsafe(CHUNK)] as const
  // An error waits as a value until its chunk is asked for.
  const readInto = (buffer: Buffer, at: number) =>
    file.read(buffer, 0, CHUNK, at).then(
      ({ bytesRead }) => buffer.subarray(0, bytesRead),
      (error: unknown) => storageFailed('reading', path, error),
    )
  let offset = 0
  let next = readInto(buffers[0], 0)
  for (let turn = 1; ; turn ^= 1) {
    const chunk = await next
    if (!Buffer.isBuffer(chunk)) throw chunk
    if (chunk.length === 0) return
    offset += chunk.length
    next = readInto(turn === 1 ? buffers[1] : buffers[0], offset)
    try {
      yield chunk
    } finally {
      // Whoever stops early closes the file; no read may be under way then.
      await next
    }
  }
}

import type { FileHandle } from 'node:fs/promises'
import { PitlaneError } from '../errors.ts'
import { reading } from '../files/storage-failed.ts'

/** Bytes that can be read at any place without loading the whole. */
export interface RandomAccess {
  /** Bytes. */
  readonly size: number
  /**
   * Exactly `length` bytes from `offset`; callers stay inside `size`.
   * @throws PitlaneError `STORAGE_FAILED` when they can't be read
   */
  read(offset: number, length: number): Promise<Buffer>
}

export function bufferAccess(bytes: Buffer): RandomAccess {
  return {
    size: bytes.length,
    read: (offset, length) => Promise.resolve(bytes.subarray(offset, offset + length)),
  }
}

/** Reads from an open file; `path` is only for messages. The handle stays the caller's. */
export function fileAccess(handle: FileHandle, size: number, path: string): RandomAccess {
  return {
    size,
    async read(offset, length) {
      const bytes = Buffer.alloc(length)
      let filled = 0
      while (filled < length) {
        const { bytesRead } = await reading(path, handle.read(bytes, filled, length - filled, offset + filled))
        if (bytesRead === 0) {
          throw new PitlaneError('STORAGE_FAILED', `${path} ends at byte ${offset + filled} and had ${size} before`, {
            hint: 'Something shortened the file while it was read; run the same command again.',
          })
        }
        filled += bytesRead
      }
      return bytes
    },
  }
}

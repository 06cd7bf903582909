/** The blobs of an image layout: files named by the hex part of their SHA-256, put once, never changed. */
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { streamFile } from '../bytes/chunks.ts'
import { exclusively } from '../parallel.ts'
import { PitlaneError } from '../errors.ts'
import { copyHashed, removeWhole, writeWhole } from '../files/whole-files.ts'
import { measureFile, openRegular, readSmall, unfinished } from './layout-files.ts'
import { digestOf, hexOf } from './names.ts'

/** Every method refuses a digest that isn't one (`IMAGE_NAME`): it becomes a path. */
export interface BlobFolder {
  readonly folder: string
  /** Whether the blob is there, with the right bytes: `CONTRADICTION` when they are others. */
  has(digest: string): Promise<boolean>
  /** Bytes, or null when absent. */
  sizeOf(digest: string): Promise<number | null>
  /** Writes a blob that isn't there; fails with `CONTRADICTION` when it is there with other bytes, or comes with others. */
  put(digest: string, size: number, open: () => Readable): Promise<void>
  open(digest: string): Promise<Readable | null>
  /** Whether it was there. */
  remove(digest: string): Promise<boolean>
  /** The whole blob with the right bytes; fails with `STORAGE_FAILED` when it is larger than `limit` bytes. */
  read(digest: string, limit: number): Promise<Buffer | null>
}

export function blobFolder(folder: string): BlobFolder {
  const pathOf = (digest: string): string => join(folder, hexOf(digest))

  async function has(digest: string): Promise<boolean> {
    const found = await measureFile(pathOf(digest))
    if (found !== null) requireSame(folder, digest, `sha256:${found.sha256}`)
    return found !== null
  }

  return {
    folder,
    has,

    async sizeOf(digest) {
      const file = await openRegular(pathOf(digest))
      await file?.handle.close()
      return file?.size ?? null
    },

    put(digest, size, open) {
      const path = pathOf(digest)
      return exclusively(path, async () => {
        if (await has(digest)) return
        await writeWhole(unfinished(folder, hexOf(digest)), async (handle) => {
          const hash = createHash('sha256')
          const came = await copyHashed(open(), handle, [hash], size)
          const got = `sha256:${hash.digest('hex')}`
          if (came !== size || got !== digest) {
            const found = came > size ? `more than ${size} bytes` : `${came} bytes, ${got}`
            throw new PitlaneError(
              'CONTRADICTION',
              `a blob came with other bytes: expected ${size} bytes, ${digest}, got ${found}`,
            )
          }
          return { path }
        })
      })
    },

    async open(digest) {
      const file = await openRegular(pathOf(digest))
      return file === null ? null : streamFile(file.handle)
    },

    remove: (digest) => exclusively(pathOf(digest), () => removeWhole(pathOf(digest))),

    async read(digest, limit) {
      const bytes = await readSmall(pathOf(digest), limit)
      if (bytes !== null) requireSame(folder, digest, digestOf(bytes))
      return bytes
    },
  }
}

function requireSame(folder: string, digest: string, got: string): void {
  if (got === digest) return
  throw new PitlaneError('CONTRADICTION', `${folder}: the blob ${digest} has other bytes, ${got}`, {
    hint: 'The stored blob is damaged. Restore it, or remove the file so that it is written again.',
  })
}

/** The files of an image layout: whole ones, since they are made by `whole-files.ts`, or what somebody else has put there. */
import { constants } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { join } from 'node:path'
import { fileChunks } from '../bytes/chunks.ts'
import { type Measured, measure } from '../bytes/digest.ts'
import { PitlaneError, systemCode } from '../errors.ts'
import { reading, storageFailed } from '../files/storage-failed.ts'
import type { WholeFile } from '../files/whole-files.ts'

const FOREIGN = 'Pitlane did not write it like that: look at what it is, and put the right file back from a copy.'

/** Everybody may read what is published, whatever the umask of the one who publishes. */
const MODE = 0o644

/** The name of the unfinished file follows from what it will be, so that a run after a crash takes its place and leaves nothing behind. */
export function unfinished(folder: string, key: string): WholeFile {
  return { temporary: join(folder, `.${key}.partial`), mode: MODE }
}

/**
 * Opens a regular file for reading, or answers null when it is definitely absent. Anything else under that name is an error: a pipe or
 * a device would never end.
 */
export async function openRegular(path: string): Promise<{ handle: FileHandle; size: number } | null> {
  let handle: FileHandle
  try {
    handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK)
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return null
    throw storageFailed('opening', path, error)
  }
  try {
    const stat = await handle.stat()
    if (!stat.isFile()) throw new PitlaneError('STORAGE_FAILED', `${path} is not a regular file`, { hint: FOREIGN })
    return { handle, size: stat.size }
  } catch (error) {
    await handle.close()
    throw storageFailed('reading', path, error)
  }
}

/** SHA-256 and size of the file at `path`, or null when it is absent. */
export async function measureFile(path: string): Promise<Measured | null> {
  const file = await openRegular(path)
  if (file === null) return null
  try {
    return await reading(path, measure(fileChunks(file.handle)))
  } finally {
    await file.handle.close()
  }
}

/** The whole file, or null when it is absent; fails with `STORAGE_FAILED` when it has more than `limit` bytes. */
export async function readSmall(path: string, limit: number): Promise<Buffer | null> {
  const file = await openRegular(path)
  if (file === null) return null
  try {
    if (file.size > limit) {
      throw new PitlaneError('STORAGE_FAILED', `${path} has ${file.size} bytes, more than the ${limit} that are read`, {
        hint: FOREIGN,
      })
    }
    const bytes = Buffer.alloc(file.size)
    let size = 0
    while (size < bytes.length) {
      const { bytesRead } = await file.handle.read(bytes, size, bytes.length - size, size)
      if (bytesRead === 0) break
      size += bytesRead
    }
    return bytes.subarray(0, size)
  } catch (error) {
    throw storageFailed('reading', path, error)
  } finally {
    await file.handle.close()
  }
}

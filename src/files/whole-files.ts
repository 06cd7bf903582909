/**
 * Files that appear whole or not at all, and are on the disk when a call resolves: written beside their place, flushed, renamed; then the name is
 * flushed, too. Errors are `STORAGE_FAILED`, unless it says otherwise.
 */
import type { Hash } from 'node:crypto'
import { constants } from 'node:fs'
import { type FileHandle, mkdir, open, rename, rm, unlink } from 'node:fs/promises'
import { dirname } from 'node:path'
import { giveBack } from '../bytes/chunks.ts'
import { systemCode } from '../errors.ts'
import { storageFailed, writing } from './storage-failed.ts'

/** Makes a folder and its missing parents. A new folder's name is on the disk only when the folder above it is. */
export async function makeFolder(path: string): Promise<void> {
  await writing(path, makeDurably(path))
}

async function makeDurably(path: string): Promise<void> {
  const first = await mkdir(path, { recursive: true })
  if (first === undefined) return
  for (let folder = path; folder !== dirname(first); folder = dirname(folder)) await syncFolder(dirname(folder))
}

/** Puts the names in a folder on the disk. Errors are the system's. */
export async function syncFolder(path: string): Promise<void> {
  const handle = await open(path, constants.O_RDONLY | constants.O_DIRECTORY)
  try {
    await handle.sync()
  } catch (error) {
    // How some network file systems say that they can't do that for a folder.
    if (systemCode(error) !== 'EINVAL') throw error
  } finally {
    await handle.close()
  }
}

export interface WholeFile {
  /** Unfinished until it is renamed; in the folder of what it becomes. Whatever stands there, as after a crash, makes way. */
  readonly temporary: string
  /** Whatever the umask says. */
  readonly mode: number
}

/**
 * Makes a file of what `write` puts into the handle. `write` answers its path, since content may be named by what it turned out to be; null: it is not
 * wanted after all. Nothing is left then, nor when it fails.
 */
export async function writeWhole<T extends { readonly path: string | null }>(
  { temporary, mode }: WholeFile,
  write: (handle: FileHandle) => Promise<T>,
): Promise<T> {
  const handle = await writing(temporary, openNew(temporary))
  try {
    const written = await write(handle)
    if (written.path === null) {
      await unlink(temporary)
      return written
    }
    await handle.chmod(mode)
    await handle.sync()
    await rename(temporary, written.path)
    await syncFolder(dirname(written.path))
    return written
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined)
    throw storageFailed('writing', temporary, error)
  } finally {
    await handle.close()
  }
}

/** In the place of what a crash left there, or of a link or pipe that somebody put there so that it would be written through. */
async function openNew(path: string): Promise<FileHandle> {
  await unlink(path).catch((error: unknown) => {
    if (systemCode(error) !== 'ENOENT') throw error
  })
  return open(path, 'wx+', 0o600)
}

/** Whether there was a file; it is gone for good when this has ended. */
export async function removeWhole(path: string): Promise<boolean> {
  try {
    await unlink(path)
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return false
    throw storageFailed('removing', path, error)
  }
  await writing(path, syncFolder(dirname(path)))
  return true
}

/** Writes the whole chunk at that byte. Errors are the system's. */
export async function writeAll(handle: FileHandle, chunk: Uint8Array, at: number): Promise<void> {
  for (let done = 0; done < chunk.length; )
    done += (await handle.write(chunk, done, chunk.length - done, at + done)).bytesWritten
}

/**
 * Copies chunks into a file, from its first byte on, with their hashes; chunks are given back. Stops as soon as more than `limit` bytes came, and answers
 * how many. Errors are those of the source, or the system's.
 */
export async function copyHashed(
  source: AsyncIterable<Uint8Array>,
  handle: FileHandle,
  hashes: readonly Hash[],
  limit: number,
): Promise<number> {
  let size = 0
  for await (const chunk of source) {
    if (size + chunk.length > limit) return size + chunk.length
    // Begun before hashing: the write goes on in another thread meanwhile.
    const written = writeAll(handle, chunk, size)
    for (const hash of hashes) hash.update(chunk)
    await written
    size += chunk.length
    giveBack(chunk)
  }
  return size
}

/**
 * Files named by their SHA-256. A file appears whole or not at all: it is written beside its place, made durable, read back, and renamed.
 * The name of the unfinished file follows from what it will be, so that a run after a crash writes over it and leaves nothing behind.
 */
import { createHash, type Hash } from 'node:crypto'
import { constants } from 'node:fs'
import { type FileHandle, mkdir, open, rename, rm, unlink } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Readable } from 'node:stream'
import { CHUNK, giveBack, takeChunk } from '../chunks.ts'
import { PitlaneError, systemCode } from '../errors.ts'
import { storageFailed } from '../storage-failed.ts'

const FOREIGN = 'Pitlane did not write it like that: look at what it is, and put the right file back from a copy.'

const held = new Map<string, Promise<unknown>>()

/** Runs one action at a time for a path, within this process; across processes the project's lock does it. */
export async function exclusively<T>(path: string, action: () => Promise<T>): Promise<T> {
  const before = held.get(path)
  const mine = (async () => {
    await before?.catch(() => undefined)
    return action()
  })()
  held.set(path, mine)
  try {
    return await mine
  } finally {
    if (held.get(path) === mine) held.delete(path)
  }
}

/** Makes a folder and its missing parents, durably. */
export async function makeFolder(path: string): Promise<void> {
  try {
    const first = await mkdir(path, { recursive: true })
    if (first === undefined) return
    for (let folder = path; folder !== dirname(first); folder = dirname(folder)) await syncFolder(dirname(folder))
  } catch (error) {
    throw storageFailed('making it', path, error)
  }
}

async function syncFolder(path: string): Promise<void> {
  const handle = await open(path, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/**
 * Writes `path` through a file beside it: what `write` puts into the handle is made durable and then renamed. Nothing is left when it fails.
 * `write` answers the final name, since content may be named by what it turned out to be.
 */
export async function writeDurably<T extends { readonly path: string }>(
  temporary: string,
  write: (handle: FileHandle) => Promise<T>,
): Promise<T> {
  let handle: FileHandle
  try {
    handle = await open(temporary, 'w+', 0o644)
  } catch (error) {
    throw storageFailed('writing', temporary, error)
  }
  try {
    const written = await write(handle)
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

/** Whether there was a file; it is gone for good when this has ended. */
export async function removeDurably(path: string): Promise<boolean> {
  try {
    await unlink(path)
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return false
    throw storageFailed('removing', path, error)
  }
  await syncFolder(dirname(path))
  return true
}

export function temporaryName(folder: string, key: string): string {
  return join(folder, `.${key}.partial`)
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

/** Reads the first `size` bytes of an open file into a hash, from its beginning, in constant memory. */
export async function hashHandle(handle: FileHandle, hash: Hash): Promise<number> {
  const buffer = takeChunk()
  try {
    for (let position = 0; ; ) {
      const { bytesRead } = await handle.read(buffer, 0, CHUNK, position)
      if (bytesRead === 0) return position
      hash.update(buffer.subarray(0, bytesRead))
      position += bytesRead
    }
  } finally {
    giveBack(buffer)
  }
}

/** SHA-256 in hex and size of the file at `path`, or null when it is absent. */
export async function measure(path: string): Promise<{ readonly hex: string; readonly size: number } | null> {
  const file = await openRegular(path)
  if (file === null) return null
  try {
    const hash = createHash('sha256')
    const size = await hashHandle(file.handle, hash)
    return { hex: hash.digest('hex'), size }
  } catch (error) {
    throw storageFailed('reading', path, error)
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

/** Writes the whole chunk at the handle's position. */
export async function writeAll(handle: FileHandle, chunk: Uint8Array): Promise<void> {
  let offset = 0
  while (offset < chunk.length) offset += (await handle.write(chunk, offset)).bytesWritten
}

/** Copies a stream into a handle; returns what came. Stops as soon as more than `limit` bytes came. */
export async function copyMeasured(
  source: Readable,
  handle: FileHandle,
  limit: number,
): Promise<{ readonly hex: string; readonly size: number }> {
  const hash = createHash('sha256')
  let size = 0
  for await (const chunk of source as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > limit) break
    hash.update(chunk)
    await writeAll(handle, chunk)
    giveBack(chunk)
  }
  return { hex: hash.digest('hex'), size }
}

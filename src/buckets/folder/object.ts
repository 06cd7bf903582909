/** Reading one object: a plain file that really lies where its key says. */
import { constants } from 'node:fs'
import { type FileHandle, open, realpath } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { CHUNK, giveBack, takeChunk } from '../../bytes/chunks.ts'
import { PitlaneError, systemCode } from '../../errors.ts'
import { isAbsent, storageFailure } from './failure.ts'

export interface OpenObject {
  readonly handle: FileHandle
  /** Bytes. */
  readonly size: number
  readonly path: string
}

/**
 * Opens the file of a key, or gives null when there is none (a folder is none). The last segment is never followed as a link, and the
 * real path has to be the expected one, so that no link in between leads out either.
 */
export async function openObject(root: string, key: string): Promise<OpenObject | null> {
  const path = join(root, key)
  let handle: FileHandle | undefined
  try {
    // O_NONBLOCK: opening a pipe that somebody left there must not wait for a writer.
    handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
    const facts = await handle.stat()
    if (facts.isDirectory()) {
      await handle.close()
      return null
    }
    if (!facts.isFile()) throw notPlain(path)
    await checkRealPath(root, key)
    return { handle, size: facts.size, path }
  } catch (error) {
    await handle?.close().catch(() => undefined)
    if (handle === undefined && isAbsent(error)) return null
    if (systemCode(error) === 'ELOOP') throw notPlain(path)
    throw storageFailure('opening', path, error)
  }
}

/** @throws PitlaneError `STORAGE_FAILED` when a symbolic link inside the bucket leads elsewhere */
export async function checkRealPath(root: string, key: string): Promise<void> {
  const expected = key === '' ? await realpath(root) : join(await realpath(root), key)
  let actual: string
  try {
    actual = await realpath(join(root, key))
  } catch (error) {
    // Replaced or deleted since it was opened: the opened file was in place, which its caller has shown by opening it.
    if (isAbsent(error)) return
    throw error
  }
  if (actual !== expected) throw notPlain(join(root, key))
}

export function notPlain(path: string): PitlaneError {
  return new PitlaneError('STORAGE_FAILED', `${path}: not a plain file, or reached through a symbolic link`, {
    hint: 'A bucket holds plain files only: remove the link or special file.',
  })
}

/** All of an open object at once; closes it. Throws `STORAGE_FAILED` as `streamOf` does. */
export async function bytesOf(object: OpenObject): Promise<Buffer> {
  const { handle, size, path } = object
  try {
    // One byte more than there should be, to see that there is none.
    const bytes = Buffer.allocUnsafe(size + 1)
    let length = 0
    for (let more = 1; more > 0 && length < size; length += more) {
      more = (await handle.read(bytes, length, bytes.length - length, length)).bytesRead
    }
    if (length !== size) throw changed(object, length)
    return bytes.subarray(0, size)
  } catch (error) {
    throw storageFailure('reading', path, error)
  } finally {
    await handle.close()
  }
}

/** The object's bytes; ends with STORAGE_FAILED when they cannot be read or the file got shorter. Closes the file in any case. */
export function streamOf(object: OpenObject): Readable {
  return new ObjectStream(object)
}

class ObjectStream extends Readable {
  readonly #object: OpenObject
  #position = 0

  constructor(object: OpenObject) {
    super({ highWaterMark: CHUNK })
    this.#object = object
  }

  override _read(): void {
    void this.#fill()
  }

  async #fill(): Promise<void> {
    const { handle, size, path } = this.#object
    try {
      // A small object needs no more than itself, and one byte to see its end.
      const chunk = size < CHUNK ? Buffer.allocUnsafe(size + 1) : takeChunk()
      const { bytesRead, buffer } = await handle.read(chunk, 0, chunk.length, this.#position)
      this.#position += bytesRead
      if (bytesRead === 0) giveBack(chunk)
      if (bytesRead > 0) this.push(buffer.subarray(0, bytesRead))
      else if (this.#position === size) this.push(null)
      else this.destroy(changed(this.#object, this.#position))
    } catch (error) {
      this.destroy(storageFailure('reading', path, error))
    }
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    void this.#close(error, done)
  }

  async #close(error: Error | null, done: (error: Error | null) => void): Promise<void> {
    let failure = error
    try {
      await this.#object.handle.close()
    } catch (closing) {
      failure ??= storageFailure('closing', this.#object.path, closing)
    }
    done(failure)
  }
}

function changed(object: OpenObject, bytes: number): PitlaneError {
  return new PitlaneError(
    'STORAGE_FAILED',
    `${object.path}: changed while it was read (${object.size} bytes, then ${bytes})`,
    { hint: 'Something else writes into the bucket: objects are replaced as a whole, never changed in place.' },
  )
}

/**
 * Buffers for the bytes of large files, used again once a reader gives them back. A stream whose chunks come from here is a stream like any
 * other: who keeps a chunk keeps it. But who is done with one and says so spares the next a fresh megabyte, which costs the kernel more to
 * clear than a hash of it takes.
 */
import { type FileHandle, open } from 'node:fs/promises'
import { Readable } from 'node:stream'

/** Bytes read at a time. */
export const CHUNK = 512 * 1024
/** As many as all the streams of a publication hold at once. */
const KEPT = 16

const free: Buffer[] = []
/** Memory of buffers that are out: each comes back once. */
const lent = new WeakSet<ArrayBufferLike>()

export function takeChunk(): Buffer {
  const chunk = free.pop() ?? Buffer.allocUnsafeSlow(CHUNK)
  lent.add(chunk.buffer)
  return chunk
}

/** Only by its last user: the bytes will change. Buffers from elsewhere are let be. */
export function giveBack(chunk: Uint8Array): void {
  if (lent.delete(chunk.buffer) && free.length < KEPT) free.push(Buffer.from(chunk.buffer))
}

/**
 * The bytes of an open file from its first on; the next chunk is read while one is worked on. The handle stays the caller's. Errors are the
 * system's.
 */
export async function* fileChunks(file: FileHandle): AsyncGenerator<Buffer> {
  // An error waits as a value until its chunk is asked for.
  const read = async (at: number): Promise<Buffer | { readonly error: unknown }> => {
    const chunk = takeChunk()
    try {
      const { bytesRead } = await file.read(chunk, 0, CHUNK, at)
      return chunk.subarray(0, bytesRead)
    } catch (error) {
      giveBack(chunk)
      return { error }
    }
  }
  let offset = 0
  let next = read(0)
  for (;;) {
    const chunk = await next
    if (!Buffer.isBuffer(chunk)) throw chunk.error
    if (chunk.length === 0) return giveBack(chunk)
    offset += chunk.length
    next = read(offset)
    let isLast = true
    try {
      yield chunk
      isLast = false
    } finally {
      // Whoever stops early closes the file; no read may be under way then.
      const ahead = isLast ? await next : null
      if (Buffer.isBuffer(ahead)) giveBack(ahead)
    }
  }
}

/** The bytes of a file from its first on. Closes the handle in any case; errors are the system's. */
export function streamFile(source: string | FileHandle): Readable {
  return new FileStream(source)
}

class FileStream extends Readable {
  /** Asked for at the first read, or given. */
  #handle: Promise<FileHandle> | undefined
  readonly #path: string
  #position = 0

  constructor(source: string | FileHandle) {
    super({ highWaterMark: CHUNK })
    this.#path = typeof source === 'string' ? source : ''
    if (typeof source !== 'string') this.#handle = Promise.resolve(source)
  }

  override _read(): void {
    this.#fill().catch((error: unknown) => this.destroy(error as Error))
  }

  async #fill(): Promise<void> {
    const handle = await (this.#handle ??= open(this.#path))
    // Whoever stopped reading meanwhile has closed it.
    if (this.destroyed) return
    const chunk = takeChunk()
    const { bytesRead } = await handle.read(chunk, 0, CHUNK, this.#position)
    this.#position += bytesRead
    if (bytesRead > 0) return void this.push(chunk.subarray(0, bytesRead))
    giveBack(chunk)
    this.push(null)
  }

  async #opened(): Promise<FileHandle | undefined> {
    try {
      return await this.#handle
    } catch {
      // Told to the reader when it was opened.
      return undefined
    }
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    void this.#close(error, done)
  }

  async #close(error: Error | null, done: (error: Error | null) => void): Promise<void> {
    let failure = error
    try {
      // One that is being opened is waited for, or it would stay open.
      const handle = await this.#opened()
      await handle?.close()
    } catch (closing) {
      failure ??= closing as Error
    }
    done(failure)
  }
}

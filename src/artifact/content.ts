import { createHash } from 'node:crypto'
import { constants } from 'node:fs'
import { type FileHandle, mkdir, open, readdir, rename, rm, stat, unlink } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import type { Body } from '../buckets/types.ts'
import { streamFile } from '../chunks.ts'
import type { Clock } from '../clock.ts'
import { PitlaneError, systemCode } from '../errors.ts'
import { fileChunks } from './file-chunks.ts'
import { reading, storageFailed, writing } from '../storage-failed.ts'

/** What was stored, known by its bytes. */
export interface StoredContent {
  /** Lower-case hex. */
  readonly sha256: string
  /** BLAKE2b-512, lower-case hex: what minisign signs. */
  readonly blake2b512: string
  /** Bytes. */
  readonly size: number
}

/**
 * Files by the SHA-256 of their bytes, in one folder: `<folder>/<64 hex digits>`, mode 0444. A file under a digest's name is whole and on
 * disk; after a crash only files named `.put-…` can be left over.
 */
export interface ContentStore {
  readonly folder: string
  /**
   * Copies a file in. The same bytes again replace the file by themselves, which heals a damaged one.
   * @throws PitlaneError `STORAGE_FAILED`; then nothing new is there under any digest
   */
  put(path: string): Promise<StoredContent>
  /** The same from an open file, from its first byte on; fails with `OUTPUT_UNFIT` beyond `limit` bytes. `path` is for messages. */
  putFrom(source: FileHandle, path: string, limit: number): Promise<StoredContent>
  /** Where the bytes of that digest are, or would be. */
  path(sha256: string): string
  /** Fails with `STORAGE_FAILED` when there is no such content. */
  open(sha256: string): Promise<Body>
  /** Reads all of it again. Somebody may have removed it, or changed its bytes. Throws `STORAGE_FAILED` when it can't be read. */
  inspect(sha256: string): Promise<'whole' | 'removed' | 'changed'>
  /** Puts back what was lost, from a copy; false, and nothing is changed, when these are other bytes. */
  restore(sha256: string, copy: AsyncIterable<Buffer>, from: string): Promise<boolean>
  /** Digests of everything that is stored. */
  list(): Promise<readonly string[]>
  /** An absent one is removed already. */
  remove(sha256: string): Promise<void>
  /** Removes what crashed puts left behind. Only for the one process that holds the state. Returns how many there were. */
  removeLeftovers(): Promise<number>
}

const LEFTOVER = '.put-'

/** `at` is a folder like `<state>/artifacts/sha256`, made at the first put. */
export function contentStore(at: string, clock: Clock): ContentStore {
  const folder = resolve(at)
  const pathOf = (sha256: string) => {
    if (!/^[0-9a-f]{64}$/.test(sha256)) throw new PitlaneError('INTERNAL', `not a SHA-256: ${JSON.stringify(sha256)}`)
    return join(folder, sha256)
  }
  /** Null when it has not the digest that was `wanted`. */
  const putChunks = async (source: AsyncIterable<Buffer>, path: string, limit: number, wanted: string | null) => {
    await makeFolder(folder)
    const temporary = join(folder, `${LEFTOVER}${process.pid}-${clock.random(8).toString('hex')}`)
    const file = await writing(temporary, open(temporary, 'wx', 0o600))
    try {
      let content: StoredContent
      try {
        content = await copy(source, path, file, temporary, limit)
        if (wanted !== null && content.sha256 !== wanted) {
          await writing(temporary, unlink(temporary))
          return null
        }
        await writing(temporary, file.chmod(0o444))
        await writing(temporary, file.sync())
      } finally {
        await writing(temporary, file.close())
      }
      await writing(pathOf(content.sha256), rename(temporary, pathOf(content.sha256)))
      await syncFolder(folder)
      return content
    } catch (error) {
      // The first error is the one to tell; a leftover is removed by the next start.
      await unlink(temporary).catch(() => undefined)
      throw error
    }
  }
  const putFrom = async (source: FileHandle, path: string, limit: number) => {
    const stored = await putChunks(fileChunks(source, path), path, limit, null)
    if (stored === null) throw new PitlaneError('INTERNAL', `${path} was not stored`)
    return stored
  }
  return {
    folder,
    putFrom,
    path: pathOf,
    async put(path) {
      const source = await reading(path, open(path, constants.O_RDONLY))
      try {
        return await putFrom(source, path, Number.MAX_SAFE_INTEGER)
      } finally {
        await source.close()
      }
    },
    async open(sha256) {
      const path = pathOf(sha256)
      const { size } = await reading(path, stat(path))
      return { size, sha256, open: () => streamFile(path) }
    },
    async inspect(sha256) {
      const path = pathOf(sha256)
      const file = await open(path, constants.O_RDONLY).catch((error: unknown) => {
        if (systemCode(error) === 'ENOENT') return null
        throw storageFailed('reading', path, error)
      })
      if (file === null) return 'removed'
      try {
        const hash = createHash('sha256')
        for await (const chunk of fileChunks(file, path)) hash.update(chunk)
        return hash.digest('hex') === sha256 ? 'whole' : 'changed'
      } finally {
        await file.close()
      }
    },
    async restore(sha256, source, from) {
      return (await putChunks(source, from, Number.MAX_SAFE_INTEGER, pathOf(sha256) && sha256)) !== null
    },
    async list() {
      return (await namesIn(folder)).filter((name) => /^[0-9a-f]{64}$/.test(name))
    },
    async remove(sha256) {
      const path = pathOf(sha256)
      await writing(path, rm(path, { force: true }))
    },
    async removeLeftovers() {
      const leftovers = (await namesIn(folder)).filter((name) => name.startsWith(LEFTOVER))
      for (const name of leftovers) await writing(join(folder, name), unlink(join(folder, name)))
      return leftovers.length
    },
  }
}

async function namesIn(folder: string): Promise<readonly string[]> {
  return readdir(folder).catch((error: unknown) => {
    if (systemCode(error) === 'ENOENT') return []
    throw storageFailed('reading', folder, error)
  })
}

/** Hashes and writes each chunk while the next one is read. */
async function copy(
  source: AsyncIterable<Buffer>,
  path: string,
  file: FileHandle,
  temporary: string,
  limit: number,
): Promise<StoredContent> {
  const sha256 = createHash('sha256')
  const blake2b512 = createHash('blake2b512')
  let size = 0
  for await (const chunk of source) {
    if (size + chunk.length > limit) {
      throw new PitlaneError('OUTPUT_UNFIT', `${path} is larger than ${limit} bytes`, {
        hint: 'A published file has at most that size; see whether the build left the right one.',
      })
    }
    // Begun before hashing: the write goes on in another thread meanwhile.
    const written = writeAll(file, chunk, size, temporary)
    sha256.update(chunk)
    blake2b512.update(chunk)
    await written
    size += chunk.length
  }
  return { sha256: sha256.digest('hex'), blake2b512: blake2b512.digest('hex'), size }
}

async function writeAll(file: FileHandle, chunk: Buffer, offset: number, path: string): Promise<void> {
  for (let done = 0; done < chunk.length; ) {
    const { bytesWritten } = await writing(path, file.write(chunk, done, chunk.length - done, offset + done))
    done += bytesWritten
  }
}

/** A new folder's name is on disk only when the folder above it is. */
async function makeFolder(folder: string): Promise<void> {
  const first = await writing(folder, mkdir(folder, { recursive: true }))
  if (first === undefined) return
  for (let made = folder; made.length >= first.length; made = dirname(made)) await syncFolder(dirname(made))
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await writing(folder, open(folder, constants.O_RDONLY | constants.O_DIRECTORY))
  try {
    await writing(folder, handle.sync())
  } finally {
    await handle.close()
  }
}

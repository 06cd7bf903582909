import { createHash, type Hash } from 'node:crypto'
import { constants } from 'node:fs'
import { type FileHandle, open, readdir, rm, stat, unlink } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { Body } from '../buckets/types.ts'
import { fileChunks, streamFile } from '../bytes/chunks.ts'
import type { Clock } from '../clock.ts'
import { type Measured, measure } from '../bytes/digest.ts'
import { PitlaneError, systemCode } from '../errors.ts'
import { reading, readingChunks, storageFailed, writing } from '../files/storage-failed.ts'
import { copyHashed, makeFolder, writeWhole } from '../files/whole-files.ts'

/** What was stored, known by its bytes. */
export interface StoredContent extends Measured {
  /** BLAKE2b-512, lower-case hex: what minisign signs. */
  readonly blake2b512: string
}

/**
 * Files by the SHA-256 of their bytes, in one folder: `<folder>/<64 hex digits>`, mode 0444. A file under a digest's name is whole and on
 * disk; whatever else a crash left there begins with a dot. All that is built or made of it goes through here: binaries and image layers.
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
  /** Bytes as they come, of something that is not signed by itself. `from` is for messages. */
  putChunks(source: AsyncIterable<Uint8Array>, from: string): Promise<Measured>
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
  /** Removes what crashed puts left behind, also those of earlier versions. Only for the one process that holds the state. Returns how many there were. */
  removeLeftovers(): Promise<number>
}

const MODE = 0o444
const ANY_SIZE = Number.MAX_SAFE_INTEGER

/** `at` is a folder like `<state>/artifacts`, made at the first put. */
export function contentStore(at: string, clock: Clock): ContentStore {
  const folder = resolve(at)
  const pathOf = (sha256: string) => {
    if (!/^[0-9a-f]{64}$/.test(sha256)) throw new PitlaneError('INTERNAL', `not a SHA-256: ${JSON.stringify(sha256)}`)
    return join(folder, sha256)
  }
  /** Nothing is kept, and the path is null, when the bytes have not the digest that was `wanted`. `others`: hashes that get them, too. */
  const write = async (source: AsyncIterable<Uint8Array>, options: WriteOptions) => {
    const { from, limit = ANY_SIZE, wanted = null, others = [] } = options
    await makeFolder(folder)
    const temporary = join(folder, `.put-${process.pid}-${clock.random(8).toString('hex')}`)
    return writeWhole({ temporary, mode: MODE }, async (file) => {
      const hash = createHash('sha256')
      const size = await copyHashed(readingChunks(from, source), file, [hash, ...others], limit)
      if (size > limit) throw tooLarge(from, limit)
      const sha256 = hash.digest('hex')
      return { path: wanted === null || wanted === sha256 ? pathOf(sha256) : null, sha256, size }
    })
  }
  const putFrom = async (source: FileHandle, path: string, limit: number) => {
    const blake2b512 = createHash('blake2b512')
    const { sha256, size } = await write(fileChunks(source), { from: path, limit, others: [blake2b512] })
    return { sha256, blake2b512: blake2b512.digest('hex'), size }
  }
  return {
    folder,
    putFrom,
    path: pathOf,
    async put(path) {
      const source = await reading(path, open(path, constants.O_RDONLY))
      try {
        return await putFrom(source, path, ANY_SIZE)
      } finally {
        await source.close()
      }
    },
    async putChunks(source, from) {
      const { sha256, size } = await write(source, { from })
      return { sha256, size }
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
        return (await reading(path, measure(fileChunks(file)))).sha256 === sha256 ? 'whole' : 'changed'
      } finally {
        await file.close()
      }
    },
    async restore(sha256, source, from) {
      return (await write(source, { from, wanted: pathOf(sha256) && sha256 })).path !== null
    },
    async list() {
      return (await namesIn(folder)).filter((name) => /^[0-9a-f]{64}$/.test(name))
    },
    async remove(sha256) {
      const path = pathOf(sha256)
      await writing(path, rm(path, { force: true }))
    },
    async removeLeftovers() {
      const leftovers = (await namesIn(folder)).filter((name) => name.startsWith('.'))
      for (const name of leftovers) await writing(join(folder, name), unlink(join(folder, name)))
      return leftovers.length
    },
  }
}

interface WriteOptions {
  /** For messages. */
  readonly from: string
  /** Bytes. */
  readonly limit?: number
  readonly wanted?: string
  readonly others?: readonly Hash[]
}

function tooLarge(path: string, limit: number): PitlaneError {
  return new PitlaneError('OUTPUT_UNFIT', `${path} is larger than ${limit} bytes`, {
    hint: 'A published file has at most that size; see whether the build left the right one.',
  })
}

async function namesIn(folder: string): Promise<readonly string[]> {
  return readdir(folder).catch((error: unknown) => {
    if (systemCode(error) === 'ENOENT') return []
    throw storageFailed('reading', folder, error)
  })
}

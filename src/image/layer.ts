/**
 * The layer of an image that holds one static binary: a tar archive of one file, gzipped (OCI image specification 1.1, layer.md).
 *
 * The archive's bytes follow from the input alone, and so does its digest, the `diffId`: that is the layer's identity. The compressed
 * bytes may differ between builds of zlib, so a layer is compressed once, and these bytes are used everywhere.
 */
import { createHash } from 'node:crypto'
import type { FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { createGzip } from 'node:zlib'
import type { Body } from '../buckets/types.ts'
import { PitlaneError } from '../errors.ts'
import { exclusively, makeFolder, temporaryName, writeAll, writeDurably } from './content-folder.ts'
import { archiveHeader, archiveTail } from './ustar.ts'

export interface Layer {
  /** Of the compressed bytes: `sha256:` and 64 hex digits. */
  readonly digest: string
  /** Compressed bytes. */
  readonly size: number
  /** Digest of the archive before compression. */
  readonly diffId: string
  /** File with the compressed bytes: `<folder>/<hex>`. */
  readonly path: string
}

export interface LayerInput {
  /** File name at the root of the image. */
  readonly name: string
  readonly body: Body
  /** Seconds since 1970: the commit's time. */
  readonly mtime: number
  /** Folder that gets the layer, made when missing. */
  readonly folder: string
}

/** RFC 1952 §2.3.1: "unknown", so that the header doesn't tell the system that compressed. zlib fills in its own. */
const GZIP_OS_OFFSET = 9
const GZIP_OS_UNKNOWN = 255

/**
 * Writes a layer in one pass over the binary, in constant memory. Several may be written at once, into the same folder too.
 * @throws PitlaneError `CONTRADICTION` when the body's bytes are not the announced ones; `OUTPUT_UNFIT`; `STORAGE_FAILED`
 */
export async function writeLayer(input: LayerInput): Promise<Layer> {
  const header = archiveHeader({ name: input.name, size: input.body.size, mtime: input.mtime })
  const key = createHash('sha256').update(header).update(input.body.sha256).digest('hex')
  const temporary = temporaryName(input.folder, key)
  return exclusively(temporary, async () => {
    await makeFolder(input.folder)
    return writeDurably(temporary, (handle) => compress(header, input, handle))
  })
}

async function compress(header: Buffer, input: LayerInput, handle: FileHandle): Promise<Layer> {
  const archive = createHash('sha256')
  const compressed = createHash('sha256')
  let size = 0
  await pipeline(
    archiveOf(header, input.body),
    async function* hashed(chunks: AsyncIterable<Buffer>) {
      for await (const chunk of chunks) {
        archive.update(chunk)
        yield chunk
      }
    },
    createGzip({ level: 6, chunkSize: 256 * 1024 }),
    async (chunks: AsyncIterable<Buffer>) => {
      for await (const chunk of chunks) {
        if (size <= GZIP_OS_OFFSET && size + chunk.length > GZIP_OS_OFFSET)
          chunk[GZIP_OS_OFFSET - size] = GZIP_OS_UNKNOWN
        size += chunk.length
        compressed.update(chunk)
        await writeAll(handle, chunk)
      }
    },
  )
  const hex = compressed.digest('hex')
  return { digest: `sha256:${hex}`, size, diffId: `sha256:${archive.digest('hex')}`, path: join(input.folder, hex) }
}

async function* archiveOf(header: Buffer, body: Body): AsyncGenerator<Buffer> {
  yield header
  const hash = createHash('sha256')
  let size = 0
  for await (const chunk of body.open() as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > body.size) break
    hash.update(chunk)
    yield chunk
  }
  const sha256 = hash.digest('hex')
  if (size !== body.size || sha256 !== body.sha256) {
    const got = size > body.size ? `more than ${body.size} bytes` : `${size} bytes, sha256:${sha256}`
    throw new PitlaneError(
      'CONTRADICTION',
      `the binary for the image is not the collected one: expected ${body.size} bytes, sha256:${body.sha256}, got ${got}`,
      { hint: 'The stored artifact has changed on disk. Remove it and build again.' },
    )
  }
  yield archiveTail(body.size)
}

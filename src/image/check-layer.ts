/** Whether a layer holds exactly one binary, and holds it as Pitlane writes it. Constant memory, and no more output than the binary asks for. */
import { createHash } from 'node:crypto'
import type { Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { giveBack } from '../bytes/chunks.ts'
import { throughZlib, ZLIB_CHUNK } from '../bytes/zlib.ts'
import { measured } from './read-blob.ts'
import type { Descriptor } from './types.ts'
import { archiveHeader, archiveSize, HEADER_SIZE, readTime } from './ustar.ts'

export interface ExpectedBinary {
  /** File name at the root of the image. */
  readonly name: string
  /** Bytes. */
  readonly size: number
  /** Lower-case hex. */
  readonly sha256: string
}

/** What is wrong with the layer, in words; empty when nothing is. Errors of reading pass through. */
export async function checkLayer(
  open: () => Promise<Readable | null>,
  layer: Descriptor,
  diffId: string,
  binary: ExpectedBinary,
): Promise<readonly string[]> {
  const blob = await open()
  if (blob === null) return [`the layer ${layer.digest} is not there`]
  const source = new Source(blob, layer)
  const archive = new Archive(binary)
  const gunzip = createGunzip({ chunkSize: ZLIB_CHUNK })
  try {
    await archive.read(throughZlib(gunzip, source.chunks()))
  } catch (error) {
    if (source.error !== undefined) throw source.error
    if (source.problem !== undefined) return [`the layer ${source.problem}`]
    if (error instanceof TooLong)
      return [`the layer unpacks to more than the ${archiveSize(binary.size)} bytes of its binary`]
    // What is broken is told by its digest, whichever of the two was noticed first.
    const other = source.ended ? undefined : await problemOf(open, layer)
    if (other !== undefined) return [`the layer ${other}`]
    return [`the layer cannot be unpacked: ${error instanceof Error ? error.message : String(error)}`]
  }
  if (source.problem !== undefined) return [`the layer ${source.problem}`]
  if (!source.ended || gunzip.bytesWritten !== layer.size) return ['the layer has bytes after its end']
  return archive.problems(diffId)
}

async function problemOf(open: () => Promise<Readable | null>, layer: Descriptor): Promise<string | undefined> {
  const blob = await open()
  if (blob === null) return 'is not there'
  const source = new Source(blob, layer)
  for await (const chunk of source.chunks()) giveBack(chunk)
  return source.problem
}

/** The compressed side. Keeps apart what is wrong with the bytes and what went wrong while they were read. */
class Source {
  problem: string | undefined
  error: unknown
  ended = false
  readonly #blob: Readable
  readonly #layer: Descriptor

  constructor(blob: Readable, layer: Descriptor) {
    this.#blob = blob
    this.#layer = layer
  }

  async *chunks(): AsyncGenerator<Buffer> {
    try {
      this.problem = yield* measured(this.#blob, this.#layer)
      this.ended = true
    } catch (error) {
      this.error = error
      throw error
    }
  }
}

class TooLong extends Error {}

/** The unpacked side: a header, the binary, zeros. */
class Archive {
  readonly #binary: ExpectedBinary
  readonly #whole = createHash('sha256')
  readonly #content = createHash('sha256')
  readonly #header = Buffer.alloc(HEADER_SIZE)
  #size = 0
  #tailIsZero = true

  constructor(binary: ExpectedBinary) {
    this.#binary = binary
  }

  async read(chunks: AsyncIterable<Buffer>): Promise<void> {
    const limit = archiveSize(this.#binary.size)
    const end = HEADER_SIZE + this.#binary.size
    for await (const chunk of chunks) {
      if (this.#size + chunk.length > limit) throw new TooLong()
      const from = (position: number): number => Math.min(Math.max(position - this.#size, 0), chunk.length)
      this.#whole.update(chunk)
      chunk.copy(this.#header, Math.min(this.#size, HEADER_SIZE), 0, from(HEADER_SIZE))
      this.#content.update(chunk.subarray(from(HEADER_SIZE), from(end)))
      this.#tailIsZero &&= chunk.subarray(from(end)).every((byte) => byte === 0)
      this.#size += chunk.length
    }
  }

  problems(diffId: string): readonly string[] {
    const { name, size, sha256 } = this.#binary
    const problems: string[] = []
    const whole = `sha256:${this.#whole.digest('hex')}`
    if (whole !== diffId) problems.push(`the layer unpacks to ${whole}, its config says ${diffId}`)
    // Any other header than the one that is written here could mean something else to another reader of tar.
    const expected = archiveHeader({ name, size, mtime: readTime(this.#header) })
    if (this.#size !== archiveSize(size) || !this.#header.equals(expected) || !this.#tailIsZero) {
      problems.push(`the layer is not one file ${name} of ${size} bytes and mode 0755 that belongs to root`)
    }
    const content = this.#content.digest('hex')
    if (content !== sha256) problems.push(`the binary in the layer has the SHA-256 ${content} instead of ${sha256}`)
    return problems
  }
}

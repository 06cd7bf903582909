/** Bytes that a meter counts on their way. */
import { Readable } from 'node:stream'
import type { Body } from '../buckets/types.ts'
import type { Pullable } from '../image/pulling.ts'
import type { Piece } from '../run/meter.ts'

/** A body of which each attempt to send it is counted anew. */
export function countedBody(body: Body, piece: Piece): Body {
  let isTold = false
  return {
    size: body.size,
    sha256: body.sha256,
    open: () =>
      isTold
        ? body.open()
        : Readable.from(
            counted(() => body.open(), piece),
            { objectMode: false, highWaterMark: 1 },
          ),
    sent(bytes) {
      isTold = true
      piece.at(bytes)
    },
  }
}

/** A chunk is through when its reader asks for the next one. */
export async function* counted<T extends Uint8Array>(
  open: () => AsyncIterable<T>,
  piece: Pick<Piece, 'at'>,
): AsyncGenerator<T> {
  let bytes = 0
  piece.at(0)
  for await (const chunk of open()) {
    // Whoever is done with it may have given it back.
    const { length } = chunk
    yield chunk
    bytes += length
    piece.at(bytes)
  }
}

/** One of which all blobs together are the piece. */
export function countedRegistry(registry: Pullable, piece: Piece): Pullable {
  let before = 0
  return {
    location: registry.location,
    hasBlob: (repository, digest) => registry.hasBlob(repository, digest),
    readManifest: (repository, digest) => registry.readManifest(repository, digest),
    resolveTag: (repository, tag) => registry.resolveTag(repository, tag),
    listTags: (repository) => registry.listTags(repository),
    async openBlob(repository, digest) {
      const stream = await registry.openBlob(repository, digest)
      if (stream === null) return null
      let own = 0
      const part: Pick<Piece, 'at'> = {
        at(bytes) {
          before += bytes - own
          own = bytes
          piece.at(before)
        },
      }
      return Readable.from(
        counted(() => stream, part),
        { objectMode: false, highWaterMark: 1 },
      )
    },
  }
}

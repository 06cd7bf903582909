/** Bytes on their way through zlib, which works on a thread of its own. */
import type { Gunzip, Gzip } from 'node:zlib'
import { giveBack } from './chunks.ts'

/** Bytes that zlib gives out at a time: fewer of them cost this thread less, and as many streams hold two as work at once. */
export const ZLIB_CHUNK = 512 * 1024

/**
 * What comes out of `zlib` for what goes in; each chunk is given back once it is used. Ends early when `zlib` has the end of its data before
 * the chunks end: then the rest is not read. Errors are those of the chunks and of `zlib`.
 */
export async function* throughZlib(zlib: Gzip | Gunzip, chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const { promise: stopped, resolve: stop } = Promise.withResolvers<'stopped'>()
  const fed = feed(zlib, chunks, stopped)
  try {
    for await (const piece of zlib) yield piece as Buffer
  } finally {
    stop('stopped')
    await fed
  }
}

/** Chunk by chunk, the next one when `zlib` says so. What goes wrong, the reader of `zlib` meets. */
async function feed(zlib: Gzip | Gunzip, chunks: AsyncIterable<Buffer>, stopped: Promise<'stopped'>): Promise<void> {
  try {
    for await (const chunk of chunks) {
      const written = new Promise<'written'>((resolve, reject) => {
        zlib.write(chunk, (error) => (error ? reject(error) : resolve('written')))
      })
      // Of a chunk that follows the end of its data, zlib says nothing.
      if ((await Promise.race([written, stopped])) === 'stopped') return
      giveBack(chunk)
    }
    zlib.end()
  } catch (error) {
    zlib.destroy(error as Error)
  }
}

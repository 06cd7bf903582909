/** A step's output as lines: `[{pos, out, time}]` (drone.md, section 7). */
import { open } from 'node:fs/promises'
import { systemCode } from '../../errors.ts'

/** Bytes: the end of a longer one is what people look for. */
const LIMIT = 5 * 1024 * 1024

export interface LogLine {
  readonly pos: number
  readonly out: string
  readonly time: number
}

/** What is left out at its beginning is said in the first line. */
export async function readLines(file: string): Promise<readonly LogLine[]> {
  const { text, left } = await readEnd(file, LIMIT)
  const lines = text === '' ? [] : text.replace(/\n$/, '').split('\n')
  const all = left === 0 ? lines : [`(${left} bytes before this are not shown)`, ...lines]
  return all.map((line, pos) => ({ pos, out: `${line}\n`, time: 0 }))
}

/** The last bytes of a file, from the beginning of a line on; `left` before them. A file that is not there is empty. */
export async function readEnd(file: string, limit: number): Promise<{ readonly text: string; readonly left: number }> {
  const handle = await open(file).catch((error: unknown) => {
    if (systemCode(error) === 'ENOENT') return null
    throw error
  })
  if (handle === null) return { text: '', left: 0 }
  try {
    const { size } = await handle.stat()
    const from = Math.max(0, size - limit)
    const bytes = Buffer.alloc(size - from)
    const { bytesRead } = await handle.read(bytes, 0, bytes.length, from)
    const read = bytes.subarray(0, bytesRead)
    const begin = from === 0 ? 0 : read.indexOf(0x0a) + 1
    return { text: read.subarray(begin).toString('utf8'), left: from + begin }
  } finally {
    await handle.close()
  }
}

/** The text around minisign's binary parts: lines, strict base64, fields; errors with the line. */
import { type ErrorCode, PitlaneError } from '../../errors.ts'

/** Bytes of a whole file. Minisign's own limit for a trusted comment is 8 KiB. */
export const FILE_LIMIT = 16 * 1024

/** Ends the reading: what is wrong in which line. */
export type Fail = (line: number, reason: string) => never

export function failing(code: ErrorCode, where: string): Fail {
  return (line, reason) => {
    throw new PitlaneError(
      code,
      `${where}, line ${line}: ${reason}`,
      code === 'KEY_INVALID'
        ? {
            hint: 'Keys are in the form of minisign: `pitlane key generate` makes a secret one, `pitlane key show` prints its public one.',
          }
        : {},
    )
  }
}

/** Lines without their ends (`\n` or `\r\n`); a final end is optional. */
export function linesOf(text: string, fail: Fail): readonly string[] {
  if (text.length > FILE_LIMIT)
    fail(1, `the text has ${text.length} characters, more than the ${FILE_LIMIT} that are read`)
  const lines = text.split('\n').map((line) => (line.endsWith('\r') ? line.slice(0, -1) : line))
  if (lines.at(-1) === '') lines.pop()
  return lines
}

/** Strict base64: Node's own decoder skips what it doesn't understand, so that many texts would be one signature. */
export function decode(line: string, number: number, fail: Fail): Buffer {
  const bytes = Buffer.from(line, 'base64')
  if (line === '' || bytes.toString('base64') !== line) fail(number, 'the line is not base64')
  return bytes
}

/** The fixed fields of a binary part, one after the other. */
export class Fields {
  readonly #bytes: Buffer
  #offset = 0

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  next(size: number): Buffer {
    const field = this.#bytes.subarray(this.#offset, this.#offset + size)
    this.#offset += size
    return field
  }
}

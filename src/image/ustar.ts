/**
 * A tar archive of one file, in the ustar format (POSIX.1-2001 pax, "ustar Interchange Format"): one header, the content padded to a
 * block, two zero blocks. Written here because the bytes must stay the same for ever: they are the identity of a layer.
 */
import { PitlaneError } from '../errors.ts'

const BLOCK = 512
/** Bytes of the header, before the content. */
export const HEADER_SIZE = BLOCK
const MTIME_OFFSET = 136
/** Eleven octal digits. */
const NUMBER_LIMIT = 0o77777777777
const NAME_LIMIT = 100

/** The two zero blocks that end an archive. */
const END = 2 * BLOCK

/** Bytes of the whole archive for a content of so many bytes. */
export function archiveSize(contentSize: number): number {
  return BLOCK + contentSize + paddingOf(contentSize) + END
}

/** What follows the content: padding and end. */
export function archiveTail(contentSize: number): Buffer {
  return Buffer.alloc(paddingOf(contentSize) + END)
}

/** The nearest time that a header holds: a commit may carry any. Seconds since 1970. */
export function archiveTime(seconds: number): number {
  return Math.min(Math.max(Math.trunc(seconds), 0), NUMBER_LIMIT)
}

/** The time in a header, seconds since 1970; 0 when it isn't written as it is here. */
export function readTime(header: Buffer): number {
  const field = header.toString('latin1', MTIME_OFFSET, MTIME_OFFSET + 12)
  return /^[0-7]{11}\0$/.test(field) ? Number.parseInt(field, 8) : 0
}

/**
 * Header of a regular file of mode 0755 that belongs to root, without user names.
 * @throws PitlaneError `OUTPUT_UNFIT` when the name or the size does not fit in a header
 */
export function archiveHeader(file: { readonly name: string; readonly size: number; readonly mtime: number }): Buffer {
  const name = Buffer.from(file.name)
  if (!/^[A-Za-z0-9._+-]+$/.test(file.name) || /^\.{1,2}$/.test(file.name) || name.length > NAME_LIMIT) {
    throw new PitlaneError('OUTPUT_UNFIT', `${JSON.stringify(file.name)} cannot be the name of the file in an image`, {
      hint: `Name the binary with at most ${NAME_LIMIT} letters, digits, ".", "_", "+" and "-".`,
    })
  }
  if (!Number.isSafeInteger(file.size) || file.size < 0 || file.size > NUMBER_LIMIT) {
    throw new PitlaneError('OUTPUT_UNFIT', `${file.name} has ${file.size} bytes, more than a layer holds (8 GiB)`, {
      hint: 'Make it smaller (`strip`), or leave `image` out of pitlane.yaml.',
    })
  }
  const header = Buffer.alloc(BLOCK)
  name.copy(header, 0)
  header.write('0000755\0', 100, 'latin1')
  header.write('0000000\0', 108, 'latin1') // uid
  header.write('0000000\0', 116, 'latin1') // gid
  header.write(`${octal(file.size, 11)}\0`, 124, 'latin1')
  header.write(`${octal(archiveTime(file.mtime), 11)}\0`, MTIME_OFFSET, 'latin1')
  header.write('        ', 148, 'latin1') // the checksum counts as blanks while it is computed
  header.write('0', 156, 'latin1') // regular file
  header.write('ustar\x0000', 257, 'latin1')
  header.write('0000000\0', 329, 'latin1') // device major
  header.write('0000000\0', 337, 'latin1') // device minor
  const checksum = header.reduce((sum, byte) => sum + byte, 0)
  header.write(`${octal(checksum, 6)}\0 `, 148, 'latin1')
  return header
}

function paddingOf(contentSize: number): number {
  return (BLOCK - (contentSize % BLOCK)) % BLOCK
}

function octal(value: number, digits: number): string {
  return value.toString(8).padStart(digits, '0')
}

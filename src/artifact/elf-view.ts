import { PitlaneError } from '../errors.ts'
import type { RandomAccess } from './random-access.ts'

/** `offset` is the byte of the file at which the reader stumbled. */
export function elfInvalid(message: string, offset: number): PitlaneError {
  return new PitlaneError('ELF_INVALID', `${message} (at byte ${offset})`, {
    hint: 'The output has to be a whole Linux executable; `file` and `readelf -hld` on it show what was built.',
  })
}

/** Integers of one table, in the byte order and word size of the file. Offsets are relative to the table. */
export interface Table {
  u8(at: number): number
  u16(at: number): number
  u32(at: number): number
  /** `Elf32_Addr`/`Elf32_Off`/`Elf32_Word` or `Elf64_Addr`/`Elf64_Off`/`Elf64_Xword`, whole. */
  word(at: number): bigint
  /**
   * The same as a number.
   * @throws PitlaneError `ELF_INVALID` from 2^53 on: no file and no Linux process on our machines reaches there
   */
  size(at: number, what: string): number
}

/** The file with its class and byte order; every read is checked against the end of the file first. */
export class ElfView {
  readonly source: RandomAccess
  readonly class: 32 | 64
  readonly little: boolean

  constructor(source: RandomAccess, elfClass: 32 | 64, little: boolean) {
    this.source = source
    this.class = elfClass
    this.little = little
  }

  /** Refuses a range that is not wholly in the file. */
  within(offset: number, length: number, what: string): void {
    // A sum of two integers below 2^53 can round, but never down past a smaller `size`.
    if (offset > this.source.size || length > this.source.size - offset) {
      throw elfInvalid(`${what} needs ${length} bytes, but the file has only ${this.source.size}`, offset)
    }
  }

  async bytes(offset: number, length: number, what: string): Promise<Buffer> {
    this.within(offset, length, what)
    return this.source.read(offset, length)
  }

  async table(offset: number, length: number, what: string): Promise<Table> {
    return this.over(await this.bytes(offset, length, what), offset)
  }

  /** `start` is where the bytes lie in the file, for messages. */
  over(bytes: Buffer, start: number): Table {
    const { little } = this
    const is64 = this.class === 64
    const u32 = (at: number) => (little ? bytes.readUInt32LE(at) : bytes.readUInt32BE(at))
    const word = (at: number) => {
      if (!is64) return BigInt(u32(at))
      return little ? bytes.readBigUInt64LE(at) : bytes.readBigUInt64BE(at)
    }
    return {
      u8: (at) => bytes.readUInt8(at),
      u16: (at) => (little ? bytes.readUInt16LE(at) : bytes.readUInt16BE(at)),
      u32,
      word,
      size(at, what) {
        const value = word(at)
        if (value > BigInt(Number.MAX_SAFE_INTEGER)) {
          throw elfInvalid(`${what} is 0x${value.toString(16)}, beyond any file or address space`, start + at)
        }
        return Number(value)
      },
    }
  }

  /** A NUL-terminated string of at most `limit` bytes, its NUL included. */
  async text(offset: number, limit: number, what: string): Promise<string> {
    this.within(offset, 1, what)
    const bytes = await this.source.read(offset, Math.min(limit, this.source.size - offset))
    const end = bytes.indexOf(0)
    if (end < 0) throw elfInvalid(`${what} does not end within ${bytes.length} bytes`, offset)
    return bytes.toString('utf8', 0, end)
  }
}

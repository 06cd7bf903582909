/** `.ARM.attributes`: "Addenda to, and Errata in, the ABI for the Arm Architecture" (addenda32), section 3 "Build Attributes". */
import type { Section } from './elf-sections.ts'
import { elfInvalid, type ElfView } from './elf-view.ts'

/** aaelf32, section types. No program header points at the attributes. */
export const SHT_ARM_ATTRIBUTES = 0x70_00_00_03

/** Bytes; some dozens are usual. */
const LIMIT = 1024 * 1024

const TAG = {
  file: 1,
  section: 2,
  symbol: 3,
  cpuRawName: 4,
  cpuName: 5,
  cpuArch: 6,
  thumbIsaUse: 9,
  fpArch: 10,
  advancedSimdArch: 12,
  compatibility: 32,
  mpExtensionUse: 42,
  divUse: 44,
} as const

/**
 * `Tag_CPU_arch` value → the first version of the architecture on whose Linux machines all of its code runs. Thumb-2 (v6T2) and
 * the microcontroller profiles have instructions that an ARMv6 like the Raspberry Pi's lacks and ARMv7-A has, so they count as 7 (or
 * as 8 where they came with v8). 0 (pre-v4) tells nothing: it is also the value of an attribute that nobody wrote.
 */
export const CPU_ARCH: readonly { readonly name: string; readonly version: number | null }[] = [
  { name: 'Pre-v4', version: null },
  { name: 'v4', version: 4 },
  { name: 'v4T', version: 4 },
  { name: 'v5T', version: 5 },
  { name: 'v5TE', version: 5 },
  { name: 'v5TEJ', version: 5 },
  { name: 'v6', version: 6 },
  { name: 'v6KZ', version: 6 },
  { name: 'v6T2', version: 7 },
  { name: 'v6K', version: 6 },
  { name: 'v7', version: 7 },
  { name: 'v6-M', version: 7 },
  { name: 'v6S-M', version: 7 },
  { name: 'v7E-M', version: 7 },
  { name: 'v8-A', version: 8 },
  { name: 'v8-R', version: 8 },
  { name: 'v8-M.baseline', version: 8 },
  { name: 'v8-M.mainline', version: 8 },
  { name: 'v8.1-A', version: 8 },
  { name: 'v8.2-A', version: 8 },
  { name: 'v8.3-A', version: 8 },
  { name: 'v8.1-M.mainline', version: 8 },
  { name: 'v9-A', version: 9 },
]

/**
 * Highest architecture version that any attribute section asks for; null when there is none or none tells the architecture.
 * @throws PitlaneError `ELF_INVALID`
 */
export async function readArmAttributes(view: ElfView, sections: readonly Section[]): Promise<number | null> {
  let highest: number | null = null
  for (const section of sections) {
    if (section.type !== SHT_ARM_ATTRIBUTES) continue
    if (section.size > LIMIT)
      throw elfInvalid(`.ARM.attributes has ${section.size} bytes, more than ${LIMIT}`, section.offset)
    const bytes = await view.bytes(section.offset, section.size, '.ARM.attributes')
    const version = parseArmAttributes(bytes, section.offset, view.little)
    if (version !== null && (highest === null || version > highest)) highest = version
  }
  return highest
}

/** `start` is where the bytes lie in the file, for messages. */
export function parseArmAttributes(bytes: Buffer, start: number, little: boolean): number | null {
  const cursor = new Cursor(bytes, start, little)
  if (cursor.byte() !== 0x41) throw elfInvalid(`.ARM.attributes has format ${bytes[0]}, not 'A'`, start)
  const versions: number[] = []
  let architecture = false
  while (cursor.at < bytes.length) {
    const vendorEnd = cursor.block(cursor.at, bytes.length)
    const vendor = cursor.text(vendorEnd)
    if (vendor !== 'aeabi') cursor.at = vendorEnd
    while (cursor.at < vendorEnd) {
      const blockStart = cursor.at
      const scope = cursor.uleb(vendorEnd)
      const end = cursor.block(blockStart, vendorEnd)
      if (scope < TAG.file || scope > TAG.symbol)
        throw elfInvalid(`attribute scope ${scope} is unknown`, start + blockStart)
      // Sections and symbols are listed by number, closed by 0.
      if (scope !== TAG.file) while (cursor.uleb(end) !== 0);
      while (cursor.at < end) {
        const at = start + cursor.at
        const [tag, value] = cursor.attribute(end)
        const version = requiredVersion(tag, value, at)
        if (version === null) continue
        if (tag === TAG.cpuArch) architecture = true
        versions.push(version)
      }
    }
  }
  return architecture ? Math.max(...versions) : null
}

/** What one attribute asks for, or null. A floating-point or vector unit that came with a version needs that version. */
function requiredVersion(tag: number, value: number, at: number): number | null {
  switch (tag) {
    case TAG.cpuArch: {
      const known = CPU_ARCH[value]
      if (known === undefined) throw elfInvalid(`Tag_CPU_arch ${value} is an architecture that is not known here`, at)
      return known.version
    }
    case TAG.thumbIsaUse:
      return value === 2 ? 7 : null
    case TAG.fpArch:
      return value >= 7 ? 8 : value >= 3 ? 7 : null
    case TAG.advancedSimdArch:
      return value >= 3 ? 8 : value >= 1 ? 7 : null
    case TAG.mpExtensionUse:
      return value >= 1 ? 7 : null
    case TAG.divUse:
      return value === 2 ? 7 : null
    default:
      return null
  }
}

/** Reads forward only, and never past the end that it is given. */
class Cursor {
  at = 0
  private readonly bytes: Buffer
  private readonly start: number
  private readonly little: boolean

  constructor(bytes: Buffer, start: number, little: boolean) {
    this.bytes = bytes
    this.start = start
    this.little = little
  }

  byte(end: number = this.bytes.length): number {
    const value = this.at < end ? this.bytes[this.at] : undefined
    if (value === undefined) throw elfInvalid('.ARM.attributes is cut short', this.start + this.at)
    this.at += 1
    return value
  }

  /** Reads the length of a block that began at `from` and counts its own head; returns where it ends. */
  block(from: number, limit: number): number {
    if (this.at + 4 > limit) throw elfInvalid('.ARM.attributes is cut short', this.start + this.at)
    const length = this.little ? this.bytes.readUInt32LE(this.at) : this.bytes.readUInt32BE(this.at)
    this.at += 4
    const end = from + length
    if (end < this.at || end > limit) {
      throw elfInvalid(`a block of .ARM.attributes has length ${length}, which does not fit`, this.start + from)
    }
    return end
  }

  uleb(end: number): number {
    let value = 0
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.byte(end)
      value += (byte & 0x7f) * 2 ** shift
      if (byte < 0x80) return value
    }
    throw elfInvalid('an integer in .ARM.attributes has more than 32 bits', this.start + this.at)
  }

  text(end: number): string {
    const from = this.at
    while (this.byte(end) !== 0);
    return this.bytes.toString('latin1', from, this.at - 1)
  }

  /** Tag and integer value; 0 for a string. Below 32 the tag decides the kind, above it odd ones are strings. */
  attribute(end: number): readonly [tag: number, value: number] {
    const tag = this.uleb(end)
    if (tag === TAG.compatibility) {
      const flag = this.uleb(end)
      this.text(end)
      return [tag, flag]
    }
    const isText = tag > TAG.compatibility ? tag % 2 === 1 : tag === TAG.cpuRawName || tag === TAG.cpuName
    if (!isText) return [tag, this.uleb(end)]
    this.text(end)
    return [tag, 0]
  }
}

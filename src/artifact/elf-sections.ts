/** Section headers: System V gABI, chapter 4 "Sections". Absent from a file stripped of them, which is no fault. */
import type { ElfHeader } from './elf-header.ts'
import { elfInvalid, type Table } from './elf-view.ts'

export interface Section {
  readonly type: number
  readonly offset: number
  readonly size: number
  /** Offset of the name in the section name table. */
  readonly name: number
}

const SHT_NULL = 0
const SHT_NOBITS = 8
const SHN_XINDEX = 0xff_ff
/** Linked executables have some dozens. */
const COUNT_LIMIT = 65_536
/** Headers read at once. */
const BATCH = 1024
/** Bytes. */
const NAMES_LIMIT = 4 * 1024 * 1024

/**
 * Sections with bytes in the file; each lies in the file, or the file was cut.
 * @throws PitlaneError `ELF_INVALID`
 */
export async function readSections(header: ElfHeader): Promise<readonly Section[]> {
  const { view, sections: where } = header
  if (where.offset === 0) return []
  const is64 = view.class === 64
  const first = await view.table(where.offset, where.entrySize, 'the section header table')
  // gABI: a count of 0 with a table means that section 0 holds it, in sh_size.
  const count = where.count === 0 ? first.size(is64 ? 32 : 20, 'the section count') : where.count
  if (count > COUNT_LIMIT) throw elfInvalid(`the file has ${count} sections, more than ${COUNT_LIMIT}`, where.offset)
  view.within(where.offset, count * where.entrySize, 'the section header table')
  const sections: Section[] = []
  for (let start = 0; start < count; start += BATCH) {
    const many = Math.min(BATCH, count - start)
    const table = await view.table(
      where.offset + start * where.entrySize,
      many * where.entrySize,
      'the section header table',
    )
    for (let index = 0; index < many; index += 1) {
      const section = readSection(table, index * where.entrySize, is64, start + index)
      if (section === null) continue
      if (section.size > 0) view.within(section.offset, section.size, `section ${start + index}`)
      sections.push(section)
    }
  }
  return sections
}

function readSection(table: Table, base: number, is64: boolean, index: number): Section | null {
  const type = table.u32(base + 4)
  if (type === SHT_NULL || type === SHT_NOBITS) return null
  return {
    type,
    offset: table.size(base + (is64 ? 24 : 16), `sh_offset of section ${index}`),
    size: table.size(base + (is64 ? 32 : 20), `sh_size of section ${index}`),
    name: table.u32(base),
  }
}

/** The first section of that name, or undefined when none has it or the file keeps no names. */
export async function namedSection(
  header: ElfHeader,
  sections: readonly Section[],
  name: string,
): Promise<Section | undefined> {
  const { view, sections: where } = header
  if (sections.length === 0) return undefined
  const is64 = view.class === 64
  let index = where.names
  if (index === SHN_XINDEX) {
    index = (await view.table(where.offset, where.entrySize, 'section 0')).u32(is64 ? 40 : 24)
  }
  if (index === 0) return undefined
  if (index >= COUNT_LIMIT) throw elfInvalid(`the section name table is section ${index}`, where.offset)
  const table = await view.table(where.offset + index * where.entrySize, where.entrySize, 'the section name table')
  const names = readSection(table, 0, is64, index)
  if (names === null) return undefined
  if (names.size > NAMES_LIMIT) throw elfInvalid(`the section names take ${names.size} bytes`, names.offset)
  const texts = await view.bytes(names.offset, names.size, 'the section name table')
  const wanted = Buffer.from(`${name}\0`)
  return sections.find((section) => texts.subarray(section.name, section.name + wanted.length).equals(wanted))
}

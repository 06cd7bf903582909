/** Program headers: System V gABI, chapter 5 "Program Header". */
import type { ElfHeader } from './elf-header.ts'
import { elfInvalid } from './elf-view.ts'

export const PT = { null: 0, load: 1, dynamic: 2, interp: 3 } as const
export const PF = { execute: 1, write: 2 } as const

export interface Segment {
  readonly type: number
  readonly flags: number
  readonly offset: number
  readonly address: number
  readonly fileSize: number
  readonly memorySize: number
  /** Where its header lies in the file, for messages. */
  readonly at: number
}

/**
 * All program headers but the `PT_NULL` ones. Bytes of each lie in the file; loadable ones ascend and don't overlap, so that an address
 * means one byte of the file for every reader.
 * @throws PitlaneError `ELF_INVALID`
 */
export async function readSegments(header: ElfHeader): Promise<readonly Segment[]> {
  const { view, segments: where } = header
  const is64 = view.class === 64
  const table = await view.table(where.offset, where.count * where.entrySize, 'the program header table')
  const segments: Segment[] = []
  let loadedUntil = 0
  for (let index = 0; index < where.count; index += 1) {
    const base = index * where.entrySize
    const at = where.offset + base
    const type = table.u32(base)
    if (type === PT.null) continue
    const name = `program header ${index}`
    const segment: Segment = {
      type,
      flags: table.u32(base + (is64 ? 4 : 24)),
      offset: table.size(base + (is64 ? 8 : 4), `p_offset of ${name}`),
      address: table.size(base + (is64 ? 16 : 8), `p_vaddr of ${name}`),
      fileSize: table.size(base + (is64 ? 32 : 16), `p_filesz of ${name}`),
      memorySize: table.size(base + (is64 ? 40 : 20), `p_memsz of ${name}`),
      at,
    }
    if (segment.fileSize > 0) view.within(segment.offset, segment.fileSize, name)
    if (type === PT.load) {
      checkLoad(
        segment,
        table.word(base + (is64 ? 48 : 28)),
        loadedUntil,
        name,
        is64 ? Number.MAX_SAFE_INTEGER : 2 ** 32,
      )
      loadedUntil = segment.address + segment.memorySize
    }
    segments.push(segment)
  }
  return segments
}

function checkLoad(segment: Segment, align: bigint, loadedUntil: number, name: string, top: number): void {
  const { address, offset, fileSize, memorySize, at } = segment
  if (fileSize > memorySize) throw elfInvalid(`${name} has more bytes in the file than in memory`, at)
  if (memorySize > top - address) throw elfInvalid(`${name} goes beyond the address space`, at)
  if (address < loadedUntil) throw elfInvalid(`${name} overlaps or precedes the loadable segment before it`, at)
  if (align <= 1n) return
  if ((align & (align - 1n)) !== 0n) throw elfInvalid(`p_align of ${name} is ${align}, not a power of two`, at)
  if (BigInt(address) % align !== BigInt(offset) % align) {
    throw elfInvalid(`address and offset of ${name} don't agree modulo ${align}`, at)
  }
}

/** The one segment of that type, or undefined; gABI allows one `PT_INTERP`, and two `PT_DYNAMIC` have no meaning. */
export function onlySegment(segments: readonly Segment[], type: number, name: string): Segment | undefined {
  const [first, second] = segments.filter((segment) => segment.type === type)
  if (second) throw elfInvalid(`there is more than one ${name} segment`, second.at)
  return first
}

/** Place in the file of `length` bytes at a virtual address, or null when no one loadable segment brings them from the file. */
export function fileOffset(segments: readonly Segment[], address: number, length: number): number | null {
  for (const segment of segments) {
    if (segment.type !== PT.load || address < segment.address) continue
    const inside = address - segment.address
    if (inside <= segment.fileSize && length <= segment.fileSize - inside) return segment.offset + inside
  }
  return null
}

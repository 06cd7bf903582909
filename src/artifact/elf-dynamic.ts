/** The dynamic section: System V gABI, chapter 5 "Dynamic Section"; `DT_FLAGS_1` as Linux's linkers and loaders have it. */
import { fileOffset, onlySegment, PT, type Segment } from './elf-segments.ts'
import { elfInvalid, type ElfView } from './elf-view.ts'

export interface DynamicFacts {
  readonly needed: readonly string[]
  /** There is a dynamic section at all. */
  readonly present: boolean
  /** `DF_1_PIE`, or from older linkers `DT_DEBUG`: the linker made an executable. No library has either. */
  readonly executable: boolean
  /** `DT_SONAME` is there: the name of a library. */
  readonly named: boolean
}

const DT_NULL = 0n
const DT_NEEDED = 1n
const DT_STRTAB = 5n
const DT_STRSZ = 10n
const DT_SONAME = 14n
const DT_DEBUG = 21n
const DT_FLAGS_1 = 0x6f_ff_ff_fbn
const DF_1_PIE = 0x08_00_00_00n

/** Bytes; some hundreds are usual. */
const DYNAMIC_LIMIT = 1024 * 1024
const NEEDED_LIMIT = 4096
/** Bytes of a library name: Linux's `PATH_MAX`. */
const NAME_LIMIT = 4096

/**
 * Reads `PT_DYNAMIC`; strings are found through the loadable segments, because section headers may be stripped.
 * @throws PitlaneError `ELF_INVALID`
 */
export async function readDynamic(view: ElfView, segments: readonly Segment[]): Promise<DynamicFacts> {
  const segment = onlySegment(segments, PT.dynamic, 'PT_DYNAMIC')
  if (segment === undefined) return { needed: [], present: false, executable: false, named: false }
  const { offset, fileSize } = segment
  // The loader goes by address, other tools by offset: both have to be the same bytes.
  if (fileOffset(segments, segment.address, fileSize) !== offset) {
    throw elfInvalid('PT_DYNAMIC is not the bytes that are loaded at its address', segment.at)
  }
  if (fileSize > DYNAMIC_LIMIT)
    throw elfInvalid(`PT_DYNAMIC has ${fileSize} bytes, more than ${DYNAMIC_LIMIT}`, segment.at)

  const half = view.class / 8
  const table = await view.table(offset, fileSize, 'PT_DYNAMIC')
  const names: number[] = []
  const strings = { address: -1, size: -1 }
  let executable = false
  let named = false
  for (let base = 0; ; base += 2 * half) {
    if (base + 2 * half > fileSize) throw elfInvalid('the dynamic section does not end with DT_NULL', offset + base)
    const tag = table.word(base)
    if (tag === DT_NULL) break
    if (tag === DT_NEEDED) names.push(table.size(base + half, 'DT_NEEDED'))
    else if (tag === DT_STRTAB) strings.address = table.size(base + half, 'DT_STRTAB')
    else if (tag === DT_STRSZ) strings.size = table.size(base + half, 'DT_STRSZ')
    else if (tag === DT_FLAGS_1) executable ||= (table.word(base + half) & DF_1_PIE) !== 0n
    else if (tag === DT_DEBUG) executable = true
    else if (tag === DT_SONAME) named = true
  }
  if (names.length > NEEDED_LIMIT)
    throw elfInvalid(`the file needs ${names.length} libraries, more than ${NEEDED_LIMIT}`, offset)
  return { needed: await readNames(view, segments, offset, names, strings), present: true, executable, named }
}

async function readNames(
  view: ElfView,
  segments: readonly Segment[],
  dynamicAt: number,
  names: readonly number[],
  strings: { readonly address: number; readonly size: number },
): Promise<readonly string[]> {
  if (names.length === 0) return []
  if (strings.address < 0 || strings.size < 0) throw elfInvalid('DT_NEEDED without DT_STRTAB and DT_STRSZ', dynamicAt)
  const start = fileOffset(segments, strings.address, strings.size)
  if (start === null) {
    throw elfInvalid(
      `DT_STRTAB (0x${strings.address.toString(16)}, ${strings.size} bytes) is not loaded from the file`,
      dynamicAt,
    )
  }
  const needed: string[] = []
  for (const name of names) {
    const room = strings.size - name
    if (room <= 0) throw elfInvalid(`the name of a needed library lies outside DT_STRTAB`, start)
    needed.push(await view.text(start + name, Math.min(room, NAME_LIMIT), 'the name of a needed library'))
  }
  return needed
}

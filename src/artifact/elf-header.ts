/** The ELF header: System V gABI, chapter 4 "ELF Header". */
import { elfInvalid, ElfView } from './elf-view.ts'
import type { RandomAccess } from './random-access.ts'

export interface ElfHeader {
  readonly view: ElfView
  readonly type: 'exec' | 'dyn'
  readonly machine: number
  readonly entry: number
  readonly segments: { readonly offset: number; readonly count: number; readonly entrySize: number }
  /** `count` is `e_shnum` as it stands: 0 with an offset means that section 0 holds the count. */
  readonly sections: {
    readonly offset: number
    readonly count: number
    readonly entrySize: number
    readonly names: number
  }
}

/** The kernel refuses a larger program header table (`load_elf_phdrs`), so a file with one is not an executable. */
const SEGMENT_TABLE_LIMIT = 65_536

/** Value of `e_phnum` that says "see section 0": for core files; the kernel executes none with it. */
const PN_XNUM = 0xff_ff

/** Where 0 stands for System V, which Linux uses as well. */
const LINUX_OS_ABI = new Set([0, 3])

const OS_ABI_NAMES: Readonly<Record<number, string>> = {
  1: 'HP-UX',
  2: 'NetBSD',
  6: 'Solaris',
  7: 'AIX',
  8: 'IRIX',
  9: 'FreeBSD',
  10: 'TRU64',
  11: 'Modesto',
  12: 'OpenBSD',
  64: 'ARM EABI',
  65: 'ARM FDPIC',
  97: 'ARM',
  255: 'standalone',
}

const FOREIGN: readonly (readonly [prefix: string, name: string])[] = [
  ['2321', 'a script'],
  ['4d5a', 'a Windows or UEFI executable'],
  ['cffaedfe', 'a macOS executable'],
  ['cefaedfe', 'a macOS executable'],
  ['cafebabe', 'a macOS universal binary or a Java class'],
  ['0061736d', 'a WebAssembly module'],
  ['213c617263683e', 'a static library'],
  ['1f8b', 'gzip data'],
  ['28b52ffd', 'Zstandard data'],
  ['fd377a585a00', 'xz data'],
  ['504b0304', 'a zip archive'],
]

/**
 * Reads and checks the header. Objects, core files, other systems and table sizes other than the specified ones are refused.
 * @throws PitlaneError `ELF_INVALID`
 */
export async function readHeader(source: RandomAccess): Promise<ElfHeader> {
  const ident = await source.read(0, Math.min(16, source.size))
  if (ident.length < 4 || ident.readUInt32BE(0) !== 0x7f_45_4c_46) throw elfInvalid(notElf(ident), 0)
  if (ident.length < 16)
    throw elfInvalid(`the file has only ${source.size} bytes, less than an ELF header`, source.size)
  const [elfClass, data, version, osAbi] = [ident[4], ident[5], ident[6], ident[7] ?? 0]
  if (elfClass !== 1 && elfClass !== 2)
    throw elfInvalid(`the class is ${elfClass}, neither 1 (32-bit) nor 2 (64-bit)`, 4)
  if (data !== 1 && data !== 2) throw elfInvalid(`the byte order is ${data}, neither 1 (little) nor 2 (big)`, 5)
  if (version !== 1) throw elfInvalid(`the ELF version is ${version}, not 1`, 6)
  if (!LINUX_OS_ABI.has(osAbi)) {
    throw elfInvalid(`the file is for operating system ${OS_ABI_NAMES[osAbi] ?? 'number'} (${osAbi}), not Linux`, 7)
  }

  const view = new ElfView(source, elfClass === 2 ? 64 : 32, data === 1)
  const is64 = view.class === 64
  const size = is64 ? 64 : 52
  const table = await view.table(0, size, 'the ELF header')
  const type = executableType(table.u16(16))
  if (table.u32(20) !== 1) throw elfInvalid(`e_version is ${table.u32(20)}, not 1`, 20)
  // From e_phoff on, places differ by the size of the words before.
  const short = is64 ? 52 : 40
  expectSize(table.u16(short), size, 'e_ehsize', short)
  const count = table.u16(short + 4)
  if (count === 0) throw elfInvalid('the file has no program headers: it is not an executable', short + 4)
  expectSize(table.u16(short + 2), is64 ? 56 : 32, 'e_phentsize', short + 2)
  const entrySize = table.u16(short + 2)
  if (count === PN_XNUM)
    throw elfInvalid('the program header count is extended (PN_XNUM): only core files have that', short + 4)
  if (count * entrySize > SEGMENT_TABLE_LIMIT) {
    throw elfInvalid(`the file has ${count} program headers, more than Linux loads`, short + 4)
  }
  const sections = {
    offset: table.size(is64 ? 40 : 32, 'e_shoff'),
    count: table.u16(short + 8),
    entrySize: is64 ? 64 : 40,
    names: table.u16(short + 10),
  }
  if (sections.offset !== 0) expectSize(table.u16(short + 6), sections.entrySize, 'e_shentsize', short + 6)
  else if (sections.count !== 0)
    throw elfInvalid(`${sections.count} section headers are announced without a place`, short + 8)
  return {
    view,
    type,
    machine: table.u16(18),
    entry: table.size(24, 'e_entry'),
    segments: { offset: table.size(is64 ? 32 : 28, 'e_phoff'), count, entrySize },
    sections,
  }
}

function executableType(value: number): 'exec' | 'dyn' {
  if (value === 2) return 'exec'
  if (value === 3) return 'dyn'
  const names: Readonly<Record<number, string>> = { 1: 'an object file, not linked yet', 4: 'a core file' }
  throw elfInvalid(`the file is ${names[value] ?? 'no executable'} (e_type ${value})`, 16)
}

function expectSize(actual: number, expected: number, field: string, offset: number): void {
  if (actual !== expected) throw elfInvalid(`${field} is ${actual}, not ${expected}`, offset)
}

function notElf(start: Buffer): string {
  if (start.length === 0) return 'the file is empty'
  const hex = start.toString('hex')
  const foreign = FOREIGN.find(([prefix]) => hex.startsWith(prefix))
  return foreign
    ? `the file is ${foreign[1]}, not ELF`
    : `the file is not ELF: it starts with ${hex.slice(0, 8)}, not 7f454c46`
}

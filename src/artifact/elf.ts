/** Reads what an ELF executable says about itself. Nothing that a file can contain leads to another error than `ELF_INVALID`. */
import { readArmAttributes } from './arm-attributes.ts'
import { readDynamic, type DynamicFacts } from './elf-dynamic.ts'
import type { ElfFacts } from './elf-facts.ts'
import { readHeader, type ElfHeader } from './elf-header.ts'
import { readSections, type Section } from './elf-sections.ts'
import { fileOffset, onlySegment, PF, PT, readSegments, type Segment } from './elf-segments.ts'
import { elfInvalid, type ElfView } from './elf-view.ts'
import { readGoArm } from './go-buildinfo.ts'
import { MACHINE } from './machines.ts'
import type { RandomAccess } from './random-access.ts'

/** Bytes with the final NUL: Linux refuses a longer one (`PATH_MAX`). */
const INTERPRETER_LIMIT = 4096

/**
 * Facts of an executable file, of either class and byte order. Reads headers and tables only, each within limits.
 * @throws PitlaneError `ELF_INVALID` with the reason and the place in the file; `STORAGE_FAILED` when the source can't be read
 */
export async function readElf(source: RandomAccess): Promise<ElfFacts> {
  const header = await readHeader(source)
  const { view } = header
  const segments = await readSegments(header)
  const sections = await readSections(header)
  const interpreter = await readInterpreter(view, segments)
  const dynamic = await readDynamic(view, segments)
  if (isLibrary(header, dynamic, interpreter)) {
    throw elfInvalid('the file is a shared library, not an executable: it has neither DF_1_PIE nor DT_DEBUG', 16)
  }
  requireEntry(header, segments)
  return {
    class: view.class,
    endianness: view.little ? 'little' : 'big',
    machine: header.machine,
    type: header.type,
    interpreter,
    needed: dynamic.needed,
    arm: header.machine === MACHINE.arm ? await readArm(header, segments, sections) : null,
  }
}

async function readInterpreter(view: ElfView, segments: readonly Segment[]): Promise<string | null> {
  const segment = onlySegment(segments, PT.interp, 'PT_INTERP')
  if (segment === undefined) return null
  const { offset, fileSize, at } = segment
  if (fileSize < 2 || fileSize > INTERPRETER_LIMIT) throw elfInvalid(`PT_INTERP has ${fileSize} bytes`, at)
  return view.text(offset, fileSize, 'PT_INTERP')
}

/**
 * Programs and libraries have one `e_type`. Linkers mark a PIE; where one did not, an interpreter speaks for a program, and a library's name or
 * no entry point against it. Without a dynamic section it can't be a library.
 */
function isLibrary(header: ElfHeader, dynamic: DynamicFacts, interpreter: string | null): boolean {
  if (header.type !== 'dyn' || !dynamic.present || dynamic.executable) return false
  return interpreter === null || dynamic.named || header.entry === 0
}

function requireEntry(header: ElfHeader, segments: readonly Segment[]): void {
  const { entry } = header
  const code = segments.filter((segment) => segment.type === PT.load && (segment.flags & PF.execute) !== 0)
  if (entry === 0 || fileOffset(code, entry, 1) === null) {
    throw elfInvalid(`the entry point 0x${entry.toString(16)} is in no executable segment`, 24)
  }
}

/** A Go program linked with C has attributes of its C part only, so both are asked. */
async function readArm(
  header: ElfHeader,
  segments: readonly Segment[],
  sections: readonly Section[],
): Promise<ElfFacts['arm']> {
  const attributes = await readArmAttributes(header.view, sections)
  const go = await readGoArm(header, segments, sections)
  if (attributes !== null && attributes >= (go ?? 0)) return { version: attributes, source: 'attributes' }
  return go === null ? null : { version: go, source: 'go-buildinfo' }
}

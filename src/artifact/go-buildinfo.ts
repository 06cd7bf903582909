/**
 * Go's build information: the blob that `go version -m` reads, described at `debug/buildinfo` in Go's library. Two forms: pointers to
 * string headers (before Go 1.18) and strings in place.
 */
import type { ElfHeader } from './elf-header.ts'
import { namedSection, type Section } from './elf-sections.ts'
import { fileOffset, PF, PT, type Segment } from './elf-segments.ts'
import type { ElfView } from './elf-view.ts'

const MAGIC = Buffer.from('\xff Go buildinf:', 'latin1')
/** The blob starts at a multiple of 16 and has a head of 32 bytes. */
const ALIGN = 16
const HEAD = 32
/** Flags at byte 15: byte order of the pointers, and strings in place. */
const BIG_ENDIAN = 1
const IN_PLACE = 2
/** The module text stands between two marks of 16 bytes. */
const MARK = 16

/** Bytes that are looked through; the blob is near the start of the data. */
const SEARCH_LIMIT = 16 * 1024 * 1024
const CHUNK = 64 * 1024
/** Bytes of the module text: one line per dependency and build setting. */
const TEXT_LIMIT = 1024 * 1024

/**
 * The ARM version of `GOARM`, or null: not built by Go, or built by a Go that did not write its settings down (before 1.18). Whatever
 * can't be followed gives null as well, which no ARM target takes for an answer.
 */
export async function readGoArm(
  header: ElfHeader,
  segments: readonly Segment[],
  sections: readonly Section[],
): Promise<number | null> {
  const section = await namedSection(header, sections, '.go.buildinfo')
  const ranges = section
    ? [{ offset: section.offset, size: section.size }]
    : segments
        .filter((segment) => segment.type === PT.load && (segment.flags & PF.write) !== 0)
        .map((segment) => ({ offset: segment.offset, size: segment.fileSize }))
  const at = await findBlob(header.view, ranges)
  if (at === null) return null
  const text = await readModuleText(header.view, segments, at)
  return text === null ? null : parseGoArm(text)
}

/** `GOARM` is `5`, `6` or `7`, with `,softfloat` or `,hardfloat` from Go 1.22 on. The highest counts if it stands there twice. */
export function parseGoArm(moduleText: string): number | null {
  const lines = moduleText.split('\n')
  if (!lines.includes('build\tGOARCH=arm')) return null
  const versions = lines.map((line) => /^build\tGOARM=([5-7])(?:,(?:soft|hard)float)?$/.exec(line)?.[1]).filter(Boolean)
  return versions.length === 0 ? null : Math.max(...versions.map(Number))
}

async function findBlob(
  view: ElfView,
  ranges: readonly { readonly offset: number; readonly size: number }[],
): Promise<number | null> {
  let budget = SEARCH_LIMIT
  for (const range of ranges) {
    // Addresses and offsets agree modulo 16, and 14 bytes at a multiple of 16 straddle no chunk that starts at one.
    const first = Math.ceil(range.offset / ALIGN) * ALIGN
    const end = Math.min(range.offset + range.size, first + budget)
    budget -= Math.max(0, end - first)
    for (let start = first; start + HEAD <= end; start += CHUNK) {
      const bytes = await view.bytes(start, Math.min(CHUNK, end - start), 'the data segment')
      for (let at = bytes.indexOf(MAGIC); at >= 0; at = bytes.indexOf(MAGIC, at + 1)) {
        if (at % ALIGN === 0 && start + at + HEAD <= end) return start + at
      }
    }
  }
  return null
}

async function readModuleText(view: ElfView, segments: readonly Segment[], at: number): Promise<string | null> {
  const head = await view.bytes(at, HEAD, 'the Go build information')
  const [pointerSize = 0, flags = 0] = [head[14], head[15]]
  const bytes =
    (flags & IN_PLACE) !== 0
      ? await readInPlace(view, at + HEAD)
      : await readByPointer(view, segments, head, pointerSize, (flags & BIG_ENDIAN) !== 0)
  if (bytes === null || bytes.length < 2 * MARK + 1 || bytes[bytes.length - MARK - 1] !== 0x0a) return null
  return bytes.toString('utf8', MARK, bytes.length - MARK)
}

/** Go's version, then the module text, each after its length as an unsigned varint. */
async function readInPlace(view: ElfView, at: number): Promise<Buffer | null> {
  const version = await readVarint(view, at)
  if (version === null) return null
  const text = await readVarint(view, version.end + version.value)
  return text === null ? null : readRange(view, text.end, text.value)
}

async function readVarint(view: ElfView, at: number): Promise<{ readonly value: number; readonly end: number } | null> {
  const bytes = await readRange(view, at, Math.min(5, Math.max(0, view.source.size - at)))
  let value = 0
  for (const [index, byte] of (bytes ?? Buffer.alloc(0)).entries()) {
    value += (byte & 0x7f) * 2 ** (7 * index)
    if (byte < 0x80) return value > TEXT_LIMIT ? null : { value, end: at + index + 1 }
  }
  return null
}

/** The head holds addresses of two string headers (data pointer, length); the second is the module text's. */
async function readByPointer(
  view: ElfView,
  segments: readonly Segment[],
  head: Buffer,
  size: number,
  big: boolean,
): Promise<Buffer | null> {
  if (size !== view.class / 8) return null
  const integer = (bytes: Buffer, at: number) => {
    const padded = Buffer.alloc(8)
    if (big) bytes.copy(padded, 8 - size, at, at + size)
    else bytes.copy(padded, 0, at, at + size)
    return Number(big ? padded.readBigUInt64BE() : padded.readBigUInt64LE())
  }
  const stringHeaderAt = fileOffset(segments, integer(head, 16 + size), 2 * size)
  if (stringHeaderAt === null) return null
  const stringHeader = await view.bytes(stringHeaderAt, 2 * size, 'the Go build information')
  const length = integer(stringHeader, size)
  if (length > TEXT_LIMIT) return null
  const dataAt = fileOffset(segments, integer(stringHeader, 0), length)
  return dataAt === null ? null : readRange(view, dataAt, length)
}

function readRange(view: ElfView, offset: number, length: number): Promise<Buffer | null> {
  if (offset + length > view.source.size) return Promise.resolve(null)
  return view.bytes(offset, length, 'the Go build information')
}

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readElf } from './elf.ts'
import { buildElf, type ElfRecipe } from './fixtures/elf-builder.ts'
import { bufferAccess } from './random-access.ts'

const AMD64 = 'x86_64-unknown-linux-musl'
const ARMV6 = 'armv6l-unknown-linux-musleabihf'

function read(recipe: ElfRecipe, patches: readonly (readonly [at: number, bytes: readonly number[]])[] = []) {
  const bytes = buildElf(recipe)
  for (const [at, values] of patches) bytes.set(values, at)
  return readElf(bufferAccess(bytes))
}

function readBytes(bytes: Buffer | string) {
  return readElf(bufferAccess(Buffer.from(bytes as string)))
}

function refused(promise: Promise<unknown>, message: RegExp): Promise<void> {
  return assert.rejects(promise, (error: Error & { code?: string }) => {
    assert.equal(error.code, 'ELF_INVALID', error.stack)
    assert.match(error.message, message)
    assert.match(error.message, /\(at byte \d+\)$/)
    return true
  })
}

const u16 = (value: number) => [value & 0xff, value >> 8]
const u64 = (value: bigint) => [...new Uint8Array(new BigUint64Array([value]).buffer)]
/** Places in a 64-bit file: program header n, and its fields. */
const ph = (index: number, field: number) => 64 + 56 * index + field
const P_OFFSET = 8
const P_VADDR = 16
const P_FILESZ = 32
const P_MEMSZ = 40
const P_ALIGN = 48

test('a static executable: both classes, both byte orders', async () => {
  for (const elfClass of [32, 64] as const) {
    for (const bigEndian of [false, true]) {
      assert.deepEqual(await read({ class: elfClass, machine: 8, bigEndian }), {
        class: elfClass,
        endianness: bigEndian ? 'big' : 'little',
        machine: 8,
        type: 'exec',
        interpreter: null,
        needed: [],
        arm: null,
      })
    }
  }
})

test('interpreter and needed libraries are found without section headers, in both classes and byte orders', async () => {
  for (const elfClass of [32, 64] as const) {
    for (const bigEndian of [false, true]) {
      for (const pie of [false, true]) {
        const facts = await read({
          class: elfClass,
          machine: 8,
          bigEndian,
          pie,
          noSections: true,
          interpreter: '/lib/ld-musl.so.1',
          needed: ['libc.so', 'libm.so.6'],
        })
        assert.equal(facts.interpreter, '/lib/ld-musl.so.1')
        assert.deepEqual(facts.needed, ['libc.so', 'libm.so.6'])
        assert.equal(facts.type, pie ? 'dyn' : 'exec')
      }
    }
  }
})

test('a static PIE has neither interpreter nor needed libraries', async () => {
  const facts = await read({ triple: AMD64, pie: true })
  assert.deepEqual([facts.type, facts.interpreter, facts.needed], ['dyn', null, []])
})

test('ARM version from the attributes, from Go, from the higher of both, or from nowhere', async () => {
  const arm = async (recipe: ElfRecipe) => (await read({ triple: ARMV6, ...recipe })).arm
  assert.deepEqual(await arm({}), { version: 6, source: 'attributes' })
  assert.deepEqual(await arm({ armArch: 10 }), { version: 7, source: 'attributes' })
  assert.deepEqual(await arm({ bigEndian: true, armArch: 5 }), { version: 5, source: 'attributes' })
  assert.deepEqual(await arm({ armArch: null, goArm: '6' }), { version: 6, source: 'go-buildinfo' })
  assert.deepEqual(await arm({ armArch: null, goArm: '6,softfloat', noSections: true }), {
    version: 6,
    source: 'go-buildinfo',
  })
  assert.deepEqual(await arm({ armArch: null, goArm: '7', goForm: 'pointer' }), { version: 7, source: 'go-buildinfo' })
  assert.deepEqual(await arm({ armArch: null, goArm: '5', goForm: 'pointer', bigEndian: true }), {
    version: 5,
    source: 'go-buildinfo',
  })
  assert.deepEqual(await arm({ armArch: 6, goArm: '7' }), { version: 7, source: 'go-buildinfo' })
  assert.deepEqual(await arm({ armArch: 10, goArm: '6' }), { version: 7, source: 'attributes' })
  assert.equal(await arm({ armArch: null }), null)
  assert.equal(await arm({ armArch: 0 }), null)
  assert.equal(await arm({ armArch: 6, noSections: true }), null)
  assert.equal(await arm({ armArch: null, goArm: '8' }), null)
  assert.equal((await read({ triple: AMD64, goArm: '6' })).arm, null)
})

test('what is not ELF is named', async () => {
  await refused(readBytes(''), /the file is empty/)
  await refused(readBytes('#!/bin/sh\n'), /a script, not ELF/)
  await refused(readBytes('MZ\x90\0'), /Windows/)
  await refused(readBytes('!<arch>\n'), /a static library/)
  await refused(readBytes('hello'), /not ELF: it starts with 68656c6c/)
  await refused(readBytes('\x7fELF'), /only 4 bytes/)
  await refused(
    readBytes(Buffer.concat([Buffer.from('\x7fELF\x02\x01\x01'), Buffer.alloc(20)])),
    /the ELF header needs 64 bytes/,
  )
})

test('headers that promise something else are refused', async () => {
  const amd64 = { triple: AMD64 }
  await refused(read(amd64, [[4, [3]]]), /the class is 3/)
  await refused(read(amd64, [[5, [0]]]), /the byte order is 0/)
  await refused(read(amd64, [[6, [2]]]), /the ELF version is 2/)
  await refused(read(amd64, [[7, [9]]]), /FreeBSD \(9\), not Linux/)
  await refused(read(amd64, [[20, [0]]]), /e_version is 0/)
  await refused(read({ ...amd64, type: 1 }), /an object file, not linked yet/)
  await refused(read({ ...amd64, type: 4 }), /a core file/)
  await refused(read({ ...amd64, type: 0xfe_00 }), /no executable \(e_type 65024\)/)
  await refused(read(amd64, [[52, u16(52)]]), /e_ehsize is 52, not 64/)
  await refused(read(amd64, [[54, u16(32)]]), /e_phentsize is 32, not 56/)
  await refused(read(amd64, [[58, u16(40)]]), /e_shentsize is 40, not 64/)
  await refused(read(amd64, [[56, u16(0)]]), /no program headers/)
  await refused(read(amd64, [[56, u16(0xff_ff)]]), /PN_XNUM/)
  await refused(read(amd64, [[56, u16(0xff_fe)]]), /65534 program headers, more than Linux loads/)
  await refused(read(amd64, [[56, u16(1000)]]), /the program header table needs 56000 bytes/)
  await refused(read(amd64, [[32, u64(2n ** 63n)]]), /e_phoff is 0x8000000000000000, beyond/)
  await refused(read(amd64, [[32, u64(2n ** 53n - 1n)]]), /the program header table needs/)
  await refused(read(amd64, [[40, u64(1n << 40n)]]), /the section header table needs/)
  await refused(read(amd64, [[40, u64(0n)]]), /section headers are announced without a place/)
})

test('sections out of the file are refused: it was cut', async () => {
  const bytes = buildElf({ triple: AMD64 })
  await refused(readElf(bufferAccess(bytes.subarray(0, -1))), /the section header table needs 128 bytes/)
  // sh_size of the name table, in the last header of the file.
  bytes.set(u64(4096n), bytes.length - 64 + 32)
  await refused(readElf(bufferAccess(bytes)), /section 1 needs 4096 bytes/)
})

test('an extended section count is followed, within limits', async () => {
  const bytes = buildElf({ triple: AMD64 })
  const tableAt = Number(bytes.readBigUInt64LE(40))
  bytes.set(u16(0), 60)
  bytes.set(u64(2n), tableAt + 32)
  await readElf(bufferAccess(bytes))
  bytes.set(u64(3n), tableAt + 32)
  await refused(readElf(bufferAccess(bytes)), /the section header table needs 192 bytes/)
  bytes.set(u64(1n << 32n), tableAt + 32)
  await refused(readElf(bufferAccess(bytes)), /4294967296 sections, more than 65536/)
})

test('loadable segments that lie outside, overlap or wrap are refused', async () => {
  const pie = { triple: AMD64, pie: true } as const
  await refused(read(pie, [[ph(0, P_FILESZ), u64(1n << 50n)]]), /program header 0 needs 1125899906842624 bytes/)
  await refused(read(pie, [[ph(0, P_OFFSET), u64(1n << 40n)]]), /program header 0 needs/)
  await refused(read(pie, [[ph(0, P_MEMSZ), u64(1n)]]), /more bytes in the file than in memory/)
  await refused(
    read(pie, [
      [ph(0, P_MEMSZ), u64(2n ** 53n - 1n)],
      [ph(0, P_VADDR), u64(4096n)],
    ]),
    /beyond the address space/,
  )
  await refused(read(pie, [[ph(0, P_VADDR), u64(1n << 60n)]]), /p_vaddr of program header 0 is 0x1000000000000000/)
  await refused(read(pie, [[ph(0, P_MEMSZ), u64(0x10_00_00n)]]), /program header 2 overlaps or precedes/)
  await refused(read(pie, [[ph(0, P_ALIGN), u64(3n)]]), /p_align of program header 0 is 3/)
  await refused(read(pie, [[ph(0, P_VADDR), u64(16n)]]), /don't agree modulo 4096/)
  await refused(read({ class: 32, machine: 3 }, [[52 + 20, [0xff, 0xff, 0xff, 0xff]]]), /beyond the address space/)
})

test('the entry point is in an executable segment', async () => {
  await refused(read({ triple: AMD64, entry: 0 }), /the entry point 0x0 is in no executable segment/)
  await refused(read({ triple: AMD64, entry: 0x1234 }), /the entry point 0x1234 is in no executable segment/)
  await refused(read({ triple: AMD64 }, [[ph(0, 4), [6]]]), /is in no executable segment/)
})

test('a shared library is not an executable', async () => {
  const library = { triple: AMD64, pie: true, pieFlag: false } as const
  const interpreter = '/lib/ld.so'
  await refused(read(library), /a shared library/)
  await refused(read({ ...library, soname: 'libx.so.1' }), /a shared library/)
  await refused(read({ ...library, interpreter, soname: 'libc.so.6' }), /a shared library/)
  await refused(read({ ...library, interpreter, entry: 0 }), /a shared library/)
  assert.equal((await read({ ...library, interpreter })).type, 'dyn')
  assert.equal((await read({ ...library, debug: true })).type, 'dyn')
  assert.equal((await read({ triple: AMD64, type: 3 })).type, 'dyn', 'without a dynamic section')
})

test('the interpreter ends inside its segment and stands once', async () => {
  const recipe = { triple: AMD64, interpreter: '/lib/ld.so', needed: ['libc.so'] }
  await refused(read(recipe, [[ph(0, P_FILESZ), u64(10n)]]), /PT_INTERP does not end within 10 bytes/)
  await refused(read(recipe, [[ph(0, P_FILESZ), u64(1n)]]), /PT_INTERP has 1 bytes/)
  await refused(read({ ...recipe, payload: Buffer.alloc(5000) }, [[ph(0, P_FILESZ), u64(4097n)]]), /PT_INTERP has 4097/)
  await refused(read(recipe, [[ph(2, 0), [3]]]), /more than one PT_INTERP/)
})

test('a dynamic section that cannot be followed is refused', async () => {
  const recipe = { triple: AMD64, needed: ['libc.so'] }
  const dynamicAt = Number(buildElf(recipe).readBigUInt64LE(ph(1, P_OFFSET)))
  const entry = (index: number) => dynamicAt + 16 * index
  assert.deepEqual((await read(recipe)).needed, ['libc.so'])
  await refused(read(recipe, [[entry(0) + 8, u64(1000n)]]), /lies outside DT_STRTAB/)
  await refused(read(recipe, [[entry(0) + 8, u64(1n << 62n)]]), /DT_NEEDED is 0x4000000000000000/)
  await refused(read(recipe, [[entry(1) + 8, u64(16n)]]), /DT_STRTAB \(0x10, 10 bytes\) is not loaded/)
  await refused(read(recipe, [[entry(2) + 8, u64(1n << 52n)]]), /DT_STRTAB .* is not loaded/)
  await refused(read(recipe, [[entry(2) + 8, u64(4n)]]), /does not end within 3 bytes/)
  await refused(read(recipe, [[entry(1), u64(0n)]]), /DT_NEEDED without DT_STRTAB/)
  await refused(read(recipe, [[ph(1, P_FILESZ), u64(48n)]]), /does not end with DT_NULL/)
  await refused(read(recipe, [[ph(1, P_VADDR), u64(0x40_00_00n)]]), /not the bytes that are loaded at its address/)
  await refused(read(recipe, [[ph(2, 0), [2]]]), /more than one PT_DYNAMIC/)
})

test('huge tables are refused before they are read', async () => {
  let asked = 0
  const size = 2 ** 40
  const start = buildElf({ triple: AMD64, needed: ['libc.so'] })
  start.set(u64(2n ** 30n), ph(1, P_FILESZ))
  start.set(u64(2n ** 31n), ph(2, P_FILESZ))
  start.set(u64(2n ** 31n), ph(2, P_MEMSZ))
  const source = {
    size,
    read: (offset: number, length: number) => {
      asked += length
      const bytes = Buffer.alloc(length)
      if (offset < start.length) start.copy(bytes, 0, offset)
      return Promise.resolve(bytes)
    },
  }
  await refused(readElf(source), /PT_DYNAMIC has 1073741824 bytes/)
  assert.ok(asked < 100_000, `${asked} bytes`)
})

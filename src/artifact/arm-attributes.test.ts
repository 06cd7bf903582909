import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CPU_ARCH, parseArmAttributes } from './arm-attributes.ts'
import { armAttributes } from './fixtures/elf-builder.ts'

const parse = (bytes: Buffer) => parseArmAttributes(bytes, 0, true)

function refused(bytes: Buffer, message: RegExp): void {
  assert.throws(() => parse(bytes), { code: 'ELF_INVALID', message })
}

test('every known Tag_CPU_arch value', () => {
  for (const [value, { version, name }] of CPU_ARCH.entries()) {
    assert.equal(parse(armAttributes([6, value])), version, name)
  }
  refused(armAttributes([6, CPU_ARCH.length]), /Tag_CPU_arch 23/)
  refused(armAttributes([6, 0xff, 0xff, 0xff, 0xff, 0x0f]), /Tag_CPU_arch 4294967295/)
})

test('only v4 to v6K are at most version 6: Thumb-2 and the microcontroller profiles are not', () => {
  const fit = CPU_ARCH.filter(({ version }) => version !== null && version <= 6).map(({ name }) => name)
  assert.deepEqual(fit, ['v4', 'v4T', 'v5T', 'v5TE', 'v5TEJ', 'v6', 'v6KZ', 'v6K'])
})

test('strings, integers and the compatibility pair are skipped by their kind', () => {
  const attributes = [4, 0x36, 0, 5, 0x37, 6, 0, 32, 1, 0x67, 0, 34, 1, 65, 6, 10, 0, 67, 0x32, 0, 0x80, 0x01, 1, 6, 7]
  assert.equal(parse(armAttributes(attributes)), 6)
})

test('a unit that came with a later architecture needs it', () => {
  assert.equal(parse(armAttributes([6, 9, 10, 2])), 6)
  assert.equal(parse(armAttributes([6, 9, 10, 3])), 7)
  assert.equal(parse(armAttributes([6, 9, 10, 7])), 8)
  assert.equal(parse(armAttributes([6, 9, 12, 1])), 7)
  assert.equal(parse(armAttributes([6, 9, 12, 3])), 8)
  assert.equal(parse(armAttributes([6, 9, 9, 1])), 6)
  assert.equal(parse(armAttributes([6, 9, 9, 2])), 7)
  assert.equal(parse(armAttributes([6, 9, 42, 1])), 7)
  assert.equal(parse(armAttributes([6, 9, 44, 2])), 7)
  assert.equal(parse(armAttributes([12, 1])), null, 'a unit alone does not tell the architecture')
})

test('the highest of all scopes and vendors counts; other vendors are skipped', () => {
  const [, ...v6] = armAttributes([6, 6])
  const [, ...v7] = armAttributes([6, 10])
  assert.equal(parse(Buffer.from([0x41, ...v7, ...v6])), 7)
  const gnu = [13, 0, 0, 0, 0x67, 0x6e, 0x75, 0, 9, 9, 9, 9, 9]
  assert.equal(parse(Buffer.from([0x41, ...gnu, ...v6])), 6)
  // Tag_File { v6 }, Tag_Section 1,2 { v7 }
  const inner = [1, 7, 0, 0, 0, 6, 6, 2, 10, 0, 0, 0, 1, 2, 0, 6, 10]
  const outer = [4 + 6 + inner.length, 0, 0, 0, ...Buffer.from('aeabi\0'), ...inner]
  assert.equal(parse(Buffer.from([0x41, ...outer])), 7)
  assert.equal(parse(Buffer.from('A')), null)
})

test('lengths that do not fit and cut texts are refused', () => {
  const good = armAttributes([6, 6])
  refused(Buffer.alloc(0), /cut short/)
  refused(Buffer.from([0x42]), /format 66/)
  for (let length = 2; length < good.length; length += 1) refused(good.subarray(0, length), /cut short|does not fit/)
  const patched = (at: number, value: number) => {
    const bytes = Buffer.from(good)
    bytes[at] = value
    return bytes
  }
  refused(patched(1, 0), /length 0/)
  refused(patched(1, 200), /length 200/)
  refused(patched(12, 0), /length 0/)
  refused(patched(12, 100), /length 100/)
  refused(patched(11, 9), /scope 9/)
  refused(armAttributes([6, 0x80]), /cut short/)
  refused(armAttributes([6, 0x80, 0x80, 0x80, 0x80, 0x80, 1]), /more than 32 bits/)
  refused(armAttributes([5, 0x41, 0x42]), /cut short/)
})

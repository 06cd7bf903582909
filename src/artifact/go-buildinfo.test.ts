import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readElf } from './elf.ts'
import { buildElf } from './fixtures/elf-builder.ts'
import { parseGoArm } from './go-buildinfo.ts'
import { bufferAccess } from './random-access.ts'

const arm = (...values: string[]) =>
  parseGoArm(['path\tx', 'build\tGOARCH=arm', ...values.map((value) => `build\tGOARM=${value}`), ''].join('\n'))

test('GOARM as go writes it', () => {
  assert.equal(arm('5'), 5)
  assert.equal(arm('6'), 6)
  assert.equal(arm('7'), 7)
  assert.equal(arm('6,softfloat'), 6)
  assert.equal(arm('7,hardfloat'), 7)
  assert.equal(arm('6', '7'), 7)
})

test('anything else tells nothing', () => {
  for (const value of ['', '8', '66', '6,', '6,hard', ' 6', '6 ']) assert.equal(arm(value), null, value)
  assert.equal(arm(), null)
  assert.equal(parseGoArm('build\tGOARM=6\n'), null, 'not built for arm')
  assert.equal(parseGoArm('build\tGOARCH=arm\ndep\tbuild\tGOARM=6\n'), null, 'inside another line')
})

test('a damaged blob tells nothing, wherever it is damaged', async () => {
  for (const goForm of ['in-place', 'pointer'] as const) {
    const good = buildElf({ triple: 'armv6l-unknown-linux-musleabihf', armArch: null, goArm: '6', goForm })
    const at = good.indexOf(Buffer.from('\xff Go buildinf:', 'latin1'))
    assert.ok(at > 0)
    const fields = goForm === 'in-place' ? [13, 15, 32, 41, 42] : [13, 14, 23, 43, 47]
    for (const field of fields) {
      const bytes = Buffer.from(good)
      bytes[at + field] = (bytes[at + field] ?? 0) ^ 0x7f
      assert.equal((await readElf(bufferAccess(bytes))).arm, null, `${goForm} ${field}`)
    }
  }
})

test('the blob is found far into the data, not beyond the limit', async () => {
  const blob = buildElf({ triple: 'armv6l-unknown-linux-musleabihf', armArch: null, goArm: '6', noSections: true })
  const dataAt = blob.indexOf(Buffer.from('\xff Go buildinf:', 'latin1'))
  const segmentAt = 52 + 32
  const shifted = (by: number) => {
    const bytes = Buffer.concat([blob.subarray(0, dataAt), Buffer.alloc(by), blob.subarray(dataAt)])
    for (const field of [16, 20]) bytes.writeUInt32LE(blob.length - dataAt + by, segmentAt + field)
    return readElf(bufferAccess(bytes)).then((facts) => facts.arm)
  }
  assert.deepEqual(await shifted(1024 * 1024 + 48), { version: 6, source: 'go-buildinfo' })
  assert.equal(await shifted(1024 * 1024 + 8), null, 'not aligned')
  assert.equal(await shifted(16 * 1024 * 1024), null)
})

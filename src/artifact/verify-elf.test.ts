import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { PitlaneError } from '../errors.ts'
import { findTarget, TARGETS, type Target } from '../plan/targets.ts'
import { buildElf, type ElfRecipe, staticBinary } from './fixtures/elf-builder.ts'
import { bufferAccess } from './random-access.ts'
import { verifyElf } from './verify-elf.ts'

const GOLDEN = new URL('golden/elf-verdicts.txt', import.meta.url)
const ARMV6 = 'armv6l-unknown-linux-musleabihf'

const FIXTURES: Readonly<Record<string, ElfRecipe>> = {
  'x86-64 static': { triple: 'x86_64-unknown-linux-musl' },
  'x86-64 static PIE': { triple: 'x86_64-unknown-linux-musl', pie: true },
  'x86-64 dynamic PIE': {
    triple: 'x86_64-unknown-linux-musl',
    pie: true,
    interpreter: '/lib/ld-musl-x86_64.so.1',
    needed: ['libc.so'],
  },
  'x86-64 without interpreter, with library': { triple: 'x86_64-unknown-linux-musl', needed: ['libc.so'] },
  'x86-64 library': { triple: 'x86_64-unknown-linux-musl', pie: true, soname: 'libx.so', pieFlag: false, entry: 0 },
  'x86-64 object': { triple: 'x86_64-unknown-linux-musl', type: 1 },
  'x32 static': { class: 32, machine: 62 },
  'i686 static': { triple: 'i686-unknown-linux-musl' },
  'AArch64 static': { triple: 'aarch64-unknown-linux-musl' },
  'AArch64 big-endian': { triple: 'aarch64-unknown-linux-musl', bigEndian: true },
  'ARMv6 static': { triple: ARMV6 },
  'ARMv6 static PIE': { triple: ARMV6, pie: true },
  'ARMv6 dynamic': { triple: ARMV6, interpreter: '/lib/ld-linux-armhf.so.3', needed: ['libc.so.6', 'libm.so.6'] },
  'ARMv6KZ static': { triple: ARMV6, armArch: 7 },
  'ARMv6T2 static': { triple: ARMV6, armArch: 8 },
  'ARMv5TE static': { triple: ARMV6, armArch: 4 },
  'ARMv7 static': { triple: ARMV6, armArch: 10 },
  'ARMv8 static': { triple: ARMV6, armArch: 14 },
  'ARM of unknown version': { triple: ARMV6, armArch: null },
  'ARMv6 big-endian': { triple: ARMV6, bigEndian: true },
  'Go GOARM=5': { triple: ARMV6, armArch: null, goArm: '5' },
  'Go GOARM=6,softfloat': { triple: ARMV6, armArch: null, goArm: '6,softfloat' },
  'Go GOARM=7': { triple: ARMV6, armArch: null, goArm: '7' },
  'RISC-V static': { class: 64, machine: 243 },
}

async function verdict(bytes: Buffer, target: Target): Promise<string> {
  try {
    await verifyElf(bufferAccess(bytes), target, { static: true })
    return 'fits'
  } catch (error) {
    assert.ok(error instanceof PitlaneError, String(error))
    assert.ok(error.hint)
    return `${error.code} ${error.message}`
  }
}

test('the table of verdicts is the one that was reviewed', async () => {
  const lines: string[] = []
  for (const [name, recipe] of Object.entries(FIXTURES)) {
    lines.push(name)
    const bytes = buildElf(recipe)
    for (const target of TARGETS) lines.push(`  ${target.triple}: ${await verdict(bytes, target)}`)
  }
  const table = `${lines.join('\n')}\n`
  if (process.env.UPDATE_GOLDEN) writeFileSync(GOLDEN, table)
  const reviewed = readFileSync(GOLDEN, 'utf8').split('\n')
  const changed = table.split('\n').filter((line, index) => line !== reviewed[index])
  assert.deepEqual(changed, [], 'UPDATE_GOLDEN=1 rewrites it')
  assert.equal(reviewed.length, table.split('\n').length)
})

test('a static binary fits its own target only', async () => {
  for (const built of TARGETS) {
    const bytes = staticBinary(built.triple, Buffer.from('x'))
    const fitting: string[] = []
    for (const target of TARGETS) if ((await verdict(bytes, target)) === 'fits') fitting.push(target.triple)
    assert.deepEqual(fitting, [built.triple])
  }
})

test('a dynamic executable fits where static is not demanded, another machine does not', async () => {
  const target = findTarget('x86_64-unknown-linux-musl')
  assert.ok(target)
  const dynamic = { pie: true, interpreter: '/lib/ld.so', needed: ['libc.so'] }
  const facts = await verifyElf(bufferAccess(buildElf({ triple: target.triple, ...dynamic })), target, {
    static: false,
  })
  assert.deepEqual(facts.needed, ['libc.so'])
  await assert.rejects(
    verifyElf(bufferAccess(buildElf({ class: 64, machine: 183, ...dynamic })), target, { static: false }),
    {
      code: 'ELF_MISMATCH',
      message: 'machine is AArch64 (183), target x86_64-unknown-linux-musl needs AMD x86-64 (62)',
    },
  )
})

test('names from the file are escaped and counted in messages', async () => {
  const target = findTarget('x86_64-unknown-linux-musl')
  assert.ok(target)
  const needed = Array.from({ length: 12 }, (_, index) => `lib\u001b[31m${index}.so`)
  const message = await verdict(buildElf({ triple: target.triple, needed, interpreter: '/lib/\nx' }), target)
  assert.match(message, /and 4 more/)
  assert.ok(!message.includes('\u001b') && !message.includes('\n'))
})

test('an ARM version that nothing tells is left to the release test where there is one, and to nobody else', async () => {
  const target = findTarget(ARMV6)
  assert.ok(target)
  const unknown = bufferAccess(buildElf({ triple: ARMV6, armArch: null }))
  assert.equal((await verifyElf(unknown, target, { static: true, armByRun: true })).arm, null)
  await assert.rejects(verifyElf(unknown, target, { static: true, armByRun: false }), {
    code: 'ELF_MISMATCH',
    hint: /run "\$BINARY"/,
  })
  await assert.rejects(verifyElf(unknown, target, { static: true }), { code: 'ELF_MISMATCH', hint: /^Compile/ })
  // A version that is told stands.
  const newer = bufferAccess(buildElf({ triple: ARMV6, armArch: 10 }))
  await assert.rejects(verifyElf(newer, target, { static: true, armByRun: true }), { code: 'ELF_MISMATCH' })
})

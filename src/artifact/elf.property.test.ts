// Whatever a file holds: facts or ELF_INVALID, after few reads, and never a pass for another target.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { PitlaneError } from '../errors.ts'
import { TARGETS } from '../plan/targets.ts'
import type { ElfFacts } from './elf-facts.ts'
import { readElf } from './elf.ts'
import { armAttributes, buildElf, type ElfRecipe } from './fixtures/elf-builder.ts'
import { bufferAccess } from './random-access.ts'
import { judgeElf } from './verify-elf.ts'

/** For one small file: whatever its headers say, how much is read depends on nothing else. */
const MAX_READS = 100

async function factsOrInvalid(bytes: Buffer): Promise<ElfFacts | null> {
  let outside = 0
  let reads = 0
  const source = bufferAccess(bytes)
  const watched = {
    size: source.size,
    read: (offset: number, length: number) => {
      reads += 1
      if (!Number.isSafeInteger(offset) || offset < 0 || length < 0 || offset + length > source.size) outside += 1
      return source.read(offset, length)
    },
  }
  try {
    return await readElf(watched)
  } catch (error) {
    assert.ok(
      error instanceof PitlaneError && error.code === 'ELF_INVALID',
      String(error instanceof Error && error.stack),
    )
    return null
  } finally {
    assert.equal(outside, 0, 'reads stay inside the file')
    assert.ok(reads <= MAX_READS, `${reads} reads`)
  }
}

const recipes: fc.Arbitrary<ElfRecipe> = fc.record(
  {
    triple: fc.constantFrom(...TARGETS.map((target) => target.triple)),
    bigEndian: fc.boolean(),
    pie: fc.boolean(),
    noSections: fc.boolean(),
    interpreter: fc.constantFrom('/lib/ld-musl.so.1', '/lib64/ld-linux-x86-64.so.2'),
    needed: fc.array(fc.constantFrom('libc.so', 'libm.so.6', 'libgcc_s.so.1'), { maxLength: 3 }),
    armArch: fc.option(fc.nat(22)),
    armAttributes: fc.uint8Array({ maxLength: 20 }).map((bytes) => armAttributes([...bytes])),
    goArm: fc.constantFrom('5', '6', '6,softfloat', '7'),
    goForm: fc.constantFrom('in-place' as const, 'pointer' as const),
  },
  { requiredKeys: ['triple'] },
)

/** Bytes that break things: ends of ranges, and any. Headers are hit as often as all the rest. */
const damage = fc.array(
  fc.record({
    at: fc.oneof(fc.nat(300), fc.nat(20_000)),
    value: fc.oneof(fc.constantFrom(0, 1, 2, 0x7f, 0x80, 0xff), fc.nat(255)),
    width: fc.constantFrom(1, 1, 2, 4, 8),
  }),
  { minLength: 1, maxLength: 6 },
)

/** Damage from byte `from` on. */
function damaged(
  recipe: ElfRecipe,
  hits: readonly { at: number; value: number; width: number }[],
  from: number,
): Buffer {
  const bytes = buildElf(recipe)
  for (const { at, value, width } of hits) {
    const start = from + (at % (bytes.length - from))
    bytes.fill(value, start, Math.min(start + width, bytes.length))
  }
  return bytes
}

test('an undamaged file gives the facts that it was made of', async () => {
  await fc.assert(
    fc.asyncProperty(recipes, async (recipe) => {
      const facts = await factsOrInvalid(buildElf({ ...recipe, armAttributes: undefined }))
      assert.ok(facts)
      assert.equal(facts.interpreter, recipe.interpreter ?? null)
      assert.deepEqual(facts.needed, recipe.needed ?? [])
      assert.equal(facts.type, recipe.pie ? 'dyn' : 'exec')
      assert.equal(facts.endianness, recipe.bigEndian ? 'big' : 'little')
      const fitting = TARGETS.filter((target) => judgeElf(facts, target, { static: true }).length === 0)
      assert.ok(fitting.every((target) => target.triple === recipe.triple))
      if (recipe.interpreter || recipe.bigEndian || facts.needed.length > 0) assert.equal(fitting.length, 0)
    }),
    { numRuns: 300 },
  )
})

test('a file cut anywhere is refused', async () => {
  await fc.assert(
    fc.asyncProperty(recipes, fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), async (recipe, part) => {
      const bytes = buildElf(recipe)
      assert.equal(await factsOrInvalid(bytes.subarray(0, Math.floor(part * bytes.length))), null)
    }),
    { numRuns: 500 },
  )
})

test('damaged bytes give facts or ELF_INVALID', async () => {
  await fc.assert(
    fc.asyncProperty(recipes, damage, async (recipe, hits) => {
      const facts = await factsOrInvalid(damaged(recipe, hits, 0))
      // Damage may change the machine too; still, at most one target can be content.
      if (facts)
        assert.ok(TARGETS.filter((target) => judgeElf(facts, target, { static: true }).length === 0).length <= 1)
    }),
    { numRuns: 3000 },
  )
})

test('damage outside class, byte order and machine never makes a pass for another target', async () => {
  await fc.assert(
    fc.asyncProperty(recipes, damage, async (recipe, hits) => {
      const facts = await factsOrInvalid(damaged(recipe, hits, 20))
      if (facts === null) return
      for (const target of TARGETS) {
        if (target.triple !== recipe.triple) assert.notDeepEqual(judgeElf(facts, target, { static: true }), [])
      }
    }),
    { numRuns: 1000 },
  )
})

test('random bytes, bare or after an ELF identification, give facts or ELF_INVALID', async () => {
  const random = fc.uint8Array({ maxLength: 400 })
  const identified = fc
    .tuple(fc.constantFrom(1, 2), fc.constantFrom(1, 2), random)
    .map(([elfClass, data, rest]) => Uint8Array.of(0x7f, 0x45, 0x4c, 0x46, elfClass, data, 1, 0, ...rest))
  await fc.assert(
    fc.asyncProperty(fc.oneof(random, identified), async (bytes) => {
      assert.equal(await factsOrInvalid(Buffer.from(bytes)), null)
    }),
    { numRuns: 2000 },
  )
})

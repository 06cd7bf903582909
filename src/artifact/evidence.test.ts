import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readElf } from './elf.ts'
import { Evidence, readEvidence } from './evidence.ts'
import { staticBinary } from './fixtures/elf-builder.ts'
import { bufferAccess } from './random-access.ts'

const ARMV6 = 'armv6l-unknown-linux-musleabihf'

async function record(): Promise<Evidence> {
  return {
    format: 'pitlane-evidence/1',
    outputId: `binary/${ARMV6}`,
    target: ARMV6,
    name: 'tool',
    sha256: 'a'.repeat(64),
    blake2b512: 'b'.repeat(128),
    size: 12,
    elf: await readElf(bufferAccess(staticBinary(ARMV6, Buffer.alloc(0)))),
    findings: [],
    stage: `build/${ARMV6}`,
    attempt: 1,
    executor: 'process',
    isolation: 'pid-namespace',
    test: null,
  }
}

test('a record survives JSON as it is', async () => {
  const evidence = await record()
  assert.deepEqual(Evidence.parse(JSON.parse(JSON.stringify(evidence))), evidence)
})

test('a test that ran says how, and one that did not run does not', async () => {
  const evidence = await record()
  const accepts = (outcome: Evidence['test']) => Evidence.safeParse({ ...evidence, test: outcome }).success
  assert.ok(accepts({ mode: 'qemu', result: 'passed' }))
  assert.ok(accepts({ mode: null, result: 'not-run' }))
  assert.ok(!accepts({ mode: null, result: 'passed' }))
  assert.ok(!accepts({ mode: 'native', result: 'not-run' }))
})

test('unknown keys and digests of another form are refused', async () => {
  const evidence = await record()
  assert.ok(!Evidence.safeParse({ ...evidence, extra: 1 }).success)
  assert.ok(!Evidence.safeParse({ ...evidence, sha256: 'A'.repeat(64) }).success)
})

test('a row that something else has written is refused', async () => {
  const evidence = JSON.stringify(await record())
  assert.equal(readEvidence({ output_id: 'o', evidence }).name, 'tool')
  for (const changed of ['{', '{}', evidence.replace('"size":12', '"size":"12"')])
    assert.throws(() => readEvidence({ output_id: 'o', evidence: changed }), { code: 'PLAN_CONTRADICTION' })
})

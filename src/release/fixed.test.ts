import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Fixed, readFixed, writeFixed } from './fixed.ts'

const fixed: Fixed = {
  publishedAt: 1000,
  builder: { pitlane: '0.1.0', executor: 'process', isolation: 'pid-namespace' },
  promotion: { actor: 'Toy', reason: null, build: 1 },
}

test('what was fixed is read as it was written, and nothing else is', () => {
  const row = { version: 'v1', published_at: 1000, fixed: writeFixed(fixed) }
  assert.deepEqual(readFixed(row), fixed)
  for (const changed of [
    '',
    '{}',
    row.fixed.replace('pid-namespace', 'none'),
    row.fixed.replace('"build":1', '"build":"1"'),
  ])
    assert.throws(() => readFixed({ ...row, fixed: changed }), { code: 'PLAN_CONTRADICTION' }, changed)
})

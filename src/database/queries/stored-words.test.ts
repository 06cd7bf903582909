import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readErrorCode, readStageState, readStepState } from './stored-words.ts'

test('words of rows are read when they are known, and refused with what they are else', () => {
  assert.equal(readStageState('not-run'), 'not-run')
  assert.equal(readStepState('timing-out'), 'timing-out')
  assert.equal(readErrorCode('STEP_FAILED'), 'STEP_FAILED')
  assert.equal(readErrorCode(null), null)
  assert.throws(() => readStageState('timing-out'), {
    code: 'PLAN_CONTRADICTION',
    message: /"timing-out" as the state of a stage/,
  })
  assert.throws(() => readStepState(''), { code: 'PLAN_CONTRADICTION' })
  assert.throws(() => readErrorCode('toString'), { code: 'PLAN_CONTRADICTION' })
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { checkReason, encodeState, parseState, REASON_LIMIT, type StateDocument, stateWords } from './state-document.ts'

const STATE: StateDocument = {
  format: 'pitlane-state/1',
  name: 'toy',
  version: 'v1.2.0',
  revision: 2,
  previous: 'a'.repeat(64),
  state: 'withdrawn',
  since: '2026-11-24T10:00:00Z',
  date: '2026-11-25T10:00:00Z',
  reason: 'loses data',
  supersededBy: 'v1.2.1',
  actor: 'Mira',
}
const HERE = { version: 'v1.2.0', revision: 2 }

function written(changes: object): Buffer {
  return Buffer.from(JSON.stringify({ ...STATE, ...changes }))
}

test('what is written is read back, and written again with the same bytes', () => {
  const reasons = fc.string({ unit: 'binary', minLength: 1, maxLength: 60 }).filter((text) => {
    try {
      return checkReason(text) === text
    } catch {
      return false
    }
  })
  fc.assert(
    fc.property(reasons, (reason) => {
      const state = { ...STATE, reason }
      const bytes = encodeState(state)
      assert.deepEqual(parseState(bytes, 'x', HERE), state)
      assert.deepEqual(encodeState(parseState(bytes, 'x', HERE)), bytes)
    }),
  )
})

for (const [what, changes] of Object.entries({
  'of another version': { version: 'v1.2.1' },
  'of another revision': { revision: 1 },
  'a state that there is not': { state: 'removed' },
  'no reason': { reason: '' },
  'a reason of many lines': { reason: 'a\nb' },
  'a reason that turns the text around': { reason: 'a\u202eb' },
  'a reason without end': { reason: 'x'.repeat(REASON_LIMIT + 1) },
  'a day that there is not': { since: '2026-02-30T00:00:00Z' },
  'something else in it': { more: 1 },
  'a successor that can be no version': { supersededBy: '../up' },
})) {
  test(`not a state of this release: ${what}`, () => {
    assert.throws(() => parseState(written(changes), 'here', HERE), {
      code: 'VERIFICATION_FAILED',
      message: /^here is /,
    })
  })
}

test('a format that a later version writes is told as that', () => {
  assert.throws(() => parseState(written({ format: 'pitlane-state/2' }), 'here', HERE), { code: 'STATE_NEWER' })
})

test('a reason is one line of plain text', () => {
  assert.equal(checkReason('  loses <data> & "more" – 32-bit ü 😀 '), 'loses <data> & "more" – 32-bit ü 😀')
  assert.equal(checkReason('x'.repeat(REASON_LIMIT)).length, REASON_LIMIT)
  for (const wrong of [
    '',
    ' \n ',
    'x'.repeat(REASON_LIMIT + 1),
    'a\nb',
    'a\tb',
    '\u001b[31m',
    'a\u202eb',
    'a\u2028b',
    'a\ud800b',
  ])
    assert.throws(
      () => checkReason(wrong),
      { code: 'USAGE', message: /^the reason / },
      JSON.stringify(wrong.slice(0, 10)),
    )
})

test('in words', () => {
  assert.equal(stateWords(STATE), 'withdrawn since 2026-11-24T10:00:00Z: loses data; use v1.2.1')
  assert.equal(
    stateWords({ ...STATE, state: 'published', supersededBy: null }),
    'published again since 2026-11-24T10:00:00Z: loses data',
  )
})

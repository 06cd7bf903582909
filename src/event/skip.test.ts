import assert from 'node:assert/strict'
import { test } from 'node:test'
import { skipReason } from './skip.ts'

test('a push whose message asks for it is not checked, in any case of letters', () => {
  for (const message of ['Words [ci skip]', '[Skip CI] words', 'a ***NO_CI*** b'])
    assert.match(skipReason({ ref: 'refs/heads/main', message }) ?? '', /message says/)
})

test('a push that does not ask is checked, and a tag always is', () => {
  assert.equal(skipReason({ ref: 'refs/heads/main', message: 'ci skip' }), null)
  assert.equal(skipReason({ ref: 'refs/tags/v1', message: '[ci skip]' }), null)
})

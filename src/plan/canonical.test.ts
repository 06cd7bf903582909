import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { canonicalJson } from './canonical.ts'

test('keys are sorted at every depth, arrays are not', () => {
  assert.equal(canonicalJson({ b: [{ d: 1, c: 'é' }, 2], a: null, z: undefined }), '{"a":null,"b":[{"c":"é","d":1},2]}')
  assert.throws(() => canonicalJson({ a: Number.NaN }), TypeError)
  assert.throws(() => canonicalJson([undefined]), TypeError)
})

test('it is JSON of the same value, whatever the order of the keys', () => {
  fc.assert(
    fc.property(fc.jsonValue({ depthSize: 'small' }), (value) => {
      assert.equal(canonicalJson(JSON.parse(canonicalJson(value))), canonicalJson(value))
      assert.equal(JSON.stringify(JSON.parse(canonicalJson(value)))?.length, JSON.stringify(value).length)
    }),
  )
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.nat()), (value) => {
      assert.equal(canonicalJson(Object.fromEntries(Object.entries(value).toReversed())), canonicalJson(value))
    }),
  )
})

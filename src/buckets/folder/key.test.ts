import assert from 'node:assert/strict'
import { join, normalize } from 'node:path'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { keyFault, splitPrefix, TEMPORARY } from './key.ts'

test('keys of a release are fine', () => {
  for (const key of [
    '_releases.html',
    '_releases/v1.0.0/x86_64-unknown-linux-musl/garage',
    'a b',
    'é',
    '...',
    '-x',
    '.hidden',
    '<b>',
  ])
    assert.equal(keyFault(key), null, key)
})

test('each rule says what is wrong', () => {
  const cases: [string, RegExp][] = [
    ['', /empty/],
    ['/a', /empty segment/],
    ['a/', /empty segment/],
    ['a//b', /empty segment/],
    ['a/../b', /'\.\.'/],
    ['.', /'\.'/],
    ['a\\b', /backslash/],
    ['a\u0085b', /control/],
    ['a\0', /control/],
    ['\ud800', /Unicode/],
    ['é'.repeat(128), /255/],
    [`${'a/'.repeat(600)}a`, /1024/],
    [TEMPORARY, /reserved/],
    [`${TEMPORARY}/x`, /reserved/],
  ]
  for (const [key, reason] of cases) assert.match(keyFault(key) ?? 'accepted', reason, JSON.stringify(key))
  assert.equal(keyFault('é'.repeat(127)), null)
  assert.equal(keyFault(`a/${TEMPORARY}`), null)
})

test('an accepted key is a path strictly below the folder, and is its own normal form', () => {
  const segment = fc.oneof(fc.string({ unit: 'binary', maxLength: 6 }), fc.constantFrom('..', '.', '', 'a', '\\', '\0'))
  fc.assert(
    fc.property(fc.array(segment, { maxLength: 5 }), (segments) => {
      const key = segments.join('/')
      if (keyFault(key) !== null) return
      assert.equal(normalize(key), key)
      assert.equal(join('/bucket', key), `/bucket/${key}`)
      assert.ok(key.length > 0 && !key.startsWith('/') && !key.endsWith('/'))
    }),
    { numRuns: 1000 },
  )
})

test('a prefix is a folder to look in and the beginning of a name', () => {
  assert.deepEqual(splitPrefix('', 'b'), { folder: [], rest: '' })
  assert.deepEqual(splitPrefix('ab', 'b'), { folder: [], rest: 'ab' })
  assert.deepEqual(splitPrefix('a/b/', 'b'), { folder: ['a', 'b'], rest: '' })
  assert.deepEqual(splitPrefix('a/..', 'b'), { folder: ['a'], rest: '..' })
  assert.throws(() => splitPrefix('../', 'b'))
})

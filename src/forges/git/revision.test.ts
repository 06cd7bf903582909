import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { candidatesOf, refNameFault, shown } from './revision.ts'

function expressions(revision: string): string | string[] {
  const candidates = candidatesOf(revision)
  return typeof candidates === 'string'
    ? candidates
    : candidates.map(({ expression, tag }) => `${expression} ${tag ?? '-'}`)
}

test('each word has its candidates in order', () => {
  assert.deepEqual(expressions('HEAD'), ['HEAD -'])
  assert.deepEqual(expressions('HEAD~2^'), ['HEAD~2^ -'])
  assert.deepEqual(expressions('a'.repeat(40)), [`${'a'.repeat(40)} -`])
  assert.deepEqual(expressions('refs/tags/x'), ['refs/tags/x x'])
  assert.deepEqual(expressions('refs/heads/x'), ['refs/heads/x -'])
  assert.deepEqual(expressions('x'), ['refs/tags/x x', 'refs/heads/x -', 'refs/remotes/x -'])
  assert.deepEqual(expressions('abcd'), ['refs/tags/abcd abcd', 'refs/heads/abcd -', 'refs/remotes/abcd -', 'abcd -'])
  assert.deepEqual(expressions('x~1'), ['refs/tags/x~1 -', 'refs/heads/x~1 -', 'refs/remotes/x~1 -'])
})

test('whatever is asked, git gets names and steps on one line', () => {
  const word = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 20 }),
    fc.stringMatching(/^[a-f0-9~^:@{}\-./\\ \n]{0,20}$/),
  )
  fc.assert(
    fc.property(word, (revision) => {
      const candidates = candidatesOf(revision)
      if (typeof candidates === 'string') return assert.ok(candidates.length > 0)
      for (const { expression } of candidates) {
        assert.match(expression, /^(?!-)[^\p{Cc} :?*[\\~^]+[~^0-9]*$/u)
        assert.ok(!expression.includes('..') && !expression.includes('@{'))
      }
    }),
    { numRuns: 2000 },
  )
})

test('names that git could not hold', () => {
  for (const name of [
    '',
    '@',
    'a b',
    'a..b',
    'a@{b',
    'a.lock',
    'a.lock/b',
    '.a',
    'a/.b',
    'a/',
    'a//b',
    'a.',
    'a\\b',
    'a\u007f',
  ])
    assert.notEqual(refNameFault(name), null, name)
  for (const name of ['a', 'a/b', 'v1.0+x', 'é', '<b>', 'a@b', '{', '-']) assert.equal(refNameFault(name), null, name)
})

test('a name in a message is short and harmless', () => {
  assert.equal(shown('v1'), "'v1'")
  assert.equal(shown('a\u001b[31m\u202eb'), "'a\ufffd[31m\ufffdb'")
  assert.equal(shown('x'.repeat(300)).length, 83)
})

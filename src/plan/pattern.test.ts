import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { compilePattern, PatternError } from './pattern.ts'

test('patterns match the whole text', () => {
  const stable = compilePattern('v[0-9]+\\.[0-9]+\\.[0-9]+')
  for (const tag of ['v1.2.3', 'v10.0.11']) assert.ok(stable(tag), tag)
  for (const tag of ['v1x2y3', 'v1.2', 'v1.2.3.4', 'v1.2.3-rc1', 'av1.2.3', 'v1.2.3\n', ''])
    assert.ok(!stable(tag), tag)
  assert.ok(compilePattern('a|bc')('bc'))
  assert.ok(!compilePattern('a|bc')('abc'))
  assert.ok(compilePattern('')(''))
  assert.ok(!compilePattern('')('a'))
  assert.ok(compilePattern('[^-x]+-')('ab-'))
})

/** Patterns from the supported syntax, over few characters so that they often match. */
const { pattern } = fc.letrec<{ pattern: string }>((tie) => ({
  pattern: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom('a', 'b', '.', '\\.', '\\d', '\\W', '[ab]', '[^a]', '[a-c1]', '[]', '[^]', '[a-]', '[\\d.]', '-'),
    fc.tuple(tie('pattern'), tie('pattern')).map(([a, b]) => a + b),
    fc.tuple(tie('pattern'), tie('pattern')).map(([a, b]) => `(${a}|${b})`),
    fc
      .tuple(tie('pattern'), fc.constantFrom('*', '+', '?', '{2}', '{0,2}', '{1,}', '{0}'))
      .map(([a, repeat]) => `(?:${a})${repeat}`),
  ),
}))

test("wherever a pattern is understood, it means what JavaScript's does", () => {
  const text = fc.string({ unit: fc.constantFrom('a', 'b', 'c', '1', '.', '-'), maxLength: 8 })
  fc.assert(
    fc.property(pattern, fc.array(text, { minLength: 5, maxLength: 5 }), (source, texts) => {
      fc.pre(source.length <= 60)
      const ours = compilePattern(source)
      const theirs = new RegExp(`^(?:${source})$`)
      for (const sample of texts) assert.equal(ours(sample), theirs.test(sample), `${source} on ${sample}`)
    }),
    { numRuns: 1500 },
  )
})

test('a pattern that would keep a backtracking engine busy for ever answers', () => {
  assert.equal(compilePattern('(a+)+b')('a'.repeat(128)), false)
  assert.equal(compilePattern('((a?){100}){10}b')('a'.repeat(128)), false)
  assert.equal(compilePattern('(a*)*(a*)*(a*)*(a|a)*c')('a'.repeat(128)), false)
})

test('what cannot be understood says why and where', () => {
  const rows: readonly (readonly [string, string])[] = [
    ['v(1', '"(" is never closed at character 2'],
    ['v1)', '")" without "(" at character 3'],
    ['[a', '"[" is never closed at character 1'],
    ['[z-a]', 'the range is not from a lower to a higher character at character 2'],
    ['+1', 'nothing to repeat before "+" at character 1'],
    ['a**', 'nothing to repeat before "*" at character 3'],
    ['^v1$', '"^" is not needed: a pattern always matches the whole name at character 1'],
    ['a{', '"{" needs a count, as in {3}, {1,} or {1,4} (a plain one is written "\\{") at character 2'],
    ['a{4,2}', 'the counts of a repetition are in the wrong order at character 2'],
    ['a{999}', 'a repetition above 128 at character 2'],
    ['(a{128}){128}', 'the repetitions are too large together at character 13'],
    ['(?=a)', 'only (…) and (?:…) are groups at character 3'],
    ['\\b', '"\\b" has no meaning here at character 2'],
    ['a\\', '"\\" at the end at character 2'],
    ['a'.repeat(201), 'a pattern has at most 200 characters at character 201'],
  ]
  for (const [source, message] of rows) assert.throws(() => compilePattern(source), { message }, source)
})

test('any text compiles or is a PatternError', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom(...'a1()[]{}|*+?\\^$.,-d'.split('')), maxLength: 30 }), (source) => {
      try {
        compilePattern(source)('a1')
      } catch (error) {
        assert.ok(error instanceof PatternError)
      }
    }),
    { numRuns: 2000 },
  )
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { compare as semverCompare } from 'semver'
import { checkVersionName } from './version-name.ts'
import { compareVersions, imageTag } from './version.ts'

const PARTS = ['v', '0', '1', '10', '01', '.', '-', '_', '+', 'rc', 'beta', 'a', 'Z', '9007199254740993', 'alpha.1']
/** Names made of the parts that versions are made of, so that equal beginnings are common. */
const names = fc
  .array(fc.constantFrom(...PARTS), { minLength: 1, maxLength: 8 })
  .map((parts) => parts.join(''))
  .filter((text) => /^[A-Za-z0-9]/.test(text) && !text.includes('..') && text.length <= 128)

test('order: from older to newer', () => {
  const rows = [
    ['format_table-v0.1.2', 'format_table-v0.1.10', 'nightly', '0.1.0', '0.1.0b', '0.1.1'],
    ['1.0a1', '1.0b1', '1.0rc1', '1.0rc2', '1.0', 'v1.0', 'v1.0.0'],
    ['v0.9.0-beta9', 'v0.9.0-beta10', 'v0.9.0-rc1', 'v0.9.0', 'v0.10.0-beta1', 'v0.10.0'],
    ['v1.0.0-alpha', 'v1.0.0-alpha.1', 'v1.0.0-alpha.beta', 'v1.0.0-beta.2', 'v1.0.0-beta.11', 'v1.0.0-rc.1', 'v1.0.0'],
    ['v0.4-rc1', 'v0.4.0-rc2', 'v0.4-rc3', 'v0.4', 'v0.4.0', 'v0.4.0.1'],
    ['v0.7.2', 'v0.7.2+a', 'v0.7.2+b', 'v0.7.2_ci', 'v0.7.2.1', 'v0.7.2.2', 'v0.7.3-beta1'],
    ['v1.0.0-9007199254740992', 'v1.0.0-9007199254740993', 'v1.0.0'],
    ['a'.repeat(40), '0'.repeat(40), 'word', 'v0.0.0-1'].sort(compareVersions),
  ]
  for (const row of rows) {
    assert.deepEqual(row.toReversed().sort(compareVersions), row)
    for (let index = 1; index < row.length; index += 1) {
      assert.ok(compareVersions(row[index - 1] ?? '', row[index] ?? '') < 0, `${row[index - 1]} < ${row[index]}`)
    }
  }
})

test('a commit id is no version, also one that begins with a digit', () => {
  assert.ok(compareVersions(`9${'0'.repeat(39)}`, 'v0.0.1') < 0)
  assert.ok(compareVersions(`9${'0'.repeat(63)}`, '0.0.1-a') < 0)
})

test('the order is total: antisymmetric, transitive, and equal only for the same name', () => {
  fc.assert(
    fc.property(names, names, names, (a, b, c) => {
      assert.equal(Math.sign(compareVersions(a, b)), -Math.sign(compareVersions(b, a)) + 0)
      assert.equal(compareVersions(a, b) === 0, a === b)
      if (compareVersions(a, b) <= 0 && compareVersions(b, c) <= 0)
        assert.ok(compareVersions(a, c) <= 0, `${a} ${b} ${c}`)
    }),
    { numRuns: 3000 },
  )
})

test('semver agrees wherever a word does not mix letters and digits', () => {
  const identifier = fc.oneof(fc.nat(30).map(String), fc.constantFrom('a', 'alpha', 'beta', 'rc', 'x-y'))
  const version = fc
    .tuple(fc.nat(12), fc.nat(12), fc.nat(3), fc.array(identifier, { maxLength: 3 }))
    .map(([a, b, c, pre]) => `${a}.${b}.${c}${pre.length === 0 ? '' : `-${pre.join('.')}`}`)
  fc.assert(
    fc.property(version, version, (a, b) => {
      assert.equal(Math.sign(compareVersions(a, b)), semverCompare(a, b), `${a} ${b}`)
    }),
    { numRuns: 1000 },
  )
})

test('image tags: stated mapping, valid, no two versions share one', () => {
  assert.equal(imageTag('v1.2.0'), 'v1.2.0')
  assert.equal(imageTag('v0.7.2_ci'), 'v0.7.2_ci')
  assert.equal(imageTag('v0.7.2+ci_a'), 'v0.7.2--ci_a')
  // Of the alphabet in which a clash could hide, what may name a version.
  const dense = fc.stringMatching(/^[a1][a1_.+-]{0,8}$/).filter(isVersionName)
  fc.assert(
    fc.property(dense, dense, (a, b) => {
      assert.match(imageTag(a), /^[a-zA-Z0-9][a-zA-Z0-9._-]{0,127}$/)
      assert.equal(imageTag(a) === imageTag(b), a === b)
    }),
    { numRuns: 3000 },
  )
  fc.assert(fc.property(dense, (a) => assert.equal(decode(imageTag(a)), a)))
  assert.throws(() => imageTag(`${'1'.repeat(127)}+`), { code: 'VERSION_NAME', message: /image tag of 129 characters/ })
})

const decode = (tag: string) => tag.replaceAll('--', '+')

function isVersionName(name: string): boolean {
  try {
    return checkVersionName(name) === name
  } catch {
    return false
  }
}

test('names that cannot be a version say which rule and where', () => {
  const rows: readonly (readonly [string, RegExp])[] = [
    ['', /it is empty/],
    ['release/1.0', /"release\/1.0" cannot name a release: character 8 is "\/", and a version has only letters/],
    ['v1 0', /character 3 is " "/],
    ['<b>v1</b>', /character 1 is "<"/],
    ['v1\u001b[31m', /character 3 is "\\u001b"/],
    ['v1é', /character 3 is "\\u\{e9\}"/],
    ['-rf', /character 1 is "-", and a version begins with/],
    ['.hidden', /character 1 is "\."/],
    ['v1..2', /characters 3 and 4 are ".."/],
    ['v1--x', /characters 3 and 4 are "--"; in an image tag/],
    ['v1+-x', /characters 3 and 4 are "\+-"/],
    ['1'.repeat(300), /has 300 characters, and a version has at most 128/],
    ['a'.repeat(40), /full commit id/],
    ['0'.repeat(64), /full commit id/],
    ['latest', /reserved: "_releases\/latest" is one of the files/],
    ['latest-beta', /pointer to the newest version/],
    ['index.json', /reserved/],
    ['index.json.minisig', /reserved/],
    ['install.sh.sha256', /reserved/],
  ]
  for (const [tag, message] of rows) {
    assert.throws(() => checkVersionName(tag), { code: 'VERSION_NAME', message }, tag)
  }
  for (const tag of ['v1.2.0', '0.1.0b', 'later', 'a'.repeat(39), '1'.repeat(128), 'v0.7.2+ci-test']) {
    assert.equal(checkVersionName(tag), tag)
  }
})

test('any text is either a version name or a clear error that fits a terminal line', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (tag) => {
      try {
        assert.match(checkVersionName(tag), /^[A-Za-z0-9][A-Za-z0-9._+-]*$/)
      } catch (error) {
        assert.ok(error instanceof Error && 'code' in error && error.code === 'VERSION_NAME')
        assert.match(error.message, /^[\u0020-\u007e…]{1,300}$/)
      }
    }),
  )
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { floatingProblem, floatingTags, patternProblem, platformRepository } from './image-names.ts'
import { TARGETS } from './targets.ts'

const repositories = (name: string, platforms?: string) =>
  TARGETS.map((target) => platformRepository({ name, platforms }, target)).join(' ')

test('repositories of the platforms: the default, beside the image, and whole', () => {
  assert.equal(repositories('x/garage'), 'x/amd64_garage x/arm64_garage x/arm_garage x/386_garage')
  assert.equal(repositories('garage'), 'amd64_garage arm64_garage arm_garage 386_garage')
  assert.equal(repositories('x/garage', '{platform}_other'), 'x/amd64_other x/arm64_other x/arm_other x/386_other')
  assert.equal(repositories('x/garage', '{platform}/garage'), 'amd64/garage arm64/garage arm/garage 386/garage')
  assert.equal(
    repositories('x/g', 'x/{platform}/g-{platform}'),
    'x/amd64/g-amd64 x/arm64/g-arm64 x/arm/g-arm x/386/g-386',
  )
})

test('a pattern that makes no repositories, or one for all, is told with what is wrong', () => {
  const rows: readonly (readonly [string | undefined, RegExp | null])[] = [
    [undefined, null],
    ['{platform}_garage', null],
    ['{platform}', null],
    ['garage', /expected \{platform\} in it/],
    ['{arch}_garage', /\{arch\} stands for nothing: there is \{platform\}/],
    ['{platform_garage', /\{platform_garage stands for nothing/],
    ['{platform}}_garage', /\} stands for nothing/],
    ['{Platform}', /\{Platform\} stands for nothing/],
    ['{platform}_', /it makes "x\/amd64_", which is not the name of an image repository/],
    ['{platform}/../etc', /it makes "amd64\/\.\.\/etc"/],
    ['/{platform}', /it makes "\/amd64"/],
    ['{platform}:v1', /it makes "x\/amd64:v1"/],
    ['UP{platform}', /it makes "x\/UPamd64"/],
  ]
  for (const [platforms, expected] of rows) {
    const problem = patternProblem({ name: 'x/garage', platforms })
    if (expected === null) assert.equal(problem, null, platforms)
    else assert.match(problem ?? '', expected)
  }
  assert.match(
    patternProblem({ name: 'x/amd64', platforms: '{platform}' }) ?? '',
    /it makes "x\/amd64" for linux\/amd64, the name of the image for all platforms/,
  )
})

test('tags that move on: numbers of the version, each once', () => {
  const patterns = ['latest', '{major}', '{major}.{minor}', 'v{major}.{minor}.{patch}']
  const rows: readonly (readonly [string, readonly string[]])[] = [
    ['v1.2.3', ['latest', '1', '1.2', 'v1.2.3']],
    ['v0.7.2.1', ['latest', '0', '0.7', 'v0.7.2']],
    ['2', ['latest', '2', '2.0', 'v2.0.0']],
    ['v01.010.0', ['latest', '1', '1.10', 'v1.10.0']],
    ['release-7', ['latest']],
  ]
  for (const [version, expected] of rows) assert.deepEqual(floatingTags(patterns, version), expected, version)
  assert.deepEqual(floatingTags(['{major}', '1', '{major}'], 'v1.0.0'), ['1'])
  for (const good of patterns) assert.equal(floatingProblem(good), null, good)
  for (const [bad, expected] of [
    ['{mayor}', /\{mayor\} stands for nothing: there are \{major\}, \{minor\}, \{patch\}/],
    ['{major', /\{major stands for nothing/],
    ['-{major}', /"-0" is not an image tag/],
    ['a/b', /"a\/b" is not an image tag/],
    ['.x', /is not an image tag/],
  ] as const)
    assert.match(floatingProblem(bad) ?? '', expected)
})

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import fc from 'fast-check'
import { DEFAULT_CHANNELS } from '../../plan/channel.ts'
import { KEYS } from '../../plan/keys.ts'
import { TARGETS } from '../../plan/targets.ts'
import { isCommitId, versionFault } from '../../plan/version-name.ts'
import { objectKey, versionName } from '../document.ts'
import { findVersions } from './find-versions.ts'

const NOW = Date.UTC(2026, 2, 1)
const [X86 = '', ARM64 = '', ARM = '', I686 = ''] = TARGETS.map(({ triple }) => triple)
const COMMIT = 'a'.repeat(40)

function find(keys: readonly (string | readonly [string, number, number?])[], folders: readonly string[] = []) {
  const objects = keys.map((given) => {
    const [key, size, modifiedAt = 1000] = typeof given === 'string' ? ([given, 7] as const) : given
    return { key: `_releases/${key}`, size, modifiedAt }
  })
  return findVersions({ objects, folders, channels: DEFAULT_CHANNELS, latest: NOW })
}

const reasons = (found: ReturnType<typeof find>) => found.skipped.map(({ name, reason }) => `${name}: ${reason}`)

test('the tags of a real project: each is a version, in its channel, with the dates and sizes of the listing', () => {
  const tags = readFileSync(new URL('../../plan/fixtures/garage-tags.txt', import.meta.url), 'utf8')
    .trim()
    .split('\n')
  const { versions, skipped, documented } = find(
    tags.flatMap((tag, place) =>
      [I686, X86].map((target) => [`${tag}/${target}/garage`, 10 + place, place * 1000] as const),
    ),
  )
  assert.deepEqual([skipped, documented], [[], []])
  assert.deepEqual(
    versions.map(({ version }) => version),
    tags.toSorted(),
  )
  const four = versions.find(({ version }) => version === 'v0.7.2.1')
  const place = tags.indexOf('v0.7.2.1')
  assert.equal(four?.channel, 'extra')
  assert.deepEqual(four.files[0], {
    name: 'garage',
    path: `_releases/v0.7.2.1/${X86}/garage`,
    size: 10 + place,
    target: X86,
    platform: 'linux/amd64',
    modifiedAt: place * 1000,
  })
  assert.equal(
    versions.filter(({ channel }) => channel === 'stable').length,
    tags.filter((tag) => /^v\d+\.\d+\.\d+$/.test(tag)).length,
  )
})

test('a commit is a development build; whatever can be nothing of a release is skipped, and says why', () => {
  const found = find(
    [
      `${COMMIT}/${ARM64}/garage`,
      `fix/branch/${X86}/garage`,
      'README',
      'index.json',
      'latest',
      `v1.0.0/${X86}/garage`,
      `v1.0.0/${X86}/garage.sha256`,
      `v1.0.0/${X86}/deep/er/garage`,
      `v1.0.0/${X86}/.hidden`,
      [`v1.0.0/${ARM}/garage`, 0],
      'v1.0.0/riscv64-unknown-linux-musl/garage',
      'v1.0.0/notes.txt',
      [`v1.1.0/${X86}/garage`, 1, NOW + 1],
      `v1--2/${X86}/garage`,
      `latest-x/${X86}/garage`,
      `${'v'.repeat(200)}/${X86}/garage`,
      `v2.0.0/${X86}/garage`,
      'v2.0.0/release.json',
      'v3.0.0/SHA256SUMS',
      `_retired/v0.json`,
      `_latest/${X86}/garage`,
      `_latest/${X86}/garage.sha256`,
      '_documentation.json',
      'v3.0.0/documentation.json',
    ],
    [COMMIT, 'fix', 'v1.0.0', 'v1.1.0', 'v2.0.0', 'v4.0.0', '_retired', '_latest'],
  )
  assert.deepEqual(
    found.versions.map(({ version, channel, files }) => [version, channel, files.map(({ path }) => path)]),
    [
      [COMMIT, 'development', [`_releases/${COMMIT}/${ARM64}/garage`]],
      ['v1.0.0', 'stable', [`_releases/v1.0.0/${X86}/garage`]],
    ],
  )
  assert.deepEqual(found.documented, ['v2.0.0'])
  assert.deepEqual(reasons(found), [
    '_releases/README: it is in the folder of no version',
    'v1.0.0: digests and signatures that stand beside its files',
    `v1.0.0/${X86}/deep/er: it is a folder below that of a target`,
    `_releases/v1.0.0/${X86}/.hidden: ".hidden" is no name of a file that can be listed`,
    `_releases/v1.0.0/${ARM}/garage: it is empty`,
    'v1.0.0/riscv64-unknown-linux-musl: Pitlane knows no target "riscv64-unknown-linux-musl"',
    'v1.0.0/notes.txt: it is in the folder of no target',
    'fix/branch: it cannot be the name of a release: character 4 is "/", and a version has only letters, digits and . _ + -',
    `latest-x: it cannot be the name of a release: the name is reserved: "_releases/latest-x" is a pointer to the newest version of a channel`,
    `v1--2: it cannot be the name of a release: characters 3 and 4 are "--"; in an image tag "--" stands for "+", so a version has no two of them in a row`,
    `v1.1.0: ${X86}/garage has a date that can't be right: 2026-03-01T00:00:00Z`,
    `${'v'.repeat(200)}: it cannot be the name of a release: it has 200 characters, and a version has at most 128`,
    'v3.0.0: documents of a release without one of its files',
    'v4.0.0: nothing is in it',
  ])
})

test('versions below another one: each is told, and what lies below a version is part of its listing', () => {
  const nested = [`v1.0.0/rc/${X86}/garage`, `v1.0.0/deep/er/notes.txt`]
  const alone = find([`v1.0.0/${X86}/garage`, ...nested])
  assert.deepEqual(
    alone.versions.map(({ version, files, keys }) => [version, files.length, keys]),
    [['v1.0.0', 1, [...nested, `v1.0.0/${X86}/garage`].map((key) => `_releases/${key}`).toSorted()]],
  )
  const told = 'v1.0.0/rc: it cannot be the name of a release: character 7 is "/"'
  assert.ok(reasons(alone).some((reason) => reason.startsWith(told)))
  // Also once the upper one has a document.
  const later = find([`v1.0.0/${X86}/garage`, 'v1.0.0/release.json', ...nested])
  assert.deepEqual([later.versions, later.documented], [[], ['v1.0.0']])
  assert.deepEqual(
    reasons(later).map((reason) => reason.startsWith(told)),
    [true],
  )
})

test('a version with more files than a document can name is skipped', () => {
  const many = Array.from({ length: 1001 }, (_, place) => `v1.0.0/${X86}/tool-${place}`)
  assert.match(reasons(find(many)).join(), /^v1\.0\.0: it has 1001 files, more than the 1000/)
  assert.equal(find(many.slice(1)).versions[0]?.files.length, 1000)
})

test('a tag of no channel is skipped', () => {
  const objects = [{ key: `_releases/odd/${X86}/garage`, size: 1, modifiedAt: 1 }]
  const channels = [{ name: 'stable', tag: 'v.*' }]
  const found = findVersions({ objects, folders: [], channels, latest: NOW })
  assert.deepEqual(found.versions, [])
  assert.match(found.skipped[0]?.reason ?? '', /^the tag "odd" belongs to no channel/)
})

const segment = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.constantFrom(X86, ARM, 'v1.0.0', 'v1.2.3-rc1', COMMIT, 'garage', 'fix', '_retired', 'release'),
  },
  {
    weight: 2,
    arbitrary: fc.constantFrom(
      'release.json',
      'SHA256SUMS',
      'index.json',
      'latest',
      '..',
      '.',
      '',
      '__proto__',
      'garage.sig',
    ),
  },
  fc.string({ unit: 'binary', maxLength: 12 }),
)
const key = fc.array(segment, { minLength: 1, maxLength: 6 }).map((segments) => segments.join('/'))

test('hostile keys: every object is found, documented, Pitlane’s or skipped; what is found is good', () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.tuple(key, fc.nat(9), fc.double()), { selector: ([name]) => name, maxLength: 40 }),
      (listed) => {
        const objects = listed.map(([name, size, modifiedAt]) => ({ key: `_releases/${name}`, size, modifiedAt }))
        const folders = [...new Set(listed.map(([name]) => name.split('/')[0] ?? ''))]
        const { versions, documented, skipped } = findVersions({
          objects,
          folders,
          channels: DEFAULT_CHANNELS,
          latest: NOW,
        })
        for (const { version, files, keys } of versions) {
          assert.ok(isCommitId(version) || versionFault(version) === null, version)
          assert.ok(versionName.safeParse(version).success && files.length > 0)
          for (const { path, target, name, size, modifiedAt } of files) {
            assert.equal(path, KEYS.binary(version, target, name))
            assert.ok(objectKey.safeParse(path).success && keys.includes(path) && size > 0)
            assert.ok(modifiedAt >= 0 && modifiedAt <= NOW)
          }
        }
        assert.equal(new Set(versions.map(({ version }) => version)).size, versions.length)
        const own = objects.filter(({ key: name }) => {
          const [first = '', second, ...rest] = name.slice('_releases/'.length).split('/')
          if (second === undefined) return ['', 'index.json', 'latest'].includes(first)
          const found = versions.find(({ version }) => version === first)
          if (first === '_retired') return true
          // Of those below one with a document only versions of their own are told.
          if (documented.includes(first)) {
            const folder = name.split('/').slice(1, -1)
            const target = folder.findIndex((part) => TARGETS.some(({ triple }) => triple === part))
            return target !== folder.length - 1 || folder.length < 3
          }
          return found !== undefined && rest.length === 0 && /^(release\.json|SHA256SUMS)$/.test(second)
        }).length
        const found = versions.flatMap(({ files }) => files).length
        const left = skipped.reduce((sum, line) => sum + line.objects, 0)
        assert.equal(own + found + left, objects.length)
        for (const { name, reason } of skipped) assert.match(name + reason, /^[\x20-\x7e…]*$/)
      },
    ),
    { numRuns: 500 },
  )
})

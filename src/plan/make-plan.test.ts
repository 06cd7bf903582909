import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { makePlan } from './make-plan.ts'
import { checksDigest, planId } from './plan-id.ts'
import type { Source } from './plan.ts'
import { readStoredPlan } from './stored.ts'
import { TARGETS } from './targets.ts'

const fixture = (name: string) => readFileSync(new URL(`dialects/pitlane/fixtures/${name}`, import.meta.url))
const FULL = fixture('full.yaml')

const source: Source = {
  commit: '5c11de2744bdbaac5fd67f5f5faa70ad9f1c9d12',
  tree: '0123456789abcdef0123456789abcdef01234567',
  tag: 'v1.2.0',
  commitTime: 1_749_830_817,
  subject: 'Release 1.2.0',
  tagMessage: null,
}

const plan = (changes: Partial<Source> = {}, text: Buffer = FULL, changelog: Buffer | null = null) =>
  makePlan({ source: { ...source, ...changes }, configuration: { file: 'pitlane.yaml', text }, changelog })

test('the stages of a release: checks, then a build and a test for each target', () => {
  const { stages } = plan()
  const triples = TARGETS.map(({ triple }) => triple)
  assert.deepEqual(
    new Set(stages.map(({ id }) => id)),
    new Set(['checks', 'documentation', ...triples.flatMap((triple) => [`build/${triple}`, `test/${triple}`])]),
  )
  for (const stage of stages) {
    const needs = stage.kind === 'checks' ? [] : stage.kind !== 'test' ? ['checks'] : [`build/${stage.target}`]
    assert.deepEqual(stage.needs, needs)
  }
  assert.deepEqual(
    stages.filter(({ required }) => !required).map(({ id }) => id),
    ['test/aarch64-unknown-linux-musl', 'test/armv6l-unknown-linux-musleabihf'],
  )
})

test('which tests must have run: those listed, all, or none when nothing is said', () => {
  const rows: readonly (readonly [string, number])[] = [
    ['    targets: all\n', 4],
    ['    targets: [aarch64-unknown-linux-musl]\n', 1],
    ['', 0],
  ]
  for (const [targets, count] of rows) {
    const text = FULL.toString().replace(/ {4}targets: \[x86.*\n/, targets)
    assert.notEqual(text, FULL.toString())
    const required = plan({}, Buffer.from(text)).stages.filter((stage) => stage.kind === 'test' && stage.required)
    assert.equal(required.length, count)
  }
})

test('the environment of each kind of step', () => {
  const { stages } = plan()
  const environment = (stage: string, step: string) =>
    stages.find(({ id }) => id === stage)?.steps.find(({ name }) => name === step)?.env
  assert.deepEqual(environment('checks', 'unit'), {
    COMMIT: source.commit,
    RUST_BACKTRACE: '1',
    RUST_LOG: 'debug',
    SOURCE_DATE_EPOCH: '1749830817',
  })
  const release = {
    ARCH: 'i386',
    CHANNEL: 'stable',
    COMMIT: source.commit,
    RUST_BACKTRACE: '1',
    SOURCE_DATE_EPOCH: '1749830817',
    TARGET: 'i686-unknown-linux-musl',
    VERSION: 'v1.2.0',
  }
  const build = environment('build/i686-unknown-linux-musl', 'build') ?? {}
  assert.deepEqual(build, { ...release, NIX_PATH: '' })
  assert.deepEqual(Object.keys(build), Object.keys(build).toSorted())
  assert.deepEqual(environment('test/i686-unknown-linux-musl', 'test'), { ...release, RUST_LOG: 'info' })
})

test('outputs: path with variables, and what has to exist before the release is visible', () => {
  const outputs = plan().stages.flatMap((stage) => stage.outputs)
  assert.deepEqual(outputs[0], {
    id: 'binary/x86_64-unknown-linux-musl',
    target: 'x86_64-unknown-linux-musl',
    name: 'garage',
    path: 'result-bin/amd64/garage',
    static: true,
    obligations: ['bytes', 'digest', 'elf', 'signature', 'test', 'image', 'page'],
  })
  assert.deepEqual(outputs[3]?.obligations, ['bytes', 'digest', 'elf', 'signature', 'image', 'page'])
  const unsigned = fixture('small.yaml').toString().replace('build: {', 'sign: none\n  build: {')
  const [small] = plan({}, Buffer.from(unsigned)).stages.flatMap((stage) => stage.outputs)
  assert.deepEqual(small?.obligations, ['bytes', 'digest', 'elf', 'page'])
})

test('the image: repositories for each platform, a tag for any version, standard labels', () => {
  const image = plan({ tag: 'v1.2.0+ci' }).release?.image
  assert.equal(image?.tag, 'v1.2.0--ci')
  assert.deepEqual(image?.env, ['RUST_LOG=garage=info', 'RUST_BACKTRACE=1'])
  assert.deepEqual(
    image?.platforms.map(({ platform, repository }) => `${platform} ${repository}`),
    [
      'linux/amd64 dxflrs/amd64_garage',
      'linux/arm64 dxflrs/arm64_garage',
      'linux/arm/v6 dxflrs/arm_garage',
      'linux/386 dxflrs/386_garage',
    ],
  )
  assert.deepEqual(image?.labels, {
    'org.opencontainers.image.created': '2025-06-13T16:06:57Z',
    'org.opencontainers.image.licenses': 'AGPL-3.0',
    'org.opencontainers.image.revision': source.commit,
    'org.opencontainers.image.title': 'garage',
    'org.opencontainers.image.version': 'v1.2.0+ci',
  })
})

test('the image as the project names it: repositories by a pattern, Docker’s format, tags that move on while it is stable', () => {
  const settings =
    "name: dxflrs/garage\n    platforms: '{platform}/garage'\n    format: docker\n    floating: [latest, '{major}']"
  const toServer = FULL.toString().replace('registry: images', 'registry: docker.io')
  const text = Buffer.from(toServer.replace('name: dxflrs/garage', settings))
  const { release } = plan({}, text)
  assert.deepEqual(
    release?.image?.platforms.map(({ repository }) => repository),
    ['amd64/garage', 'arm64/garage', 'arm/garage', '386/garage'],
  )
  assert.deepEqual([release?.image?.format, release?.image?.floating], ['docker', ['latest', '1']])
  const tags = release?.publish?.map.filter(({ destination }) => destination.startsWith('dxflrs/garage:'))
  assert.deepEqual(
    tags?.map(({ source: from, destination }) => [from, destination]),
    [
      ['image', 'dxflrs/garage:v1.2.0'],
      ['image as latest', 'dxflrs/garage:latest'],
      ['image as 1', 'dxflrs/garage:1'],
    ],
  )
  for (const tag of ['v1.2.0-rc1', null]) assert.equal(plan({ tag }, text).release?.image?.floating, undefined)
  const own = Buffer.from(
    FULL.toString().replace('name: dxflrs/garage', "name: dxflrs/garage\n    floating: ['v{major}.{minor}.{patch}']"),
  )
  assert.throws(() => plan({}, own), { code: 'PLAN_CONTRADICTION', message: /image and image as v1\.2\.0 would both/ })
  const read = plan({}, text)
  assert.deepEqual(readStoredPlan(JSON.stringify(read)), read)
  // A plan from before says nothing of it, and keeps its id.
  assert.deepEqual(Object.keys(plan().release?.image ?? {}), [
    'repository',
    'tag',
    'command',
    'env',
    'labels',
    'platforms',
  ])
})

test('a commit without a tag is a development release, named by the commit', () => {
  const { version, channel, release } = plan({ tag: null })
  assert.equal(version, source.commit)
  assert.equal(channel, 'development')
  const destinations = release?.publish?.map.map(({ destination }) => destination) ?? []
  assert.ok(destinations.includes('_releases/latest-development'))
  assert.ok(!destinations.includes('_releases/latest'))
})

test('no destination twice, whatever the tag', () => {
  fc.assert(
    fc.property(fc.stringMatching(/^v[0-9][0-9a-z._+-]{0,20}$/), (tag) => {
      fc.pre(!tag.includes('..') && !/[+-]{2}/.test(tag))
      const map = plan({ tag }).release?.publish?.map ?? []
      assert.equal(new Set(map.map(({ destination }) => destination)).size, map.length)
      const documentation = map.filter(({ source: from }) => from.startsWith('documentation'))
      assert.equal(map.length - documentation.length, 4 * 3 + 2 * 3 + 5 + 8 + 3)
    }),
    { numRuns: 30 },
  )
})

test('a tag that cannot be a version stops the plan', () => {
  assert.throws(() => plan({ tag: 'release/1.0' }), { code: 'VERSION_NAME' })
  assert.throws(() => plan({ tag: 'latest' }), { code: 'VERSION_NAME' })
  const only = Buffer.from(FULL.toString().replace(/ {2}extra:.*\n/, ''))
  assert.throws(() => plan({ tag: 'nightly' }, only), { code: 'VERSION_NAME', message: /belongs to no channel/ })
})

test('notes: the annotated tag, else the changelog, else none; bounded', () => {
  const changelog = Buffer.from('## [1.2.0]\n\n- new\n')
  assert.equal(plan({ tagMessage: 'Hello\r\n\r\nworld\n' }, FULL, changelog).notes, 'Hello\n\nworld')
  assert.equal(plan({}, FULL, changelog).notes, '- new')
  assert.equal(plan({ tagMessage: 'v1.2.0\n' }, FULL, changelog).notes, '- new')
  assert.equal(plan({ tag: null }, FULL, changelog).notes, null)
  assert.equal(plan().notes, null)
  const signed = 'Text\n-----BEGIN PGP SIGNATURE-----\n\nabc\n-----END PGP SIGNATURE-----\n'
  assert.equal(plan({ tagMessage: signed }).notes, 'Text')
  for (const long of ['é'.repeat(100_000), 'é\n'.repeat(100_000)]) {
    const notes = plan({ tagMessage: long }).notes ?? ''
    assert.ok(Buffer.byteLength(notes) <= 65_536 && Buffer.byteLength(notes) > 65_000)
    assert.match(notes, /^[é\n]+\n\n\(shortened\)$/)
  }
})

test('the same input gives the same id; anything else gives another', () => {
  assert.deepEqual(plan(), plan())
  assert.match(plan().id, /^plan-[0-9a-f]{32}$/)
  const ids = [
    plan(),
    plan({ tag: null }),
    plan({ tag: 'v1.2.1' }),
    plan({ commitTime: 1 }),
    plan({}, Buffer.from(`${FULL.toString()}# comment\n`)),
    plan({}, FULL, Buffer.from('## 1.2.0\nx\n')),
  ].map(({ id }) => id)
  assert.equal(new Set(ids).size, ids.length)
})

test('checks count for every version of the same commit, and for no other checks', () => {
  const digest = checksDigest(plan())
  assert.equal(checksDigest(plan({ tag: null })), digest)
  assert.equal(checksDigest(plan({ tag: 'v1.2.1', tagMessage: 'x' })), digest)
  const changed = Buffer.from(FULL.toString().replace('cargo build', 'cargo build --all'))
  assert.notEqual(checksDigest(plan({}, changed)), digest)
  assert.notEqual(checksDigest(plan({ commit: 'a'.repeat(40) })), digest)
})

test('a project without a release has only checks', () => {
  const { stages, release } = plan({}, Buffer.from('name: t\nchecks: [{ name: a, run: b }]\n'))
  assert.deepEqual(
    stages.map(({ id }) => id),
    ['checks'],
  )
  assert.equal(release, null)
})

test('a stored plan is read back, and nothing else is', () => {
  const stored = plan()
  const changed = (fields: object) => JSON.stringify({ ...stored, ...fields })
  assert.deepEqual(readStoredPlan(JSON.stringify(stored)), stored)
  assert.throws(() => readStoredPlan(changed({ format: 2, anything: [] })), { code: 'STATE_NEWER' })
  const renamed = { ...stored, project: 'other' }
  assert.deepEqual(readStoredPlan(JSON.stringify({ ...renamed, id: planId(renamed) })).project, 'other')
  const damages = [
    '{',
    'null',
    '[]',
    changed({ project: 'other' }),
    changed({ extra: 1 }),
    changed({ format: 0 }),
    changed({ id: 'x' }),
  ]
  for (const json of damages) {
    assert.throws(
      () => readStoredPlan(json),
      { code: 'PLAN_CONTRADICTION', message: /^the stored plan is damaged: / },
      json,
    )
  }
})

test('documentation is a stage where it goes anywhere, and knows its way to the release page', () => {
  const planned = (tag: string | null, change = (text: string) => text) => {
    const made = plan({ tag }, Buffer.from(change(FULL.toString())))
    const stage = made.stages.find(({ kind }) => kind === 'documentation')
    const sources = made.release?.publish?.map.filter(({ source: from }) => from.startsWith('documentation'))
    return { made, stage, destinations: sources?.map(({ destination }) => destination) ?? [] }
  }
  const stable = planned('v1.2.0')
  assert.deepEqual([stable.stage?.folder, stable.stage?.needs, stable.stage?.outputs], ['doc/public', ['checks'], []])
  assert.deepEqual(stable.stage?.steps[0]?.env, {
    CHANNEL: 'stable',
    COMMIT: source.commit,
    DOCUMENTATION_URL: 'https://example.org/garage/manual/',
    RELEASES_PAGE: 'https://example.org/garage/_releases.html',
    RUST_BACKTRACE: '1',
    SOURCE_DATE_EPOCH: String(source.commitTime),
    THEME: 'plain',
    VERSION: 'v1.2.0',
  })
  assert.ok(
    ['manual/v1.2.0/*', 'manual/*', '_releases/_documentation.json'].every((to) => stable.destinations.includes(to)),
  )
  assert.deepEqual(readStoredPlan(JSON.stringify(stable.made)), stable.made)
  // A prerelease keeps its own and leaves the newest alone; a commit has nowhere to go.
  const extra = planned('v1.2.0-rc1')
  assert.equal(extra.made.release?.documentation?.kept, 'manual/v1.2.0-rc1/')
  assert.ok(!extra.destinations.includes('manual/*'))
  assert.equal(planned(null).stage, undefined)
  assert.ok(planned(null, (text) => text.replace('channel: stable', 'channel: development')).stage)
  const without = planned('v1.2.0', (text) =>
    text.replace(/ {2}public: https.*\n/, '').replace('path: manual', 'path: a/b'),
  )
  assert.deepEqual(
    [without.stage?.steps[0]?.env['RELEASES_PAGE'], without.stage?.steps[0]?.env['DOCUMENTATION_URL']],
    ['../../_releases.html', ''],
  )
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { catalogue } from './catalogue.ts'
import { exampleDocument, exampleSite } from './fixtures/documents.ts'
import { type GarageSection, garageList } from './releases-json.ts'

const read = (site = exampleSite()) => JSON.parse(JSON.stringify(garageList(catalogue(site)))) as GarageSection[]

test('exactly three sections, with the fields that scripts read', () => {
  const sections = read()
  assert.deepEqual(
    sections.map(({ name, type, hide }) => [name, type, hide]),
    [
      ['Release', 'tag', false],
      ['Extra', 'tag', true],
      ['Development', 'commit', true],
    ],
  )
  for (const section of sections) {
    assert.deepEqual(Object.keys(section).sort(), ['builds', 'description', 'hide', 'name', 'type'])
    for (const version of section.builds) {
      assert.deepEqual(Object.keys(version).sort(), ['builds', 'version'])
      for (const build of version.builds) {
        assert.deepEqual(Object.keys(build).sort(), [
          'binary',
          'date',
          'path',
          'platform',
          'root',
          'size',
          'time',
          'url',
          'version',
        ])
        for (const value of Object.values(build)) assert.equal(typeof value, 'string')
        assert.equal(build.url, `https://downloads.example.org/verifier/${build.path}`)
        assert.equal(build.path, `${build.root}/${build.version}/${build.platform}/${build.binary}`)
      }
    }
  }
})

test('a consumer that takes the first entry of Release gets the newest by number', () => {
  const release = read().find((section) => section.type === 'tag' && section.name === 'Release')
  assert.equal(release?.builds[0]?.version, 'v1.10.0')
  assert.deepEqual(
    release?.builds.map(({ version }) => version),
    ['v1.10.0', 'v1.9.0', 'v1.0.0', 'v0.9.0'],
  )
})

test('a channel of another name counts as Extra', () => {
  const [, extra] = read(exampleSite({ documents: [exampleDocument('v2.0.0-beta1', { channel: 'beta' })] }))
  assert.deepEqual(
    extra?.builds.map(({ version }) => version),
    ['v2.0.0-beta1'],
  )
})

test('an address encodes a plus sign, a path does not', () => {
  const [release] = read(exampleSite({ documents: [exampleDocument('v1.0.0+1')] }))
  const build = release?.builds[0]?.builds[0]
  assert.equal(build?.path, '_releases/v1.0.0+1/x86_64-unknown-linux-musl/verifier')
  assert.ok(build?.url.includes('/v1.0.0%2B1/'))
})

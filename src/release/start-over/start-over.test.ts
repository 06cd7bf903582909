import assert from 'node:assert/strict'
import { test } from 'node:test'
import { exampleDocuments, exampleSite } from '../../pages/fixtures/documents.ts'
import { renderSite } from '../../pages/site.ts'
import { KEYS } from '../../plan/keys.ts'
import { placeOf } from './start-over.ts'
import { names } from './visible.ts'

test('every list that names releases is seen to name each of them, and no other', () => {
  const documents = exampleDocuments()
  const files = new Map(renderSite(exampleSite({ documents })).map(({ key, bytes }) => [key, bytes.toString('utf8')]))
  for (const key of [KEYS.page, KEYS.garageList, KEYS.index, KEYS.atomAll]) {
    const text = files.get(key) ?? assert.fail(key)
    for (const { version } of documents) assert.ok(names(text, version), `${key} names ${version}`)
    for (const other of ['v1.1', 'v1.10', 'v1.10.0-rc1', '1.10.0', 'v0.9', 'v2.0.0', 'a'.repeat(40)])
      assert.ok(!names(text, other), `${key} does not name ${other}`)
  }
  const stable = files.get(KEYS.atomStable) ?? ''
  for (const { version, channel } of documents) assert.equal(names(stable, version), channel === 'stable', version)
})

test('what notes say in passing names no version', () => {
  const [first] = exampleDocuments()
  assert.ok(first)
  const notes = 'v9.9.9 will bring more, see v9.9.9 and (v9.9.9).'
  for (const { key, bytes } of renderSite(exampleSite({ documents: [{ ...first, notes }] })))
    assert.ok(!names(bytes.toString('utf8'), 'v9.9.9'), key)
})

test('documents go first, the first revision before the others, and nothing that no release puts there', () => {
  const keys = [
    'release.json',
    'release.2.json',
    'release.10.json',
    'SHA256SUMS',
    'SHA256SUMS.2',
    'documentation.json',
    'release.json.minisig',
    'release.2.json.sig',
    'SHA256SUMS.2.minisig',
    'documentation.json.minisig',
    'x86_64-unknown-linux-musl/toy',
    'x86_64-unknown-linux-musl/toy.sha256',
  ]
  const places = keys.map((key) => placeOf(key) ?? assert.fail(key))
  assert.deepEqual(
    places,
    places.toSorted((a, b) => a - b),
  )
  for (const other of [
    'note.txt',
    'release',
    'release.json.txt',
    'release.0.json',
    'documentation.2.json',
    'release.2',
    'SHA256SUMS.json',
    'SHA256SUMS.txt',
    'state-1.json',
    'sparc/toy',
    'x86_64-unknown-linux-musl',
    'x86_64-unknown-linux-musl/more/toy',
  ])
    assert.equal(placeOf(other), null, other)
})

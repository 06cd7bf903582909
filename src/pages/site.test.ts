import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { type ErrorCode, PitlaneError } from '../errors.ts'
import { KEYS } from '../plan/keys.ts'
import type { ReleaseDocument } from '../release/document.ts'
import { exampleDocument, exampleDocuments, exampleSite, manyDocuments } from './fixtures/documents.ts'
import { renderSite, type SiteFile, type SiteInput } from './site.ts'

const GOLDEN = new URL('golden/', import.meta.url)

function text(files: readonly SiteFile[], key: string): string {
  const file = files.find((candidate) => candidate.key === key)
  assert.ok(file, `${key} is there`)
  return file.bytes.toString()
}

function commit(id: string, committedAt: string, publishedAt: string): ReleaseDocument {
  return exampleDocument(id.repeat(40), { commit: id.repeat(40), channel: 'development', committedAt, publishedAt })
}

function refused(changes: Partial<SiteInput>, code: ErrorCode): void {
  assert.throws(
    () => renderSite(exampleSite(changes)),
    (error) => error instanceof PitlaneError && error.code === code,
  )
}

// `UPDATE_GOLDEN=1 node scripts/test.ts src/pages` writes them anew; the difference is for the review to read.
test('the documents of the example are what the golden files say', () => {
  for (const file of renderSite(exampleSite())) {
    const golden = new URL(file.key.replace(/^_releases\//, '').replaceAll('/', '-'), GOLDEN)
    if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(golden, file.bytes)
    assert.equal(file.bytes.toString(), readFileSync(golden, 'utf8'), file.key)
  }
})

test('the order in which the documents come changes nothing', () => {
  const expected = renderSite(exampleSite())
  const documents = exampleDocuments()
  fc.assert(
    fc.property(fc.shuffledSubarray(documents, { minLength: documents.length }), (shuffled) => {
      assert.deepEqual(renderSite(exampleSite({ documents: shuffled })), expected)
    }),
    { numRuns: 15 },
  )
})

test('files that name releases come before the pointers, and index.json is the last', () => {
  assert.deepEqual(
    renderSite(exampleSite()).map((file) => file.key),
    [
      KEYS.publicKey,
      KEYS.publicKeyPem,
      KEYS.installScript,
      KEYS.garageList,
      KEYS.atomAll,
      KEYS.atomStable,
      KEYS.page,
      KEYS.latest,
      KEYS.latestOf('development'),
      KEYS.latestOf('extra'),
      KEYS.index,
    ],
  )
})

test('a pointer is one version and one newline, and absent without a release in its channel', () => {
  const files = renderSite(exampleSite())
  assert.equal(text(files, KEYS.latest), 'v1.10.0\n')
  assert.equal(text(files, KEYS.latestOf('extra')), 'v1.11.0-rc1\n')
  assert.match(text(files, KEYS.latestOf('development')), /^[0-9a-f]{40}\n$/)
  const none = renderSite(exampleSite({ documents: [] }))
  assert.deepEqual(
    none.filter((file) => file.key.includes('latest')),
    [],
  )
})

test('commits order by when they were committed, not by when they were published', () => {
  const documents = [
    commit('a', '2026-03-01T00:00:00Z', '2026-03-01T01:00:00Z'),
    commit('b', '2026-02-01T00:00:00Z', '2026-03-05T01:00:00Z'),
  ]
  assert.equal(text(renderSite(exampleSite({ documents })), KEYS.latestOf('development')), `${'a'.repeat(40)}\n`)
})

test('without a public key there are no key files', () => {
  const keys = new Set(renderSite(exampleSite({ publicKey: null })).map((file) => file.key))
  assert.ok(!keys.has(KEYS.publicKey) && !keys.has(KEYS.publicKeyPem))
})

test('what cannot be published is refused', () => {
  refused({ baseUrl: 'ftp://example.org' }, 'CONFIG_INVALID')
  refused({ baseUrl: 'javascript:alert(1)' }, 'CONFIG_INVALID')
  refused({ baseUrl: 'https://user:word@example.org' }, 'CONFIG_INVALID')
  refused({ baseUrl: 'https://example.org/?a=b' }, 'CONFIG_INVALID')
  refused({ documents: [exampleDocument('v1.0.0', { channel: '../up' })] }, 'CONFIG_INVALID')
  refused({ documents: [exampleDocument('v1.0.0'), exampleDocument('v1.0.0')] }, 'CONTRADICTION')
})

test('a thousand releases', () => {
  const site = exampleSite({ documents: manyDocuments(1000) })
  const files = renderSite(site)
  assert.equal(text(files, KEYS.latest), 'v9.9.6\n')
  const page = text(files, KEYS.page)
  for (const { version, files: binaries } of site.documents) {
    assert.ok(page.includes(`id="${version}"`), version)
    for (const { sha256 } of binaries) assert.ok(sha256 !== null && page.includes(sha256), `${version} ${sha256}`)
  }
})

test('addresses that stay lead to the newest stable release, only where readers are sent on', () => {
  const links = (changes: Partial<SiteInput>) =>
    renderSite(exampleSite({ stableLinks: true, ...changes })).filter(({ redirect }) => redirect !== undefined)
  const files = links({})
  const target = 'x86_64-unknown-linux-musl'
  const base = 'https://downloads.example.org/verifier'
  assert.deepEqual(
    files.slice(0, 3).map(({ key, redirect }) => [key, redirect]),
    ['', '.sha256', '.minisig'].map((side) => [
      `_releases/_latest/${target}/verifier${side}`,
      `${base}/_releases/v1.10.0/${target}/verifier${side}`,
    ]),
  )
  assert.equal(files.length, 4 * 3)
  for (const { bytes, redirect, cacheControl } of files)
    assert.deepEqual([bytes.toString(), cacheControl], [`${redirect}\n`, 'no-cache'])
  // After the pointers, before the index that says that they are there.
  const keys = renderSite(exampleSite({ stableLinks: true })).map(({ key }) => key)
  assert.ok(keys.indexOf(KEYS.latest) < keys.indexOf(files[0]?.key ?? ''))
  assert.equal(keys.at(-1), KEYS.index)
  assert.equal(JSON.parse(text(renderSite(exampleSite({ stableLinks: true })), KEYS.index)).stableLinks, true)
  // Commands, and no link: browsers remember a permanent redirect.
  const page = text(renderSite(exampleSite({ stableLinks: true })), KEYS.page)
  assert.match(page, /Always the newest/)
  assert.doesNotMatch(page, /href="[^"]*_latest/)
  assert.deepEqual(links({ stableLinks: false }), [])
  assert.doesNotMatch(text(renderSite(exampleSite()), KEYS.page), /_latest/)
  const rc = exampleDocuments().filter(({ channel }) => channel !== 'stable')
  assert.deepEqual(links({ documents: rc }), [], 'nothing stable')
  const unsigned = links({ documents: [exampleDocument('v2.0.0', { signing: { scheme: 'none' } })] })
  assert.ok(unsigned.every(({ key }) => !key.endsWith('.minisig')))
})

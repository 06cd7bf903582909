import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseSiteIndex } from '../release/lists/site-index.ts'
import { documentationOf, documented } from './fixtures/documentation.ts'
import { exampleDocuments, exampleSite } from './fixtures/documents.ts'
import type { SiteInput } from './catalogue.ts'
import { renderSite } from './site.ts'

const documents = documented(exampleDocuments())

function rendered(changes: Partial<SiteInput>) {
  const files = renderSite(exampleSite(changes))
  const bytes = (key: string) => files.find((file) => file.key === key)?.bytes ?? Buffer.alloc(0)
  const links =
    bytes('_releases.html')
      .toString()
      .match(/<a href="[^"]*(?:docs|manual|index\.html)[^>]*>[^<]*/g) ?? []
  return { links, index: parseSiteIndex(bytes('_releases/index.json'), 'index.json') }
}

test('page and index lead to the documentation of the newest release, and to what is kept of the others', () => {
  const { links, index } = rendered({ documents, documentation: documentationOf('v1.10.0') })
  assert.deepEqual(links, [
    '<a href="docs/index.html">Documentation',
    '<a href="docs/index.html">Documentation of v1.10.0',
    '<a href="docs/v1.9.0/index.html">Documentation of v1.9.0',
    '<a href="docs/v1.0.0/index.html">Documentation of v1.0.0',
    '<a href="docs/v0.9.0/index.html">Documentation of v0.9.0',
    '<a href="docs/index.html">Documentation',
  ])
  const base = 'https://downloads.example.org/verifier'
  assert.deepEqual(index.documentation, {
    url: `${base}/docs/index.html`,
    path: 'docs/',
    version: 'v1.10.0',
    serial: 3,
    document: {
      url: `${base}/_releases/_documentation.json`,
      sha256: 'e'.repeat(64),
      minisigUrl: `${base}/_releases/_documentation.json.minisig`,
      sigUrl: `${base}/_releases/_documentation.json.sig`,
    },
  })
  assert.equal(index.releases[0]?.documentation?.url, `${base}/docs/v1.10.0/index.html`)
})

test('one of no release, at the top of the bucket, and none at all', () => {
  const own = rendered({ documentation: documentationOf(null, '') })
  assert.deepEqual(own.links, ['<a href="index.html">Documentation', '<a href="index.html">Documentation'])
  assert.deepEqual([own.index.documentation?.version, own.index.documentation?.path], [null, ''])
  const none = rendered({})
  assert.deepEqual([none.links, none.index.documentation], [[], undefined])
})

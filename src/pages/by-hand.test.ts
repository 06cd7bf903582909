import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ByHand, ReleaseDocument } from '../release/document.ts'
import { SiteIndex } from '../release/lists/site-index.ts'
import { catalogue } from './catalogue.ts'
import { exampleDocument, exampleSite } from './fixtures/documents.ts'
import { renderSite } from './site.ts'

const ARM = 'armv6l-unknown-linux-musleabihf'
const made = (changes: Partial<ByHand> = {}): ByHand => ({
  revision: 1,
  revisedAt: '2026-03-01T00:00:00Z',
  previousSha256: null,
  missing: [],
  unchecked: [],
  ...changes,
})
const whole = exampleDocument('v1.0.0')
const lacking = exampleDocument('v2.0.0', { byHand: made({ missing: [ARM] }), tag: null })

function rendered(documents: readonly ReleaseDocument[]) {
  const files = new Map(renderSite(exampleSite({ documents })).map(({ key, bytes }) => [key, bytes.toString('utf8')]))
  const text = (key: string) => files.get(key) ?? ''
  return { text, index: SiteIndex.parse(JSON.parse(text('_releases/index.json'))) }
}

test('nothing points to a release made by hand while it lacks targets, and it stands behind the others', () => {
  const { text, index } = rendered([lacking, whole])
  assert.equal(text('_releases/latest'), 'v1.0.0\n')
  assert.deepEqual(index.pointers, { stable: 'v1.0.0' })
  assert.deepEqual(index.versions, ['v1.0.0'])
  const list = JSON.parse(text('_releases.json')) as { builds: { version: string }[] }[]
  assert.deepEqual(
    list[0]?.builds.map(({ version }) => version),
    ['v1.0.0', 'v2.0.0'],
  )
})

test('once it has them all it is what its number says', () => {
  const { text, index } = rendered([
    { ...lacking, byHand: made({ revision: 2, previousSha256: 'a'.repeat(64) }) },
    whole,
  ])
  assert.equal(text('_releases/latest'), 'v2.0.0\n')
  assert.deepEqual(index.versions, ['v1.0.0', 'v2.0.0'])
})

test('alone it has no pointer', () => {
  assert.equal(catalogue(exampleSite({ documents: [lacking] })).pointers.size, 0)
  assert.equal(rendered([lacking]).text('_releases/latest'), '')
})

test('page and index say what it is, and name its newest documents', () => {
  const byHand = made({
    revision: 3,
    previousSha256: 'a'.repeat(64),
    missing: [ARM],
    unchecked: ['i686-unknown-linux-musl'],
  })
  const { text, index } = rendered([whole, { ...lacking, byHand }])
  const page = text('_releases.html')
  assert.match(
    page,
    /made by hand.*It has no files for armv6l-\S+\. Nobody looked at .*i686-\S+\. Revision 3, of 1 March/,
  )
  assert.match(page, /href="_releases\/v2\.0\.0\/release\.3\.json"/)
  assert.match(page, /href="_releases\/v2\.0\.0\/SHA256SUMS\.3"/)
  const entry = index.releases.find(({ version }) => version === 'v2.0.0')
  assert.deepEqual(entry?.byHand, { revision: 3, missing: [ARM], unchecked: byHand.unchecked })
  assert.match(entry?.document.url ?? '', /\/v2\.0\.0\/release\.3\.json$/)
  assert.match(String(entry?.checksums?.minisigUrl), /\/v2\.0\.0\/SHA256SUMS\.3\.minisig$/)
  assert.equal(index.releases.find(({ version }) => version === 'v1.0.0')?.byHand, undefined)
  assert.match(
    text('_releases/install.sh'),
    /^ {4}v2\.0\.0\) sums=SHA256SUMS\.3 document=release\.3\.json revision=3 ;;$/m,
  )
})

test('a version without a tag orders by its number as one with a tag does', () => {
  const documents = [
    exampleDocument('v1.9.0', { tag: null, byHand: made(), publishedAt: '2026-09-01T00:00:00Z' }),
    exampleDocument('v1.10.0'),
  ]
  assert.deepEqual(
    catalogue(exampleSite({ documents })).stable.map(({ version }) => version),
    ['v1.10.0', 'v1.9.0'],
  )
})

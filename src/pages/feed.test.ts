import assert from 'node:assert/strict'
import { test } from 'node:test'
import { catalogue } from './catalogue.ts'
import { atomFeed } from './feed.ts'
import { exampleDocument, exampleSite, manyDocuments } from './fixtures/documents.ts'

const feed = (kind: 'stable' | 'all', site = exampleSite()) => atomFeed(catalogue(site), kind)
const all = (text: string, pattern: RegExp) => [...text.matchAll(pattern)].map((match) => match[1])

test('the stable feed has stable releases only, the other one everything, newest first', () => {
  assert.deepEqual(all(feed('stable'), /<title type="text">verifier (v[^<]*)</g), [
    'v1.10.0',
    'v1.9.0',
    'v1.0.0',
    'v0.9.0',
  ])
  assert.equal(all(feed('all'), /(<entry>)/g).length, 7)
  const updated = all(feed('all'), /<updated>([^<]*)</g).slice(1)
  for (const [index, date] of updated.entries()) assert.ok((date ?? '') <= (updated[index - 1] ?? '9'))
})

test('ids are tag URIs, all different, and do not depend on when the feed was made', () => {
  const ids = all(feed('all'), /<id>([^<]*)</g)
  assert.equal(new Set(ids).size, ids.length)
  for (const id of ids) assert.match(id ?? '', /^tag:downloads\.example\.org,2026:verifier\//)
  assert.equal(feed('all'), feed('all', exampleSite({ generatedAt: 1_900_000_000_000, serial: 99 })))
})

test('a feed without entries has its date from the journal', () => {
  assert.match(feed('stable', exampleSite({ documents: [] })), /<updated>2026-08-11T09:30:00Z<\/updated>/)
})

test('text is escaped, and characters that XML does not know are replaced', () => {
  const notes = '<script>alert(1)</script> & "quotes" \u0000\u0008\ud800 \u202eevil'
  const text = feed('stable', exampleSite({ documents: [exampleDocument('v1.0.0', { notes })] }))
  assert.ok(text.includes('&lt;script&gt;alert(1)&lt;/script&gt; &amp; &quot;quotes&quot;'))
  assert.doesNotMatch(text, /(?![\t\n])\p{Cc}|\u202e|<script|\p{Surrogate}/u)
})

test('a feed has a limit', () => {
  assert.equal(all(feed('all', exampleSite({ documents: manyDocuments(300) })), /(<entry>)/g).length, 100)
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { KEYS } from '../plan/keys.ts'
import type { States } from '../release/states/state-document.ts'
import { parseSiteIndex } from '../release/lists/site-index.ts'
import { catalogue } from './catalogue.ts'
import { exampleDocuments, exampleSite } from './fixtures/documents.ts'
import { withdrawnStates } from './fixtures/states.ts'
import { renderSite } from './site.ts'
import { withdrawalOf } from './withdrawal.ts'

const REASON = 'loses <b>data</b> & "more" on 32-bit'
const newest = withdrawnStates({ 'v1.10.0': [REASON, 'v1.9.0'] })

function files(states: States): ReadonlyMap<string, string> {
  return new Map(renderSite(exampleSite({ states })).map(({ key, bytes }) => [key, bytes.toString()]))
}

function text(states: States, key: string): string {
  return files(states).get(key) ?? assert.fail(`no ${key}`)
}

test('without a state that says otherwise every file is as if there were none', () => {
  const [stored] = withdrawnStates({ 'v1.9.0': [REASON, null] }).values()
  assert.ok(stored)
  const restored = new Map([['v1.9.0', { ...stored, state: { ...stored.state, state: 'published' as const } }]])
  const before = files(new Map())
  // Feeds are news, and the index names the document; nothing else shows it.
  for (const [key, value] of files(restored))
    if (![KEYS.index, KEYS.atomAll, KEYS.atomStable].includes(key as never)) assert.equal(value, before.get(key), key)
})

test('index.json: withdrawn, deprecated, not stable, in no list that is chosen from, and last', () => {
  const index = parseSiteIndex(Buffer.from(text(newest, KEYS.index)), 'index.json')
  const release = index.releases.at(-1)
  assert.equal(release?.version, 'v1.10.0')
  assert.deepEqual([release.withdrawn, release.isDeprecated, release.isStable], [true, true, false])
  assert.equal(release.state?.reason, REASON)
  assert.equal(index.releases[0]?.version, 'v1.9.0')
  assert.deepEqual(index.versions, ['v0.9.0', 'v1.0.0', 'v1.9.0'])
  assert.equal(index.pointers['stable'], 'v1.9.0')
  for (const other of index.releases.slice(0, -1)) assert.ok(!other.withdrawn && other.state === undefined)
})

test('pointers name the newest one that is left; an empty one stands where nothing is', () => {
  assert.equal(text(newest, KEYS.latest), 'v1.9.0\n')
  const all = ['v0.9.0', 'v1.0.0', 'v1.9.0', 'v1.10.0', 'v1.11.0-rc1'].map(
    (version) => [version, [REASON, null]] as const,
  )
  const none = withdrawnStates(Object.fromEntries(all))
  assert.equal(text(none, KEYS.latest), '')
  assert.equal(text(none, KEYS.latestOf('extra')), '')
  assert.equal(parseSiteIndex(Buffer.from(text(none, KEYS.index)), 'x').pointers['stable'], undefined)
  assert.match(text(none, KEYS.page), /There is no stable release at present/)
})

test('_releases.json leaves it out: the first entry is the newest that is offered', () => {
  const [section] = JSON.parse(text(newest, KEYS.garageList)) as { builds: { version: string }[] }[]
  assert.deepEqual(
    section?.builds.map(({ version }) => version),
    ['v1.9.0', 'v1.0.0', 'v0.9.0'],
  )
})

test('feeds tell it as news: same id, later date, reason and successor first', () => {
  for (const key of [KEYS.atomStable, KEYS.atomAll]) {
    const entries = text(newest, key).split('<entry>')
    const entry = entries.find((part) => part.includes('v1.10.0 (withdrawn)'))
    assert.ok(entry)
    assert.match(entry, /<updated>2026-08-01T09:30:00Z<\/updated>\n\s*<published>2026-07-24T/)
    assert.match(
      entry,
      /<summary type="text">Withdrawn on 1 August 2026: loses &lt;b&gt;data&lt;\/b&gt; &amp; .* Use v1\.9\.0 instead\./,
    )
    assert.equal(entry.match(/<id>.*<\/id>/)?.[0], text(new Map(), key).match(/<id>[^<]*v1\.10\.0<\/id>/)?.[0])
  }
})

test('the page features what is left, and says first what became of the newer one', () => {
  const page = text(newest, KEYS.page)
  assert.match(page, /<h1>.*v1\.9\.0<\/span><\/h1>/)
  assert.match(page, /<strong>v1\.10\.0 was withdrawn on <time[^>]*>1 August 2026<\/time>\.<\/strong>/)
  assert.ok(page.indexOf('v1.10.0 was withdrawn') < page.indexOf('id="_download"'))
  assert.match(page, /loses &lt;b>data&lt;\/b> &amp; /)
  assert.match(page, /<s>v1\.10\.0<\/s>/)
  assert.doesNotMatch(page, /<b>data/)
  const older = text(withdrawnStates({ 'v1.0.0': [REASON, null] }), KEYS.page)
  assert.ok(older.indexOf('v1.0.0 was withdrawn') > older.indexOf('id="_older"'), 'an old one is told in its place')
})

test('install.sh knows it, with a reason that no shell runs', () => {
  const states = withdrawnStates({ 'v1.10.0': ['it\'s $(touch /tmp/x) `id` \\ "', null] })
  assert.match(
    text(states, KEYS.installScript),
    /^ {4}'v1\.10\.0'\) say 'Withdrawn on 1 August 2026: it'\\''s \$\(touch \/tmp\/x\) `id` \\ "\.' ;;$/m,
  )
})

test('a successor that is withdrawn leads on to its own; a circle leads nowhere', () => {
  const of = (states: States, version: string) =>
    withdrawalOf(catalogue(exampleSite({ documents: exampleDocuments(), states })), version)?.successor
  const chain = withdrawnStates({ 'v0.9.0': ['a', 'v1.0.0'], 'v1.0.0': ['b', 'v1.9.0'] })
  assert.equal(of(chain, 'v0.9.0'), 'v1.9.0')
  assert.equal(of(withdrawnStates({ 'v0.9.0': ['a', 'v1.0.0'], 'v1.0.0': ['b', 'v0.9.0'] }), 'v0.9.0'), null)
  assert.equal(of(chain, 'v1.9.0'), undefined)
})

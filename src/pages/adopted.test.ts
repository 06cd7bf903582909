// A release that was adopted is shown as what it is everywhere, and nobody is led to install or believe what can't be checked.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { KEYS } from '../plan/keys.ts'
import { TARGETS } from '../plan/targets.ts'
import { adoptedDocument } from '../release/adopt/document.ts'
import { encodeDocument, type ReleaseDocument } from '../release/document.ts'
import { sha256Of } from '../bytes/digest.ts'
import { parseSiteIndex } from '../release/lists/site-index.ts'
import { exampleDocument, exampleSite, FIXTURE_NAME, hex } from './fixtures/documents.ts'
import { renderSite } from './site.ts'

const DAY = 86_400_000
const OLD = Date.UTC(2021, 2, 4, 5, 6, 7)
const COMMIT = 'ab'.repeat(20)

function adopted(version: string, channel: string, isDigested: boolean, actor = 'Mira'): ReleaseDocument {
  const files = TARGETS.slice(0, 2).map(({ triple, platform }, place) => {
    const path = KEYS.binary(version, triple, 'verifier')
    return { name: 'verifier', path, size: 7 + place, target: triple, platform, modifiedAt: OLD + place * DAY }
  })
  const digests = isDigested ? new Map(files.map(({ path }) => [path, hex(path)])) : null
  const facts = { project: FIXTURE_NAME, version, channel, signer: null, actor, pitlaneVersion: '0.1.0' }
  // As of a project that signs.
  return { ...adoptedDocument(facts, files, digests, Date.UTC(2026, 0, 9)), signing: exampleDocument(version).signing }
}

function render(documents: readonly ReleaseDocument[]) {
  const documentSha256 = (document: ReleaseDocument) => sha256Of(encodeDocument(document))
  const files = renderSite({ ...exampleSite(), documents, documentSha256 })
  return (key: string) => files.find((file) => file.key === key)?.bytes.toString() ?? assert.fail(key)
}

test('an adopted release without digests: listed with its own dates, first where it is the newest, and not installed', () => {
  const text = render([
    adopted('v3.0.0', 'stable', false),
    exampleDocument('v2.0.0'),
    adopted(COMMIT, 'development', false),
  ])
  const index = parseSiteIndex(Buffer.from(text(KEYS.index)), KEYS.index)
  const [first] = index.releases
  assert.deepEqual([index.pointers, index.versions], [{ stable: 'v3.0.0', development: COMMIT }, ['v2.0.0', 'v3.0.0']])
  assert.deepEqual(first?.adopted, { revision: 1, date: '2026-01-09T00:00:00Z', digests: 'unknown' })
  const { date, signed, checksums, commit, tag, tests, files } = first
  assert.deepEqual(
    [
      date,
      signed,
      checksums,
      commit,
      tag,
      tests,
      files.map(({ sha256, checksumUrl, signatureUrl }) => [sha256, checksumUrl, signatureUrl]),
    ],
    [
      '2021-03-04T05:06:07Z',
      false,
      null,
      null,
      null,
      [],
      [
        [null, null, null],
        [null, null, null],
      ],
    ],
  )
  assert.equal(index.releases.find(({ version }) => version === COMMIT)?.commit, COMMIT)
  assert.equal(index.releases.find(({ version }) => version === 'v2.0.0')?.adopted, undefined)

  const sections = JSON.parse(text(KEYS.garageList)) as { builds: { version: string; builds: object[] }[] }[]
  assert.deepEqual(
    sections[0]?.builds.map(({ version }) => version),
    ['v3.0.0', 'v2.0.0'],
  )
  assert.deepEqual(sections[0]?.builds[0]?.builds[1], {
    date: '2021-03-05',
    time: '05:06:07',
    size: '8',
    path: `_releases/v3.0.0/${TARGETS[1]?.triple}/verifier`,
    root: '_releases',
    version: 'v3.0.0',
    platform: TARGETS[1]?.triple,
    binary: 'verifier',
    url: `https://downloads.example.org/verifier/_releases/v3.0.0/${TARGETS[1]?.triple}/verifier`,
  })
  assert.equal(text(KEYS.latest), 'v3.0.0\n')

  const page = text(KEYS.page)
  const [featured = ''] = page.split('id="_older"')
  assert.match(
    featured,
    /This release was adopted\..*neither built, tested nor signed them\. Their digests are unknown\./,
  )
  assert.doesNotMatch(
    featured,
    /tested on|✓|install\.sh|SHA256SUMS|\.sha256|id="_install"|id="_verify"|href="#_install"|href="#_verify"/,
  )
  assert.match(featured, /digest unknown.*not signed.*not tested by Pitlane/s)
  assert.match(featured, /none of its files/)
  assert.match(
    text(KEYS.atomStable),
    /<title type="text">verifier v3\.0\.0 \(adopted\)<\/title>\s*<updated>2021-03-04T05:06:07Z/,
  )
  assert.match(text(KEYS.atomStable), /neither built, tested nor signed them/)
  const undigested = /^undigested\(\) \{\n {2}case \$1 in\n(.*)\n/m.exec(text(KEYS.installScript))?.[1]
  assert.equal(undigested, `    v3.0.0 | ${COMMIT}) ;;`)
})

test('with digests it can be checked and installed, and is still no release of Pitlane’s', () => {
  const text = render([adopted('v3.0.0', 'stable', true, '</p> <x@example.org>')])
  const page = text(KEYS.page)
  for (const { sha256 } of adopted('v3.0.0', 'stable', true).files) assert.ok(page.includes(String(sha256)))
  assert.match(page, /Their digests were computed on 9 January 2026 and say nothing of the time before\./)
  assert.match(page, /id="_install".*id="_verify".*SHA256SUMS/s)
  assert.doesNotMatch(page, /tested on|✓ |<\/p> <x|x@example/)
  const [release] = parseSiteIndex(Buffer.from(text(KEYS.index)), KEYS.index).releases
  assert.deepEqual([release?.signed, release?.adopted?.digests], [false, 'computed'])
  assert.match(release?.checksums?.url ?? '', /\/v3\.0\.0\/SHA256SUMS$/)
  const script = text(KEYS.installScript)
  assert.match(script, /^adopted\(\) \{\n {2}case \$1 in\n {4}v3\.0\.0\) say 'Its files were here before Pitlane/m)
  assert.match(script, /^undigested\(\) \{\n {2}case \$1 in\n {4}\*\) return 1/m)
})

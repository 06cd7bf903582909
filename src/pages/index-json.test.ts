import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { z } from 'zod'
import { encodeDocument } from '../release/document.ts'
import { catalogue } from './catalogue.ts'
import { exampleDocuments, exampleSite } from './fixtures/documents.ts'
import { SiteIndex } from '../release/lists/site-index.ts'
import { siteIndex } from './index-json.ts'

const index = siteIndex(catalogue(exampleSite()), [])
const parsed: unknown = JSON.parse(JSON.stringify(index))

test('it fits its own schema, which can be written as JSON Schema', () => {
  assert.deepEqual(SiteIndex.parse(parsed), index)
  assert.equal(z.toJSONSchema(SiteIndex).type, 'object')
})

test('mise: versions is a list of strings, the last one the newest stable', () => {
  const { versions } = z.object({ versions: z.array(z.string()) }).parse(parsed)
  assert.equal(versions.at(-1), 'v1.10.0')
  assert.deepEqual(versions, ['v0.9.0', 'v1.0.0', 'v1.9.0', 'v1.10.0'])
})

test('Renovate: its fields, never null where it refuses null', () => {
  const Renovate = z.object({
    sourceUrl: z.string().optional(),
    homepage: z.string().optional(),
    releases: z.array(
      z.object({
        version: z.string(),
        releaseTimestamp: z.iso.datetime().optional(),
        changelogUrl: z.string().optional(),
        sourceUrl: z.string().optional(),
        digest: z.string().optional(),
        isDeprecated: z.boolean().optional(),
        isStable: z.boolean().optional(),
      }),
    ),
  })
  const { releases } = Renovate.parse(parsed)
  assert.deepEqual(
    releases.map(({ version, isStable }) => [version.slice(0, 11), isStable]),
    [
      ['v1.10.0', true],
      ['v1.9.0', true],
      ['v1.0.0', true],
      ['v0.9.0', true],
      ['v1.11.0-rc1', false],
      [index.releases[5]?.version.slice(0, 11), false],
      [index.releases[6]?.version.slice(0, 11), false],
    ],
  )
  Renovate.parse(JSON.parse(JSON.stringify(siteIndex(catalogue(exampleSite({ sourceUrl: null })), []))))
})

test('a script that asks by version and platform gets address, digest and size', () => {
  const file = index.releases
    .find(({ version }) => version === index.pointers['stable'])
    ?.files.find(({ platform }) => platform === 'linux/arm/v6')
  const path = '_releases/v1.10.0/armv6l-unknown-linux-musleabihf/verifier'
  assert.equal(file?.url, `https://downloads.example.org/verifier/${path}`)
  assert.equal(file.checksumUrl, `${file.url}.sha256`)
  assert.equal(file.signatureUrl, `${file.url}.minisig`)
  assert.ok(Number.isInteger(file.size))
  assert.match(file.sha256 ?? '', /^[0-9a-f]{64}$/)
})

test('each release is tied to the bytes of its document; an unsigned one names no signature', () => {
  for (const document of exampleDocuments()) {
    const entry = index.releases.find(({ version }) => version === document.version)
    assert.equal(entry?.document.sha256, createHash('sha256').update(encodeDocument(document)).digest('hex'))
    const signed = document.signing.scheme === 'minisign'
    assert.equal(entry.signed, signed)
    assert.equal(entry.document.sigUrl !== null, signed)
    assert.equal(entry.files[0]?.signatureUrl !== null, signed)
  }
})

test('it expires ninety days after it was made', () => {
  assert.equal(Date.parse(index.expiresAt) - Date.parse(index.generatedAt), 90 * 86_400_000)
})

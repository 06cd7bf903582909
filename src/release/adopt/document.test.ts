import assert from 'node:assert/strict'
import { test } from 'node:test'
import { signer } from '../../../test/world/hand-made-site.ts'
import { KEYS } from '../../plan/keys.ts'
import { exampleDocument } from '../../pages/fixtures/documents.ts'
import {
  AdoptedDocument,
  encodeDocument,
  isAdopted,
  type ReleaseDocument,
  ReleaseDocument as Schema,
} from '../document.ts'
import { parseDocument } from '../documents.ts'
import { checksums, documentOperations } from '../put-operations.ts'
import { objectsOf } from '../retention/contents.ts'
import { followRevisions } from '../revisions.ts'
import { sha256Of } from '../../bytes/digest.ts'
import { adoptedDocument, adoptedRemarks, unknownDigests, withDigests } from './document.ts'

const AT = Date.UTC(2026, 0, 9)
const X86 = 'x86_64-unknown-linux-musl'
const PATH = KEYS.binary('v1.0.0', X86, 'toy')
const facts = { project: 'toy', version: 'v1.0.0', channel: 'stable', signer, actor: 'Mira', pitlaneVersion: '0.1.0' }
const files = [
  { name: 'toy', path: PATH, size: 7, target: X86, platform: 'linux/amd64', modifiedAt: Date.UTC(2021, 0, 2) + 999 },
]
const unknown = adoptedDocument(facts, files, null, AT)
const digests = new Map([[PATH, 'a'.repeat(64)]])
const stored = { document: unknown, sha256: sha256Of(encodeDocument(unknown)) }
const computed = withDigests(stored, digests, { at: AT + 1000, actor: 'Nia', pitlaneVersion: '0.2.0' })

const keysOf = (document: ReleaseDocument) =>
  documentOperations(document, signer).map((operation) => (operation.to === 'bucket' ? operation.key : ''))

test('what is not known is not said; what is put and what is removed are the same names', () => {
  assert.equal(unknown.publishedAt, '2021-01-02T00:00:00Z')
  assert.deepEqual([checksums(unknown), unknown.files[0]?.sha256], [null, null])
  assert.deepEqual(
    keysOf(unknown),
    ['.minisig', '.sig', ''].map((side) => `_releases/v1.0.0/release.json${side}`),
  )
  assert.deepEqual(objectsOf(unknown, new Map()).toSorted(), [PATH, ...keysOf(unknown)].toSorted())
  assert.match(
    adoptedRemarks(unknown).join(),
    /neither built, tested nor signed by Pitlane,the digests of its files are unknown/,
  )
  assert.equal(unknownDigests(unknown).length, 1)

  assert.equal(checksums(computed), `${'a'.repeat(64)}  ${X86}/toy\n`)
  assert.deepEqual(
    objectsOf(computed, new Map()).toSorted(),
    [PATH, ...keysOf(unknown), ...keysOf(computed)].toSorted(),
  )
  assert.ok(
    keysOf(computed).includes('_releases/v1.0.0/SHA256SUMS.2') &&
      !keysOf(computed).includes('_releases/v1.0.0/SHA256SUMS'),
  )
  const { revision, previousSha256, adoptedAt, revisedAt } = computed.adopted
  assert.deepEqual([revision, previousSha256], [2, stored.sha256])
  assert.deepEqual([adoptedAt, revisedAt], ['2026-01-09T00:00:00Z', '2026-01-09T00:00:01Z'])
  assert.deepEqual(unknownDigests(computed), [])
  assert.equal(Schema.safeParse(computed).success, true)
})

test('a document whose digests are not as it says is none, and the message speaks of an adopted one', () => {
  for (const document of [
    { ...unknown, files: computed.files },
    { ...computed, files: unknown.files },
    { ...unknown, files: [] },
    { ...unknown, tests: [] },
  ]) {
    assert.equal(AdoptedDocument.safeParse(document).success, false)
    assert.throws(() => parseDocument(Buffer.from(JSON.stringify(document)), 'release.json', 'v1.0.0'), {
      code: 'VERIFICATION_FAILED',
      message: /is not a release document: (files|tests|Unrecognized| ).*/,
    })
  }
})

test('an adopted release does not become one that was made by hand, nor the other way round', async () => {
  const byHand = (revision: number, previousSha256: string | null) => ({
    ...exampleDocument('v1.0.0', {
      byHand: { revision, revisedAt: '2026-01-09T00:00:00Z', previousSha256, missing: [], unchecked: [] },
    }),
  })
  const follow = (chain: readonly ReleaseDocument[]) =>
    followRevisions(
      'v1.0.0',
      async (key) => {
        const document = chain.find((_, place) => KEYS.document('v1.0.0', place + 1) === key)
        return document === undefined ? null : { document, bytes: encodeDocument(document) }
      },
      async () => chain.length,
    )
  const good = await follow([unknown, computed])
  assert.ok(good !== null && isAdopted(good.document) && good.document.adopted.digests === 'computed')
  const first = byHand(1, null)
  const taken = withDigests({ ...stored, sha256: sha256Of(encodeDocument(first)) }, digests, {
    at: AT,
    actor: 'x',
    pitlaneVersion: '1',
  })
  await assert.rejects(follow([first, taken]), {
    code: 'VERIFICATION_FAILED',
    message: /says that the release was adopted/,
  })
  await assert.rejects(follow([unknown, byHand(2, stored.sha256)]), {
    code: 'VERIFICATION_FAILED',
    message: /not adopted/,
  })
})

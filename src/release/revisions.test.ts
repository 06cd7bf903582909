import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { exampleDocument } from '../pages/fixtures/documents.ts'
import { KEYS } from '../plan/keys.ts'
import { chainOf, encodeDocument, type ReleaseDocument, revisionOf } from './document.ts'
import { followRevisions, newestInBucket } from './revisions.ts'

const VERSION = 'hand-1'
const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex')

function revision(number: number, previousSha256: string | null): ReleaseDocument {
  return exampleDocument(VERSION, {
    channel: 'extra',
    byHand: { revision: number, revisedAt: '2026-03-01T00:00:00Z', previousSha256, missing: [], unchecked: [] },
  })
}

/** A chain of so many, by key. */
function chain(length: number): Map<string, ReleaseDocument> {
  const documents = new Map<string, ReleaseDocument>()
  let previous: string | null = null
  for (let number = 1; number <= length; number += 1) {
    const document = revision(number, previous)
    documents.set(KEYS.document(VERSION, number), document)
    previous = sha256(encodeDocument(document))
  }
  return documents
}

function follow(documents: ReadonlyMap<string, ReleaseDocument>, newest: number) {
  const read = async (key: string) => {
    const document = documents.get(key)
    return document === undefined ? null : { document, bytes: encodeDocument(document) }
  }
  return followRevisions(VERSION, read, async () => newest)
}

test('the newest of a whole chain is taken', async () => {
  assert.equal(await follow(new Map(), 1), null)
  for (const length of [1, 2, 3]) {
    const found = await follow(chain(length), length)
    assert.equal(found && revisionOf(found.document), length)
    assert.equal(found?.sha256, sha256(encodeDocument(found?.document ?? assert.fail())))
  }
})

test('a release has no revisions, whatever lies beside its document', async () => {
  const key = KEYS.document(VERSION)
  const found = await follow(new Map([...chain(2), [key, exampleDocument(VERSION)]]), 2)
  assert.equal(found === null ? 0 : chainOf(found.document), null)
})

test('a gap, a wrong number and another history are refused', async () => {
  const broken = (change: (documents: Map<string, ReleaseDocument>) => void) => {
    const documents = chain(3)
    change(documents)
    return assert.rejects(follow(documents, 3), { code: 'VERIFICATION_FAILED' })
  }
  const key = (number: number) => KEYS.document(VERSION, number)
  await broken((documents) => documents.delete(key(2)))
  await broken((documents) => documents.delete(key(3)))
  await broken((documents) => documents.set(key(3), revision(2, 'a'.repeat(64))))
  await broken((documents) => documents.set(key(2), revision(2, 'a'.repeat(64))))
  await broken((documents) => documents.set(key(2), exampleDocument(VERSION)))
  await broken((documents) => documents.set(key(1), revision(1, 'a'.repeat(64))))
  await broken((documents) => documents.set(key(1), revision(2, null)))
})

test('the bucket is asked for documents alone, with the names that are given to them', async () => {
  const names = ['2.json', '2.json.sig', '10.json', '03.json', '1000.json', 'x.json', 'json', '11.json.minisig']
  const bucket = {
    async *list(prefix: string) {
      for (const name of names) yield { key: `${prefix}${name}`, size: 1, modifiedAt: 0 }
    },
  }
  assert.equal(await newestInBucket(bucket, VERSION), 10)
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { KEYS } from '../plan/keys.ts'
import { bodyOf } from './digest.ts'
import { type EntryId, type Operation, operationFacts, PUBLICATION } from './publication.ts'

/** The keys of each turn, in the order of the turns. */
function turnsOf(id: EntryId, operations: readonly Operation[]): readonly (readonly string[])[] {
  const entry = PUBLICATION.find((candidate) => candidate.id === id)
  assert.ok(entry)
  const turns = new Map<number, string[]>()
  for (const [at, operation] of operations.entries()) {
    const turn = entry.turn(operation, at, operations.length)
    turns.set(turn, [...(turns.get(turn) ?? []), operationFacts(operation).destination])
  }
  return [...turns].sort(([a], [b]) => a - b).map(([, keys]) => keys)
}

function put(entry: EntryId, key: string, exclusive: boolean): Operation {
  const options = { contentType: 'text/plain', cacheControl: 'no-cache', exclusive }
  return { to: 'bucket', entry, key, body: bodyOf(Buffer.from(key)), options }
}

test('no document before what proves it, and release.json last, alone', () => {
  const [sums, document] = [KEYS.sums('v1'), KEYS.document('v1')]
  const keys = [`${sums}.minisig`, `${sums}.sig`, sums, `${document}.minisig`, `${document}.sig`, document]
  assert.deepEqual(
    turnsOf(
      'documents',
      keys.map((key) => put('documents', key, true)),
    ),
    [[keys[0], keys[1], keys[3], keys[4]], [sums], [document]],
  )
})

test('the multi-platform tag last, alone', () => {
  const descriptor = { mediaType: 'm', digest: `sha256:${'0'.repeat(64)}`, size: 1 }
  const tags = ['amd64_toy', 'arm_toy', 'toy'].map(
    (repository): Operation => ({ to: 'tag', entry: 'tags', repository, tag: 'v1', descriptor }),
  )
  assert.deepEqual(turnsOf('tags', tags), [['amd64_toy:v1', 'arm_toy:v1'], ['toy:v1']])
})

test('states that come back, what names releases, what leads to them, the signatures of the list, and the list', () => {
  const state = KEYS.state('v1', 1)
  const link = KEYS.stable('x86_64-unknown-linux-musl', 'toy')
  const lists = [
    put('lists', `${state}.minisig`, false),
    put('lists', `${state}.sig`, false),
    put('lists', state, true),
    put('lists', KEYS.publicKey, false),
    put('lists', KEYS.page, false),
    put('lists', KEYS.latest, false),
    put('lists', KEYS.latestOf('extra'), false),
    put('lists', link, false),
    put('lists', `${link}.minisig`, false),
    { to: 'removal', entry: 'lists', key: `${link}.sha256` } as const,
    put('lists', `${KEYS.index}.minisig`, false),
    put('lists', `${KEYS.index}.sig`, false),
    put('lists', KEYS.index, false),
  ]
  assert.deepEqual(turnsOf('lists', lists), [
    [`${state}.minisig`, `${state}.sig`],
    [state],
    [KEYS.publicKey, KEYS.page],
    [KEYS.latest, KEYS.latestOf('extra'), link, `${link}.minisig`, `${link}.sha256`],
    [`${KEYS.index}.minisig`, `${KEYS.index}.sig`],
    [KEYS.index],
  ])
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { exampleDocument, exampleImage } from '../../pages/fixtures/documents.ts'
import { withdrawnStates } from '../../pages/fixtures/states.ts'
import {
  floatingOperations,
  floatingTags,
  nameOf,
  refuseTagsBackwards,
  requireOwn,
  requireOwnTags,
} from './floating.ts'
import type { Registry } from '../../image/types.ts'
import type { States } from '../states/state-document.ts'

const none: States = new Map()
const withdrawn = (...versions: readonly string[]) =>
  withdrawnStates(Object.fromEntries(versions.map((version) => [version, ['no good', null]] as const)))
const release = (version: string, floating: string[] | undefined, changes: object = {}) =>
  exampleDocument(version, { image: { ...exampleImage(version), ...(floating && { floating }), ...changes } })

/** `latest → v1.2.0`, in the order of the index. */
const led = (documents: Parameters<typeof floatingTags>[0], states: States = none) =>
  floatingTags(documents, states).map((tag) => `${nameOf(tag)} → ${tag.version}`)

test('each tag leads to the newest release that names it; names are told apart by place', () => {
  const documents = [
    release('v2.0.0', ['latest', '2']),
    release('v1.3.0', ['latest', '1'], { repository: 'pitcrew/other' }),
    release('v1.2.0', ['latest', '1']),
    release('v1.1.0', ['latest', '1'], { registry: undefined }),
    release('v1.0.0', undefined),
    exampleDocument('v0.9.0', { image: null }),
  ]
  assert.deepEqual(led(documents), [
    'docker.io/pitcrew/other:1 → v1.3.0',
    'docker.io/pitcrew/other:latest → v1.3.0',
    'docker.io/pitcrew/verifier:1 → v1.2.0',
    'docker.io/pitcrew/verifier:2 → v2.0.0',
    'docker.io/pitcrew/verifier:latest → v2.0.0',
    'pitcrew/verifier:1 → v1.1.0',
    'pitcrew/verifier:latest → v1.1.0',
  ])
  assert.deepEqual(led([]), [])
})

test('behind what is withdrawn the next one stands, and behind everything nothing', () => {
  const documents = ['v1.2.0', 'v1.1.0', 'v1.0.0'].map((version) => release(version, ['latest']))
  assert.deepEqual(led(documents, withdrawn('v1.2.0')), ['docker.io/pitcrew/verifier:latest → v1.1.0'])
  assert.deepEqual(led(documents, withdrawn('v1.2.0', 'v1.1.0', 'v1.0.0')), [
    'docker.io/pitcrew/verifier:latest → null',
  ])
})

test('a tag goes back behind what is withdrawn or given up, and behind nothing else', () => {
  const held = () => false
  const at = (version: string | null, tag = 'latest') => [
    { repository: 'a/b', tag, version, digest: version && `sha256:${'0'.repeat(64)}` },
  ]
  const refused = (before: string, after: string | null) =>
    assert.throws(() => refuseTagsBackwards(at(before), at(after), held), {
      code: 'PLAN_CONTRADICTION',
      message: `a/b:latest would go back from ${before} to ${after ?? 'none'}`,
    })
  refused('v1.10.0', 'v1.9.0')
  refused('v1.0.0', null)
  assert.throws(() => refuseTagsBackwards(at('v1.0.0'), undefined, held), { code: 'PLAN_CONTRADICTION' })
  refuseTagsBackwards(at('v1.9.0'), at('v1.10.0'), held)
  refuseTagsBackwards(at('v1.10.0'), at('v1.9.0'), (version) => version === 'v1.10.0')
  refuseTagsBackwards(at(null), at('v1.0.0'), held)
  refuseTagsBackwards(undefined, at('v1.0.0'), held)
})

test("what names somebody else's image is moved only when that is asked for", () => {
  const [own, other] = [`sha256:${'1'.repeat(64)}`, `sha256:${'2'.repeat(64)}`]
  requireOwn('a/b:latest', own, { own: new Set([own]), take: false })
  requireOwn('a/b:latest', other, { own: new Set([own]), take: true })
  assert.throws(() => requireOwn('a/b:latest', other, { own: new Set([own]), take: false }), {
    code: 'CONTRADICTION',
    message: /a\/b:latest names sha256:2+, which is no image of a release here/,
  })
})

test("a version's own tag never moves on, whoever asks", async () => {
  const known = [release('1.2', undefined), release('v1.1.0', ['latest'])]
  const image = { ...exampleImage('v1.2.0'), floating: ['latest', '1.2'] }
  await assert.rejects(requireOwnTags(null, image, known, true), {
    code: 'CONTRADICTION',
    message: "pitcrew/verifier:1.2 would move on, and it is a version's own tag",
  })
  await requireOwnTags(null, { ...image, floating: ['latest', '1'] }, known, false)
})

test("a version's tag in another registry is in nobody's way: a project may have moved", async () => {
  const moved = { location: 'registry.example.org' } as Registry
  const at = (location: string): Registry => ({ ...moved, location, resolveTag: async () => null })
  const old = release('1', undefined, { registry: 'docker.io', tag: '1' })
  const image = { ...exampleImage('v1.2.0'), floating: ['1'] }
  await requireOwnTags(at('registry.example.org'), image, [old], false)
  const refused = { code: 'CONTRADICTION', message: /verifier:1 would move on, and it is a version's own tag/ }
  await assert.rejects(requireOwnTags(at('docker.io'), image, [old], false), refused)
  const now = release('v1.2.0', ['1'], { registry: 'registry.example.org' })
  const operations = floatingOperations(at('registry.example.org'), floatingTags([now], none), [old, now], false)
  assert.equal(operations.length, 1)
  const there = release('v1.2.0', ['1'], { registry: 'docker.io' })
  assert.throws(() => floatingOperations(at('docker.io'), floatingTags([there], none), [old, there], false), refused)
})

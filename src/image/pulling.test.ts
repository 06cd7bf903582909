import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PitlaneError } from '../errors.ts'
import { type Pullable, pulledByAnybody } from './pulling.ts'

const DIGEST = `sha256:${'0'.repeat(64)}`

function reading(answer: () => Promise<Buffer | null>): Pullable {
  const never = () => assert.fail('not asked for')
  return {
    location: 'registry.example.org',
    hasBlob: async () => (await answer()) !== null,
    readManifest: answer,
    openBlob: never,
    resolveTag: never,
    listTags: never,
  }
}

const denies = (code: 'REGISTRY_DENIED' | 'FETCH_FAILED') =>
  reading(() => Promise.reject(new PitlaneError(code, 'no', { hint: 'log in' })))
const holds = (bytes: Buffer | null) => reading(() => Promise.resolve(bytes))

async function pull(anybody: Pullable, self: Pullable | null) {
  const told: string[] = []
  let logins = 0
  const login = () => {
    logins += 1
    return self === null ? assert.fail('nobody logs in for this') : Promise.resolve(self)
  }
  const registry = pulledByAnybody(anybody, login, (repository) => told.push(repository))
  const manifest = await registry.readManifest('team/tool', DIGEST)
  const blob = await registry.hasBlob('team/tool', DIGEST)
  assert.ok(logins <= 1, 'a login is looked for once')
  return { manifest, blob, told }
}

test('what anybody gets, nobody logs in for', async () => {
  const bytes = Buffer.from('theirs')
  assert.deepEqual(await pull(holds(bytes), null), { manifest: bytes, blob: true, told: [] })
  assert.deepEqual(await pull(holds(null), null), { manifest: null, blob: false, told: [] })
})

test('what is denied to others is read with the own login, and told', async () => {
  const bytes = Buffer.from('ours')
  const { told, ...found } = await pull(denies('REGISTRY_DENIED'), holds(bytes))
  assert.deepEqual(found, { manifest: bytes, blob: true })
  assert.deepEqual(told, ['team/tool', 'team/tool'])
})

test('what is denied and not there tells nothing of who may read it', async () => {
  assert.deepEqual(await pull(denies('REGISTRY_DENIED'), holds(null)), { manifest: null, blob: false, told: [] })
})

test('another failure, or no right of our own, is what it is', async () => {
  await assert.rejects(pull(denies('FETCH_FAILED'), null), { code: 'FETCH_FAILED' })
  await assert.rejects(pull(denies('REGISTRY_DENIED'), denies('REGISTRY_DENIED')), { code: 'REGISTRY_DENIED' })
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Bucket } from '../buckets/types.ts'
import { PitlaneError } from '../errors.ts'
import { MEDIA_TYPES } from '../image/media-types.ts'
import type { Registry } from '../image/types.ts'
import { UNCOUNTED } from '../run/meter.ts'
import { bodyOf } from './digest.ts'
import { perform } from './perform.ts'
import { entryOf, type Operation } from './publication.ts'

const body = bodyOf(Buffer.from('{}'))
const digest = `sha256:${body.sha256}`
const repository = 'example/toy'
const operations: readonly Operation[] = [
  { to: 'blob', entry: 'objects', repository, body },
  {
    to: 'manifest',
    entry: 'manifests',
    repository,
    mediaType: MEDIA_TYPES.index,
    bytes: Buffer.from('{}'),
    sha256: body.sha256,
  },
  {
    to: 'tag',
    entry: 'tags',
    repository,
    tag: 'v1.0.0',
    descriptor: { mediaType: MEDIA_TYPES.index, digest, size: body.size },
  },
]

/** Every method of the registry is written down when it is called. */
async function asked(requireHeld: () => Promise<void>): Promise<readonly (string | symbol)[]> {
  const calls: (string | symbol)[] = []
  const registry = new Proxy({} as Registry, {
    get: (_, name) => () => {
      calls.push(name)
      return Promise.resolve(null)
    },
  })
  const bucket = { requireHeld } as unknown as Bucket
  for (const operation of operations)
    await perform({ bucket, registry }, entryOf(operation.entry), operation, UNCOUNTED).catch((error: unknown) => {
      assert.equal((error as PitlaneError).code, 'FENCED')
    })
  return calls
}

test('who has lost the lease of the bucket writes nothing into the registry, which has none of its own', async () => {
  assert.deepEqual(await asked(() => Promise.reject(new PitlaneError('FENCED', 'the lease is over'))), [])
  assert.deepEqual(await asked(() => Promise.resolve()), ['putBlob', 'putManifest', 'putTag'])
})

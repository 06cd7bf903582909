import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { setImmediate as turn } from 'node:timers/promises'
import { test } from 'node:test'
import type { Bucket } from '../buckets/types.ts'
import { bodyOf } from './digest.ts'
import { findContradictions } from './contradictions.ts'
import type { Operation } from './publication.ts'

const OURS = bodyOf(Buffer.from('ours'))
const operations = Array.from(
  { length: 64 },
  (_, place): Operation => ({
    to: 'bucket',
    entry: 'objects',
    key: `k${place}`,
    body: OURS,
    options: { contentType: 'x', cacheControl: 'x', exclusive: true },
  }),
)

/** Answers after so many turns of the event loop, and counts how many wait at once. */
function bucketWith(there: Readonly<Record<string, { readonly text: string; readonly turns: number }>>) {
  const seen = { now: 0, most: 0, asked: 0 }
  const open = async (key: string) => {
    seen.asked += 1
    seen.most = Math.max(seen.most, (seen.now += 1))
    const { text, turns } = there[key] ?? { text: null, turns: 3 }
    for (let left = turns; left > 0; left -= 1) await turn()
    seen.now -= 1
    return text === null ? null : Readable.from([Buffer.from(text)])
  }
  return { seen, bucket: { location: 'there', open } as unknown as Bucket }
}

test('names that are taken are looked for many at a time, each once', async () => {
  const { bucket, seen } = bucketWith({ k3: { text: 'ours', turns: 1 } })
  await findContradictions({ bucket, registry: null }, operations)
  assert.deepEqual([seen.asked, seen.most], [64, 32])
})

test('the first of several contradictions is told, whichever answers first', async () => {
  const { bucket, seen } = bucketWith({ k1: { text: 'theirs', turns: 30 }, k2: { text: 'others', turns: 1 } })
  await assert.rejects(findContradictions({ bucket, registry: null }, operations), {
    code: 'CONTRADICTION',
    message: /^there\/k1 exists with other bytes/,
  })
  assert.ok(seen.asked < 64)
})

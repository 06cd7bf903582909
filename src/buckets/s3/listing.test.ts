import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ListObjectsV2Output } from '@aws-sdk/client-s3'
import { pages } from './listing.ts'

/** Keys of a list that a server gives page by page. */
async function listed(answer: (asked: number) => ListObjectsV2Output): Promise<string[]> {
  let asked = 0
  const address = { bucket: 'b', prefix: '' } as Parameters<typeof pages>[0]['address']
  const keys: string[] = []
  for await (const page of pages({ ask: async () => answer(asked++), address, prefix: '', where: 's3://b' }))
    keys.push(...(page.Contents ?? []).map(({ Key }) => Key ?? ''))
  return keys
}

test('pages follow each other, also behind empty ones', async () => {
  const keys = await listed((asked) => ({
    IsTruncated: asked < 5,
    NextContinuationToken: `after ${asked}`,
    Contents: asked % 2 === 0 ? [] : [{ Key: `k${asked}` }],
  }))
  assert.deepEqual(keys, ['k1', 'k3', 'k5'])
})

test('a server whose list has no end is told, not listened to for ever', async () => {
  const more = { IsTruncated: true, Contents: [{ Key: 'k' }] }
  await assert.rejects(
    listed(() => ({ ...more, NextContinuationToken: 'again' })),
    { code: 'STORAGE_FAILED', message: 's3://b: the server listed no end of its list' },
  )
  await assert.rejects(
    listed((asked) => ({ ...more, Contents: [], NextContinuationToken: `${asked}` })),
    { code: 'STORAGE_FAILED' },
  )
  await assert.rejects(
    listed(() => more),
    { message: 's3://b: the server listed that there is more, but not how to ask for it' },
  )
})

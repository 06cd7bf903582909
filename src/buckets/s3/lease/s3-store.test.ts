import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { test } from 'node:test'
import type { S3Client } from '@aws-sdk/client-s3'
import { parseS3Address } from '../../address.ts'
import { s3LeaseStore } from './s3-store.ts'

test('what somebody has put in the place of a lease is not read when it is longer than one', async () => {
  const body = Readable.from(['never read'])
  const client = {
    send: async () => ({
      Body: Object.assign(body, { transformToString: assert.fail }),
      ContentLength: 5 * 1024 ** 3,
      ETag: '"1"',
      LastModified: new Date(1000),
    }),
  } as unknown as S3Client
  const store = s3LeaseStore(client, parseS3Address('s3://releases'), (attempt) => attempt())
  const there = await store.read('.pitlane-lease')
  assert.deepEqual([there?.text, there?.tag, there?.writtenAt, body.destroyed], ['', '"1"', 1000, true])
})

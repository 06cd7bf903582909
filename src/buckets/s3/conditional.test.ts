import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DeleteObjectCommand, type S3Client } from '@aws-sdk/client-s3'
import { systemClock } from '../../clock.ts'
import { parseS3Address } from '../address.ts'
import { findConditional } from './conditional.ts'

// Garage has no right to write without one to delete: no server at hand can be made to say this.
const keyThatDeletes = (status: number) => {
  const send = (command: unknown) =>
    command instanceof DeleteObjectCommand
      ? Promise.reject(Object.assign(new Error('no'), { name: 'AccessDenied', $metadata: { httpStatusCode: status } }))
      : Promise.resolve({})
  return findConditional({ send } as unknown as S3Client, parseS3Address('s3://bucket/p'), systemClock)
}

test('a key that may not delete is told before anything is put', async () => {
  await assert.rejects(keyThatDeletes(403), /s3:\/\/bucket\/p.*: deleting a probe failed: 403 AccessDenied/)
})

test('a probe that stays behind for another reason is no reason to stop', async () => {
  assert.equal(await keyThatDeletes(503), false)
})

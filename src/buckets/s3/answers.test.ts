import assert from 'node:assert/strict'
import { test } from 'node:test'
import { storageFailure } from './answers.ts'

const answered = (status: number, code: string, message: string) =>
  Object.assign(new Error(message), { name: code, $metadata: { httpStatusCode: status } })

/** The words are those of Garage 2.5, which has one code for all of these. */
for (const [error, hint] of [
  [answered(403, 'AccessDenied', 'Forbidden: Invalid signature'), /secret does not belong to the access key/],
  [answered(403, 'AccessDenied', 'Forbidden: No such key: GK1'), /does not know this access key/],
  [
    answered(403, 'AccessDenied', 'Forbidden: Object quota is reached, maximum objects for this bucket: 415'),
    /is full/,
  ],
  [answered(403, 'AccessDenied', 'Forbidden: Operation is not allowed for this key.'), /^The key lacks a right/],
  [answered(403, 'UnknownError', ''), /^The key is wrong, or lacks a right/],
  [answered(400, 'UnknownError', ''), /in another region/],
  [Object.assign(new Error('no'), { code: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE' }), /certificate is not believed.*ca=/],
] as const)
  test(`what to do about: ${error.message || error.name}`, () => {
    assert.match(storageFailure('writing', 's3://bucket', error).hint ?? '', hint)
  })

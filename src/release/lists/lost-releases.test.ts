import assert from 'node:assert/strict'
import { test } from 'node:test'
import { exampleDocument } from '../../pages/fixtures/documents.ts'
import { requireAsShown } from './lost-releases.ts'
import type { SiteIndex } from './site-index.ts'

const bucket = { location: 'the bucket' }
const shown = (listed: object) => ({
  proven: true,
  index: { releases: [{ version: 'v1.0.0', ...listed }] } as unknown as SiteIndex,
})
const stored = { document: exampleDocument('v1.0.0'), sha256: '0'.repeat(64), bytes: Buffer.alloc(0) }

test('nothing is put beside a version whose document is lost, or an older one than readers were shown', () => {
  assert.throws(() => requireAsShown(bucket, shown({}), 'v1.0.0', null), { code: 'RELEASE_LOST' })
  assert.throws(() => requireAsShown(bucket, shown({ byHand: { revision: 2 } }), 'v1.0.0', stored), {
    code: 'PLAN_CONTRADICTION',
    message: 'v1.0.0 would go back from revision 2 of its document to revision 1',
  })
})

test('what is there as it was shown, was never shown, or only by a list of nobody, is added to', () => {
  requireAsShown(bucket, shown({}), 'v1.0.0', stored)
  requireAsShown(bucket, shown({}), 'v2.0.0', null)
  requireAsShown(bucket, { ...shown({}), proven: false }, 'v1.0.0', null)
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { catalogue } from '../../pages/catalogue.ts'
import { exampleSite } from '../../pages/fixtures/documents.ts'
import { siteIndex } from '../../pages/index-json.ts'
import { parseSiteIndex } from './site-index.ts'

const index = siteIndex(catalogue(exampleSite()), [])
const bytes = (value: unknown) => Buffer.from(JSON.stringify(value))

test('an index is read back as it was made', () => {
  assert.deepEqual(parseSiteIndex(bytes(index), 'index.json'), index)
})

test('a newer format is told as newer, anything else as not an index', () => {
  const newer = { ...index, format: 'pitlane-index/2' }
  assert.throws(() => parseSiteIndex(bytes(newer), 'index.json'), { code: 'STATE_NEWER', message: /pitlane-index\/2/ })
  for (const other of [{ ...index, format: 'x' }, { ...index, serial: -1 }, null, [], 'index']) {
    assert.throws(() => parseSiteIndex(bytes(other), 'index.json'), { code: 'VERIFICATION_FAILED' })
  }
  assert.throws(() => parseSiteIndex(Buffer.from('{'), 'index.json'), {
    code: 'VERIFICATION_FAILED',
    message: /not JSON/,
  })
})

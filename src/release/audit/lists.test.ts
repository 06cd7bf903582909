import assert from 'node:assert/strict'
import { test } from 'node:test'
import { strays } from './lists.ts'

test('while the lists can not be computed, addresses that stay are no version', () => {
  const keys = ['_releases/_latest/x86_64-unknown-linux-musl/toy', '_releases/v0.1.0/x86_64-unknown-linux-musl/toy']
  const objects = new Map(keys.map((key) => [key, { key, size: 1, modifiedAt: 0 }]))
  const versions = {
    differences: [],
    stored: [],
    marks: new Map(),
    known: new Set<string>(),
    unread: new Set<string>(),
    leaving: new Set<string>(),
  }
  const names = strays(objects, versions, { files: null, site: null }).map(({ name }) => name)
  assert.deepEqual(names, ['_releases/v0.1.0/'])
})

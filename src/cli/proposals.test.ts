import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Context } from './context.ts'
import { revisions, versions } from './proposals.ts'

const HOSTILE = ['v1;touch${IFS}x', 'v$(id)', 'v`id`', 'v 1', 'v1\n:files', '\u001b[2Jv', '', '~']

test('what a shell would take for more than a word is not proposed, whoever called a tag or a version so', async () => {
  const names = [...HOSTILE, 'v1.0.0', 'feature/x', 'v1.1.0+a_b']
  const index = { releases: names.map((version) => ({ version })) }
  const context = {
    cwd: '/',
    process: { argv: ['pitlane', '--from', 'folder'] },
    project: async () => ({ repository: { tags: async () => names.map((name) => ({ name })) } }),
    bucket: async () => ({ read: async () => Buffer.from(JSON.stringify(index)) }),
  } as unknown as Context
  for (const propose of [revisions, versions]) {
    assert.deepEqual([...(await propose(context))].sort(), ['feature/x', 'v1.0.0', 'v1.1.0+a_b'])
  }
})

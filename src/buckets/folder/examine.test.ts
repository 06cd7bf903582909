import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { systemClock } from '../../clock.ts'
import { examineFolder } from './examine.ts'
import { leaseFolder } from './lease.ts'

function folder(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'pitlane-examine-'))
  t.after(() => rmSync(path, { recursive: true }))
  return path
}

async function told(root: string): Promise<Record<string, string>> {
  const found: Record<string, string> = {}
  for await (const { what, result } of examineFolder(root, systemClock)) found[what] = result
  return found
}

test('a folder is written to, read back and locked, and nothing of that stays', async (t) => {
  const root = folder(t)
  const { room: _, ...found } = await told(root)
  assert.deepEqual(found, {
    'reach the bucket': 'good',
    'write an object': 'good',
    'lock it': 'good',
    'addresses that stay': 'good',
  })
  assert.deepEqual(readdirSync(root), [])
})

test('a folder that is not there yet is not made', async (t) => {
  const root = folder(t)
  const { room: _, ...found } = await told(join(root, 'not', 'yet'))
  assert.deepEqual(found, { 'reach the bucket': 'good', 'addresses that stay': 'good' })
  assert.deepEqual(readdirSync(root), [])
})

test('a file in the place of the folder, or above it, is told', async () => {
  assert.equal((await told('/dev/null'))['write an object'], 'bad')
})

test('who publishes there meanwhile is no fault', async (t) => {
  const root = folder(t)
  const request = { wait: 0, onWait: () => {}, onUnsupported: () => {}, signal: new AbortController().signal }
  const lease = await leaseFolder(root, request, systemClock)
  try {
    assert.equal((await told(root))['lock it'], 'good')
  } finally {
    await lease.release()
  }
})

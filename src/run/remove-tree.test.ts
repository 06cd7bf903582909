import assert from 'node:assert/strict'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { removeTree } from './remove-tree.ts'

/** Root may remove everything: the test becomes somebody else for a while. */
async function withoutRoot(folder: string, work: () => Promise<void>): Promise<void> {
  if (process.geteuid?.() !== 0) return work()
  chmodSync(folder, 0o777)
  process.seteuid?.(65_534)
  try {
    await work()
  } finally {
    process.seteuid?.(0)
  }
}

test('folders that a step made read-only are removed, and what links point to is left alone', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'pitlane-remove-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  await withoutRoot(folder, async () => {
    const outside = join(folder, 'outside')
    mkdirSync(outside)
    writeFileSync(join(outside, 'kept'), 'kept')
    chmodSync(outside, 0o555)
    const tree = join(folder, 'tree')
    mkdirSync(join(tree, 'cache', 'module'), { recursive: true })
    writeFileSync(join(tree, 'cache', 'module', 'file'), '', { mode: 0o444 })
    symlinkSync(outside, join(tree, 'cache', 'link'))
    chmodSync(join(tree, 'cache', 'module'), 0o555)
    chmodSync(join(tree, 'cache'), 0o500)
    await removeTree(tree)
    assert.ok(!existsSync(tree))
    assert.equal(readFileSync(join(outside, 'kept'), 'utf8'), 'kept')
    assert.equal(statSync(outside).mode & 0o777, 0o555)
    await removeTree(join(folder, 'was never there'))
  })
})

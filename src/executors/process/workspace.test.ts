import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { mountsBelow, removeTree } from './workspace.ts'

test('mount points at and below a folder, and no others', () => {
  const info = ['/', '/area', '/area/a\\040b', '/area/a\\040b/dev', '/area/a\\040bc', '/area/a']
    .map((point) => `36 35 98:0 / ${point} rw,noatime - ext4 /dev/root rw`)
    .join('\n')
  assert.deepEqual(mountsBelow(`${info}\n`, '/area/a b'), ['/area/a b', '/area/a b/dev'])
  assert.deepEqual(mountsBelow(`${info}\n`, '/elsewhere'), [])
})

test('links are removed, not what they lead to; deep and read-only folders go', async () => {
  const parent = mkdtempSync(join(tmpdir(), "pitlane it's "))
  const tree = join(parent, 'tree')
  mkdirSync(join(tree, 'closed'), { recursive: true })
  writeFileSync(join(parent, 'kept'), 'kept')
  symlinkSync(parent, join(tree, 'closed', 'link'))
  // 6000 bytes of path, more than a system call takes.
  const deep = 'i=0; while [ $i -lt 30 ]; do mkdir "$1"; cd -P "$1"; i=$((i+1)); done'
  execFileSync('/bin/sh', ['-ec', deep, 'sh', 'd'.repeat(200)], { cwd: tree })
  execFileSync('chmod', ['0', join(tree, 'closed')])
  await removeTree(tree, '/bin/sh')
  assert.ok(!existsSync(tree))
  assert.ok(existsSync(join(parent, 'kept')))
  await removeTree(tree, '/bin/sh')
  rmSync(parent, { recursive: true })
})

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { makeStateFolder, stateFolder } from './folder.ts'

function project(t: { after(fn: () => void): void }): string {
  const folder = mkdtempSync(join(tmpdir(), 'pitlane-folder-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

test('the state folder is private, ignored by git, and made again without complaint', (t) => {
  const folder = stateFolder(project(t))
  makeStateFolder(folder)
  makeStateFolder(folder)
  assert.equal(statSync(folder.root).mode & 0o777, 0o700)
  assert.equal(readFileSync(join(folder.root, '.gitignore'), 'utf8'), '*\n')
})

test('what git reads is mended where a full disk left it empty, and not touched otherwise', (t) => {
  const folder = stateFolder(project(t))
  makeStateFolder(folder)
  const path = join(folder.root, '.gitignore')
  utimesSync(path, 1, 1)
  makeStateFolder(folder)
  assert.equal(statSync(path).mtimeMs, 1000)
  writeFileSync(path, '')
  makeStateFolder(folder)
  assert.equal(readFileSync(path, 'utf8'), '*\n')
})

test('a link in its place is refused, and nothing is written where it leads', (t) => {
  const root = project(t)
  mkdirSync(join(root, 'elsewhere'))
  symlinkSync('elsewhere', join(root, '.pitlane'))
  assert.throws(() => makeStateFolder(stateFolder(root)), { code: 'STORAGE_FAILED', message: /is not a folder/ })
  assert.ok(!existsSync(join(root, 'elsewhere', 'builds')))
})

test('links and pipes in the place of its files are refused, and nothing is written where they lead', (t) => {
  const root = project(t)
  writeFileSync(join(root, 'precious'), 'precious')
  const folder = stateFolder(root)
  makeStateFolder(folder)
  for (const name of ['.gitignore', 'lock', 'lock.holder', 'state.sqlite', 'state.sqlite-wal']) {
    const path = join(folder.root, name)
    for (const put of [
      () => symlinkSync('../precious', path),
      () => assert.equal(spawnSync('mkfifo', [path]).status, 0),
    ]) {
      rmSync(path, { force: true })
      put()
      assert.throws(() => makeStateFolder(folder), { code: 'STORAGE_FAILED', message: /is not a file$/ }, name)
    }
    rmSync(path)
  }
  assert.equal(readFileSync(join(root, 'precious'), 'utf8'), 'precious')
})

import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { resolveOutput } from './output-path.ts'

const top = realpathSync(mkdtempSync(join(tmpdir(), 'pitlane-path-')))
after(() => rmSync(top, { recursive: true }))
const workspace = join(top, 'workspace')
const store = join(top, 'nix/store')
mkdirSync(join(workspace, 'out/bin'), { recursive: true })
mkdirSync(join(store, 'abc-tool/bin'), { recursive: true })
mkdirSync(join(top, 'workspace-other'))
for (const file of ['workspace/out/bin/tool', 'nix/store/abc-tool/bin/tool', 'secret', 'workspace-other/tool']) {
  writeFileSync(join(top, file), file)
}
symlinkSync(workspace, join(top, 'alias'))
const link = (target: string, name: string) => symlinkSync(target, join(workspace, name))
link('out', 'folder')
link('folder/bin/tool', 'chain')
link(join(workspace, 'out/bin/tool'), 'absolute')
link(join(top, 'alias/out/bin/tool'), 'through-alias')
link('../secret', 'above')
link(join(top, 'secret'), 'outside')
link('..', 'parent')
link('../workspace/out/bin/tool', 'out-and-in')
link(join(top, 'workspace-other'), 'neighbour')
link(`${workspace}/../secret`, 'disguised')
link('loop-b', 'loop-a')
link('loop-a', 'loop-b')
link('nowhere', 'dangling')
link(join(store, 'abc-tool'), 'result')
symlinkSync(join(top, 'secret'), join(store, 'abc-tool/bin/escape'))
symlinkSync('../../../secret', join(store, 'abc-tool/up'))
symlinkSync('../../abc-tool/bin/tool', join(store, 'abc-tool/bin/sibling'))

const find = (path: string, from = workspace) => resolveOutput(from, path, [store])
const tool = join(workspace, 'out/bin/tool')

test('plain paths and links inside the workspace', async () => {
  for (const path of ['out/bin/tool', './out//bin/tool', 'folder/bin/tool', 'chain', 'absolute']) {
    assert.equal(await find(path), tool, path)
  }
})

test('the workspace may itself be reached by a link', async () => {
  assert.equal(await find('absolute', join(top, 'alias')), tool)
  assert.equal(await find('through-alias', join(top, 'alias')), tool)
  await assert.rejects(find('through-alias'), { code: 'OUTPUT_UNFIT' })
})

test('a way that leaves the workspace is refused, even when it comes back', async () => {
  for (const path of ['above', 'outside', 'parent/secret', 'parent', 'out-and-in', 'neighbour/tool', 'disguised']) {
    await assert.rejects(find(path), { code: 'OUTPUT_UNFIT', message: /leads out of the stage folder, to \// }, path)
  }
})

test('absent files and links to nothing are absent', async () => {
  for (const path of ['nothing', 'out/nothing/tool', 'out/bin/tool/more', 'dangling', 'dangling/more']) {
    assert.equal(await find(path), null, path)
  }
})

test('links in a circle are refused', async () => {
  await assert.rejects(find('loop-a'), { code: 'OUTPUT_UNFIT', message: /in circles/ })
})

test('a link into an immutable folder is followed, and not out of it again', async () => {
  assert.equal(await find('result/bin/tool'), join(store, 'abc-tool/bin/tool'))
  assert.equal(await find('result/bin/sibling'), join(store, 'abc-tool/bin/tool'))
  for (const path of ['result/bin/escape', 'result/up']) {
    await assert.rejects(find(path), { code: 'OUTPUT_UNFIT' }, path)
  }
  await assert.rejects(resolveOutput(workspace, 'result/bin/tool', []), { code: 'OUTPUT_UNFIT' })
})

test('an absent workspace is a failure of storage', async () => {
  await assert.rejects(find('x', join(top, 'gone')), {
    code: 'STORAGE_FAILED',
    message: /gone: reading failed: ENOENT/,
  })
})

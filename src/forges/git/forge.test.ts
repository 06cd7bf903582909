import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { gitForge } from './forge.ts'

const ENV = {
  PATH: process.env['PATH'] ?? '',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_AUTHOR_NAME: 'Toy',
  GIT_AUTHOR_EMAIL: 'toy@example.org',
  GIT_COMMITTER_NAME: 'Toy',
  GIT_COMMITTER_EMAIL: 'toy@example.org',
  REMOTE_USER: 'ada',
}

function world(t: TestContext) {
  // A quote in the path: the hook is a shell script.
  const root = mkdtempSync(join(tmpdir(), "pitlane-forge-'"))
  t.after(() => rmSync(root, { recursive: true, force: true }))
  const git = (cwd: string, ...args: string[]) => {
    const { status, stdout, stderr } = spawnSync('git', args, { cwd, env: { ...ENV, HOME: root }, encoding: 'utf8' })
    assert.equal(status, 0, stderr)
    return stdout.trim()
  }
  const bare = join(root, 'git', 'ada', 'hello.git')
  mkdirSync(bare, { recursive: true })
  git(bare, 'init', '--quiet', '--bare', '--initial-branch=main')
  const work = join(root, 'work')
  git(root, 'clone', '--quiet', bare, work)
  const push = (...refs: string[]) => git(work, 'push', '--quiet', 'origin', ...refs)
  const commit = (message: string) => {
    git(work, 'commit', '--quiet', '--allow-empty', `--message=${message}`)
    return git(work, 'rev-parse', 'HEAD')
  }
  const incoming = join(root, 'incoming')
  return {
    root,
    bare,
    incoming,
    git: (...args: string[]) => git(work, ...args),
    push,
    commit,
    forge: gitForge(join(root, 'git'), incoming),
  }
}

const unread: string[] = []
const onUnread = (note: string) => void unread.push(note)

test('what is pushed to an enabled repository is told until it is confirmed', async (t) => {
  const { forge, push, commit, git } = world(t)
  assert.deepEqual(await forge.names(), ['ada/hello'])
  await forge.enable('ada/hello')
  await forge.enable('ada/hello')
  const first = commit('first')
  // An object of its own, which names the commit.
  git('tag', '--annotate', '--message=one', 'v1')
  push('HEAD:main', 'v1')
  const [told] = await forge.told(onUnread)
  assert.ok(told)
  assert.equal(told.repository, 'ada/hello')
  assert.equal(told.actor, 'ada')
  const heads = [
    { ref: 'refs/heads/main', commit: first },
    { ref: 'refs/tags/v1', commit: first },
  ]
  assert.deepEqual(told.heads, heads)
  assert.deepEqual(await forge.heads('ada/hello'), heads)
  assert.deepEqual(await forge.told(onUnread), [told])
  await forge.confirm(told)
  await forge.confirm(told)
  assert.deepEqual(await forge.told(onUnread), [])
})

test('a ref that is removed is nothing to check, and a repository that is disabled tells nothing', async (t) => {
  const { forge, push, commit } = world(t)
  await forge.enable('ada/hello')
  commit('first')
  push('HEAD:main', 'HEAD:other')
  for (const told of await forge.told(onUnread)) await forge.confirm(told)
  push(':other')
  assert.deepEqual(
    (await forge.told(onUnread)).map(({ heads }) => heads),
    [[]],
  )
  for (const told of await forge.told(onUnread)) await forge.confirm(told)
  await forge.disable('ada/hello')
  commit('second')
  push('HEAD:main')
  assert.deepEqual(await forge.told(onUnread), [])
})

test('a hook of somebody else is neither replaced nor removed', async (t) => {
  const { forge, bare } = world(t)
  const hook = join(bare, 'hooks', 'post-receive')
  writeFileSync(hook, '#!/bin/sh\n', { mode: 0o755 })
  await assert.rejects(forge.enable('ada/hello'), { code: 'FILE_EXISTS' })
  await forge.disable('ada/hello')
  assert.ok(existsSync(hook))
})

test('a file that tells of no push is put aside, and told once', async (t) => {
  const { forge, incoming } = world(t)
  await forge.enable('ada/hello')
  for (const [name, text] of [
    ['path', '../../etc\nada\n'],
    ['empty', ''],
    ['long', `ada/hello\nada\n${'x'.repeat(2_000_000)}`],
  ] as const)
    writeFileSync(join(incoming, `${name}.told`), text)
  unread.length = 0
  assert.deepEqual(await forge.told(onUnread), [])
  assert.equal(unread.length, 3)
  assert.deepEqual(await forge.told(onUnread), [])
  assert.equal(unread.length, 3)
  assert.deepEqual(readdirSync(incoming).sort(), ['empty.told.unread', 'long.told.unread', 'path.told.unread'])
})

test('a name that is no repository leads nowhere', async (t) => {
  const { forge, root } = world(t)
  for (const name of ['ada', 'ada/../hello', '../git/ada/hello', 'ada/hello.git', 'ada/none', ''])
    assert.throws(() => forge.open(name), { code: 'NOT_FOUND' }, name)
  mkdirSync(join(root, 'git', 'ada', 'folder.git'))
  assert.deepEqual(await forge.names(), ['ada/hello'])
})

import assert from 'node:assert/strict'
import * as fs from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { refused, World } from '../../../test/contracts/git-world.ts'
import { repositoryContract } from '../../../test/contracts/repository.contract.ts'
import { actorOf } from './actor.ts'
import { findRepository } from './repository.ts'

/** Variables of the process for one test; undefined removes one. */
function withVariables(t: TestContext, variables: Readonly<Record<string, string | undefined>>): void {
  for (const [name, value] of Object.entries(variables)) {
    const before = process.env[name]
    if (value === undefined) Reflect.deleteProperty(process.env, name)
    else process.env[name] = value
    t.after(() => {
      if (before === undefined) Reflect.deleteProperty(process.env, name)
      else process.env[name] = before
    })
  }
}

repositoryContract('git', (root) => findRepository(root, null))

test('the repository is found from any folder inside it', (t) => {
  const world = new World(t)
  world.commit('first', { 'pitlane.yaml': '', 'a/b/c': '' })
  assert.equal(findRepository(join(world.root, 'a/b'), 'pitlane.yaml').root, world.root)
  assert.equal(findRepository(join(world.root, '.git/hooks'), 'pitlane.yaml').root, world.root)
  fs.symlinkSync(join(world.root, 'a'), join(world.home, 'link'))
  assert.equal(findRepository(join(world.home, 'link/b'), null).root, world.root)
})

test('a linked working tree is a repository', async (t) => {
  const world = new World(t)
  const commit = world.commit('first', { 'pitlane.yaml': '' })
  world.git('worktree', 'add', '--quiet', '--detach', join(world.home, 'linked'))
  const linked = findRepository(join(world.home, 'linked'), 'pitlane.yaml')
  assert.equal((await linked.source('HEAD')).commit, commit)
  assert.deepEqual(await linked.changes(5), [])
})

test('outside of one, without its file, or with its file elsewhere, it is said', async (t) => {
  const world = new World(t)
  assert.throws(() => findRepository(world.home, null), refused('NOT_A_REPOSITORY', world.home, 'git init'))
  assert.throws(() => findRepository(join(world.home, 'nope'), null), refused('NOT_A_REPOSITORY', 'nope', 'ENOENT'))
  assert.throws(() => findRepository(world.root, 'pitlane.yaml'), refused('NOT_A_REPOSITORY', 'pitlane init'))
  world.commit('first', { 'sub/pitlane.yaml': '' })
  assert.throws(
    () => findRepository(join(world.root, 'sub'), 'pitlane.yaml'),
    refused('NOT_A_REPOSITORY', "mv 'sub/pitlane.yaml'"),
  )
  fs.writeFileSync(join(world.home, 'pitlane.yaml'), '')
  assert.throws(() => findRepository(world.home, 'pitlane.yaml'), refused('NOT_A_REPOSITORY', 'is there'))
  // A .git that is none must not make git look for another repository further up.
  fs.mkdirSync(join(world.root, 'inner/.git'), { recursive: true })
  await assert.rejects(
    findRepository(join(world.root, 'inner'), null).source('HEAD'),
    refused('NOT_A_REPOSITORY', 'inner'),
  )
})

test("git's own variables don't lead elsewhere", async (t) => {
  const world = new World(t)
  const other = new World(t)
  const commit = world.commit('first')
  other.commit('other')
  withVariables(t, {
    GIT_DIR: join(other.root, '.git'),
    GIT_WORK_TREE: other.root,
    GIT_INDEX_FILE: '/nonexistent/index',
    GIT_OBJECT_DIRECTORY: join(other.root, '.git/objects'),
    GIT_CONFIG_COUNT: '1',
    GIT_CONFIG_KEY_0: 'core.bare',
    GIT_CONFIG_VALUE_0: 'true',
  })
  const repository = findRepository(world.root, null)
  assert.equal((await repository.source('HEAD')).commit, commit)
  assert.deepEqual(await repository.changes(5), [])
})

test('no program of the repository is started', async (t) => {
  const world = new World(t)
  const commit = world.commit('first')
  const trap = join(world.home, 'trap')
  fs.writeFileSync(trap, `#!/bin/sh\ntouch ${world.home}/ran\n`, { mode: 0o755 })
  for (const hook of ['post-checkout', 'post-index-change', 'fsmonitor-watchman'])
    fs.copyFileSync(trap, join(world.root, '.git/hooks', hook))
  world.git('config', 'core.fsmonitor', trap)
  world.git('config', 'core.pager', trap)
  const repository = findRepository(world.root, null)
  await repository.source('HEAD')
  await repository.tags()
  await repository.changes(5)
  await repository.checkout(commit, join(world.home, 'out'))

  // What is missing, git would fetch from whoever promised it.
  world.git('config', 'core.repositoryFormatVersion', '1')
  world.git('config', 'extensions.partialClone', 'origin')
  world.git('config', 'remote.origin.url', `ext::${trap}`)
  world.git('config', 'remote.origin.promisor', 'true')
  world.git('config', 'protocol.ext.allow', 'always')
  await assert.rejects(findRepository(world.root, null).source('f'.repeat(40)))
  assert.equal(fs.existsSync(join(world.home, 'ran')), false)
})

test('without git it says what to install', async (t) => {
  const world = new World(t)
  world.commit('first')
  withVariables(t, { PATH: join(world.home, 'empty') })
  const repository = findRepository(world.root, null)
  await assert.rejects(repository.source('HEAD'), refused('GIT_FAILED', 'not installed', 'apt install git'))
  await assert.rejects(repository.changes(1), refused('GIT_FAILED', 'not installed'))
  await assert.rejects(repository.tags(), refused('GIT_FAILED', 'not installed'))
  await assert.rejects(
    repository.checkout('0'.repeat(40), join(world.home, 'out')),
    refused('GIT_FAILED', 'not installed'),
  )
})

test("another user's repository is explained", async (t) => {
  if (process.getuid?.() !== 0) return t.skip('needs root to give a repository to another user')
  const world = new World(t)
  world.commit('first')
  fs.chownSync(world.root, 12345, 12345)
  fs.chownSync(join(world.root, '.git'), 12345, 12345)
  withVariables(t, { HOME: world.home, XDG_CONFIG_HOME: undefined, SUDO_UID: undefined })
  const repository = findRepository(world.root, null)
  for (const attempt of [() => repository.source('HEAD'), () => repository.tags(), () => repository.changes(5)])
    await assert.rejects(attempt, refused('GIT_FAILED', 'another user', `safe.directory '${world.root}'`))
  fs.writeFileSync(join(world.home, '.gitconfig'), `[safe]\n\tdirectory = ${world.root}\n`)
  assert.equal((await repository.source('HEAD')).subject, 'first')
})

test('many calls at once, and a large tree, are read in whole', async (t) => {
  const world = new World(t)
  const files = Object.fromEntries(Array.from({ length: 800 }, (_, n) => [`d${n % 40}/f${n}`, `${n}`.repeat(n)]))
  const commit = world.commit('many', files)
  const repository = findRepository(world.root, null)
  await Promise.all([0, 1, 2].map((n) => repository.checkout(commit, join(world.home, `out${n}`))))
  for (const [path, content] of Object.entries(files))
    assert.equal(fs.readFileSync(join(world.home, 'out1', path), 'utf8'), content)
})

test('the actor is who git says, or the user of the machine', async (t) => {
  const world = new World(t)
  withVariables(t, {
    HOME: world.home,
    XDG_CONFIG_HOME: undefined,
    GIT_COMMITTER_NAME: undefined,
    GIT_COMMITTER_EMAIL: undefined,
  })
  assert.match(await actorOf(world.root), /^\S+$/)
  world.git('config', 'user.email', 'ada@example.org')
  assert.equal(await actorOf(world.root), 'ada@example.org')
  world.git('config', 'user.name', 'Ada\nL')
  assert.equal(await actorOf(world.root), 'Ada L <ada@example.org>')
  // As for git, what is set wins over what is configured, each by itself; empty is not set.
  withVariables(t, { GIT_COMMITTER_NAME: 'Grace', GIT_COMMITTER_EMAIL: '' })
  assert.equal(await actorOf(world.root), 'Grace <ada@example.org>')
  withVariables(t, { GIT_COMMITTER_NAME: 'Grace', GIT_COMMITTER_EMAIL: 'grace@example.org' })
  assert.equal(await actorOf(world.root), 'Grace <grace@example.org>')
})

/** What every repository has to do, on real git repositories made in temporary folders. */
import assert from 'node:assert/strict'
import * as fs from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Repository } from '../../src/forges/types.ts'
import { checkoutContract } from './checkout.contract.ts'
import { type Check, EPOCH, refused, World } from './git-world.ts'
import { tagContract } from './tags.contract.ts'

export function repositoryContract(name: string, open: (root: string) => Repository): void {
  const check: Check = (what, body, init = []) =>
    test(`${name}: ${what}`, async (t) => {
      const world = new World(t, init)
      await body(open(world.root), world)
    })

  check('a commit is what git says it is', async (repository, world) => {
    world.commit('first')
    const commit = world.commit('Second line\n\nand more')
    const expected = {
      commit,
      tree: world.git('rev-parse', 'HEAD^{tree}'),
      tag: null,
      commitTime: EPOCH + 60,
      subject: 'Second line',
      tagMessage: null,
    }
    for (const revision of [
      'HEAD',
      'main',
      'refs/heads/main',
      commit,
      commit.toUpperCase(),
      commit.slice(0, 9),
      'HEAD~0',
    ])
      assert.deepEqual(await repository.source(revision), expected, revision)
    assert.equal((await repository.source('HEAD~1')).subject, 'first')
    assert.equal((await repository.source(`${commit}^`)).subject, 'first')
  })

  check('what is no revision is refused, with what it may have been', async (repository, world) => {
    world.commit('first')
    for (const tag of ['v1.0.0', 'v1.0.1', 'v1.1.0', 'v2.0.0', 'unlike-the-others']) world.git('tag', tag)
    await assert.rejects(
      repository.source('v1.0.2'),
      refused('REVISION_UNKNOWN', "'v1.0.2'", /mean 'v1\.0\.0', 'v1\.0\.1', 'v1\.1\.0'\?/),
    )
    await assert.rejects(repository.source('0000000000'), refused('REVISION_UNKNOWN'))
    await assert.rejects(repository.source('0'.repeat(40)), refused('REVISION_UNKNOWN'))
    const never = [
      '',
      '-x',
      '--output=/tmp/x',
      'a b',
      'a..b',
      '@',
      '@{-1}',
      'HEAD:file',
      ':/first',
      'main^{/first}',
      'a\nb',
      'a\0b',
    ]
    for (const revision of [...never, 'x'.repeat(2000), 'a.lock', '/a', '~1', '../x', 'a\u001b[31m'])
      await assert.rejects(repository.source(revision), refused('REVISION_UNKNOWN', 'cannot be a revision'), revision)
    assert.equal(await repository.tagCommit('v9'), null)
    assert.equal(await repository.tagCommit('-x'), null)
    assert.equal(await repository.tagCommit('v1*'), null)
  })

  check('a repository without a commit says so', async (repository) => {
    await assert.rejects(repository.source('HEAD'), refused('REVISION_UNKNOWN', 'no commit'))
    assert.deepEqual(await repository.tags(), [])
    assert.deepEqual(await repository.changes(10), [])
  })

  check('a beginning that fits more than one commit is ambiguous', async (repository, world) => {
    const first = world.commit('0')
    const seen = new Map([[first.slice(0, 4), first]])
    // Four digits: 65536 possibilities, so a collision comes after some hundred commits; made as bare objects, it takes no time.
    const tree = world.git('rev-parse', 'HEAD^{tree}')
    const commits = Array.from(
      { length: 1500 },
      (_, n) => `commit refs/heads/n${n}\ncommitter A <a@b> ${EPOCH + n} +0000\ndata 1\nx\nM 040000 ${tree} \n\n`,
    )
    world.gitWith(commits.join(''), 'fast-import', '--quiet')
    let ambiguous: string | undefined
    for (const id of world.git('for-each-ref', '--format=%(objectname)', 'refs/heads').split('\n')) {
      const short = id.slice(0, 4)
      if (seen.has(short) && seen.get(short) !== id) ambiguous = short
      seen.set(short, id)
    }
    assert.ok(ambiguous !== undefined)
    await assert.rejects(
      repository.source(ambiguous),
      refused('REVISION_UNKNOWN', 'more than one object', 'more digits'),
    )
  })

  check('a shallow clone says that it is shallow', async (_, world) => {
    const first = world.commit('first')
    world.git('tag', 'v1')
    world.commit('second')
    world.git('clone', '--quiet', '--depth=1', '--no-tags', `file://${world.root}`, join(world.home, 'shallow'))
    const shallow = open(join(world.home, 'shallow'))
    assert.equal((await shallow.source('HEAD')).subject, 'second')
    assert.equal((await shallow.source('origin/main')).subject, 'second')
    for (const revision of [first, 'v1', 'HEAD~1'])
      await assert.rejects(shallow.source(revision), refused('SHALLOW_CLONE', 'git fetch --unshallow'), revision)
  })

  check('a file at a commit: its bytes, its absence, its limit', async (repository, world) => {
    const content = Buffer.from([0, 255, 10, 13, 10])
    fs.symlinkSync('a/b', join(world.root, 'link'))
    const first = world.commit('first', { 'a/b': content, 'pitlane.yaml': 'name: x\n', 'a/c/d': '' })
    world.commit('second', { 'pitlane.yaml': 'name: y\n' })
    assert.deepEqual(await repository.file(first, 'a/b', 5), content)
    assert.equal(String(await repository.file(first, 'pitlane.yaml', 100)), 'name: x\n')
    assert.deepEqual(await repository.file(first, 'a/c/d', 0), Buffer.alloc(0))
    for (const path of ['nope', 'a', 'a/nope', 'a/b/c', 'nope/b', 'pitlane.yml'])
      assert.equal(await repository.file(first, path, 100), null, path)
    await assert.rejects(repository.file(first, 'a/b', 4), refused('CONFIG_INVALID', 'a/b', '5 bytes'))
    await assert.rejects(repository.file(first, 'link', 100), refused('CONFIG_INVALID', 'symbolic link'))
    await assert.rejects(repository.file('0'.repeat(40), 'a', 100), refused('GIT_FAILED'))
  })

  check('changes are named, at most as many as asked for', async (repository, world) => {
    world.commit('first', { a: '1', b: '1', 'with space': '1', '.gitignore': 'ignored\n' })
    assert.deepEqual(await repository.changes(10), [])
    fs.writeFileSync(join(world.root, 'a'), '2')
    fs.renameSync(join(world.root, 'b'), join(world.root, 'é'))
    fs.writeFileSync(join(world.root, 'new\nline'), '')
    fs.writeFileSync(join(world.root, 'ignored'), '')
    world.git('add', 'é')
    fs.rmSync(join(world.root, 'with space'))
    const before = fs.statSync(join(world.root, '.git/index')).mtimeMs
    assert.deepEqual((await repository.changes(10)).toSorted(), ['a', 'b', 'new\nline', 'with space', 'é'])
    assert.equal((await repository.changes(2)).length, 2)
    assert.equal(fs.statSync(join(world.root, '.git/index')).mtimeMs, before)
  })

  tagContract(check)
  checkoutContract(check)
}

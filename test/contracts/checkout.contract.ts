/** Checkouts of a commit: exactly its files, and nothing anywhere else. */
import assert from 'node:assert/strict'
import * as fs from 'node:fs'
import { join } from 'node:path'
import { type Check, EPOCH, refused, snapshot } from './git-world.ts'

export function checkoutContract(check: Check): void {
  check('a checkout has exactly the files of the commit', async (repository, world) => {
    const large = Buffer.alloc(500_000, 'large')
    fs.symlinkSync('../outside', join(world.root, 'link'))
    fs.writeFileSync(join(world.root, 'run.sh'), 'x', { mode: 0o755 })
    const commit = world.commit('first', { a: 'one', 'deep/er/b': 'two', empty: '', large })
    world.commit('second', { a: 'changed' })
    fs.writeFileSync(join(world.root, 'untracked'), '')
    const folder = join(world.home, 'out/workspace')
    const umask = process.umask(0o077)
    try {
      await repository.checkout(commit, folder)
    } finally {
      process.umask(umask)
    }
    assert.deepEqual(snapshot(folder), [
      'a 644 one',
      'deep/ 755',
      'deep/er/ 755',
      'deep/er/b 644 two',
      'empty 644 ',
      `large 644 ${String(large)}`,
      'link -> ../outside',
      'run.sh 755 x',
    ])
    assert.equal(fs.statSync(folder).mode & 0o777, 0o755)
    for (const path of ['', 'a', 'deep', 'link'])
      assert.equal(fs.lstatSync(join(folder, path)).mtimeMs, EPOCH * 1000, path)
    assert.deepEqual(fs.readdirSync(join(world.home, 'out')), ['workspace'])
  })

  check('a checkout leaves index and working tree alone', async (repository, world) => {
    const commit = world.commit('first', { a: 'one' })
    fs.writeFileSync(join(world.root, 'a'), 'dirty')
    const before = snapshot(world.root)
    await repository.checkout(commit, join(world.home, 'out'))
    assert.deepEqual(snapshot(world.root), before)
  })

  check('an object with other content than its id says is refused, of whatever kind', async (repository, world) => {
    const commit = world.commit('first', { 'folder/a': 'one' })
    const other = world.commit('second', { 'folder/a': 'two' })
    const pathOf = (name: string) => {
      const id = world.git('rev-parse', name)
      return join(world.root, '.git/objects', id.slice(0, 2), id.slice(2))
    }
    for (const part of ['', '^{tree}', ':folder', ':folder/a']) {
      const [path, folder] = [pathOf(commit + part), join(world.home, 'out')]
      const kept = fs.readFileSync(path)
      fs.chmodSync(path, 0o644)
      fs.copyFileSync(pathOf(other + part), path)
      await assert.rejects(repository.checkout(commit, folder), refused('GIT_FAILED', 'other content', 'fsck'), part)
      assert.equal(fs.existsSync(folder), false)
      fs.writeFileSync(path, kept)
    }
    await repository.checkout(commit, join(world.home, 'out'))
  })

  check('no configuration or attribute changes the content', async (repository, world) => {
    const commit = world.commit('first', {
      text: 'a\nb\n',
      ident: '$Id$ $Format:%H$\n',
      hidden: 'x',
      '.gitattributes': '* text=auto eol=crlf ident export-subst\nhidden export-ignore\nfiltered filter=evil\n',
      filtered: 'raw\n',
    })
    world.git('config', 'core.autocrlf', 'true')
    world.git('config', 'filter.evil.smudge', `touch ${join(world.home, 'ran')}; cat`)
    world.git('config', 'filter.evil.required', 'true')
    await repository.checkout(commit, join(world.home, 'out'))
    const read = (path: string) => fs.readFileSync(join(world.home, 'out', path), 'utf8')
    assert.deepEqual(['text', 'ident', 'hidden', 'filtered'].map(read), ['a\nb\n', '$Id$ $Format:%H$\n', 'x', 'raw\n'])
    assert.equal(fs.existsSync(join(world.home, 'ran')), false)
  })

  check('a replaced object does not change what a commit id means', async (repository, world) => {
    const first = world.commit('first')
    const second = world.commit('second')
    world.git('replace', first, second)
    assert.equal((await repository.source(first)).subject, 'first')
    await repository.checkout(first, join(world.home, 'out'))
    assert.equal(fs.readFileSync(join(world.home, 'out/file'), 'utf8'), 'first')
  })

  check('an empty folder is filled, another one is left as it was', async (repository, world) => {
    const commit = world.commit('first')
    const folder = join(world.home, 'out')
    fs.mkdirSync(folder)
    fs.mkdirSync(`${folder}.tmp-crashed`)
    await repository.checkout(commit, folder)
    assert.deepEqual(snapshot(folder), ['file 644 first'])
    await assert.rejects(repository.checkout(world.commit('second'), folder), refused('STORAGE_FAILED', folder))
    assert.deepEqual(snapshot(folder), ['file 644 first'])
    assert.deepEqual(fs.readdirSync(world.home).toSorted(), ['out', 'project'])
  })

  check('a commit without files gives an empty folder', async (repository, world) => {
    const commit = world.commit('nothing', {})
    await repository.checkout(commit, join(world.home, 'out'))
    assert.deepEqual(snapshot(join(world.home, 'out')), [])
  })

  check('a crafted tree writes nothing outside, and nothing at all', async (repository, world) => {
    const blob = world.object('blob', 'evil')
    const link = world.object('blob', world.home)
    const inner = world.tree({ mode: '100644', name: 'evil', id: blob })
    const folder = { mode: '40000', id: inner }
    const file = { mode: '100644', id: blob }
    const trees = [
      world.tree({ ...folder, name: '..' }),
      world.tree({ ...file, name: '../evil' }),
      world.tree({ ...file, name: '/evil' }),
      world.tree({ ...folder, name: '.git' }),
      world.tree({ ...folder, name: '.GIT' }),
      world.tree({ ...file, name: '.' }),
      world.tree({ ...file, name: '' }),
      world.tree({ mode: '120000', name: 'x', id: link }, { ...folder, name: 'x' }),
      world.tree({ ...folder, name: 'x' }, { ...file, name: 'x' }),
      world.tree({ mode: '140000', name: 'x', id: blob }),
      world.tree({ ...file, name: 'x'.repeat(256) }),
      world.tree({ ...folder, name: 'x'.repeat(256) }),
    ]
    for (const tree of trees) {
      await assert.rejects(repository.checkout(world.commitOf(tree), join(world.home, 'out')), refused('SOURCE_UNFIT'))
      assert.deepEqual(fs.readdirSync(world.home), ['project'])
    }
  })

  check('a tree that repeats itself into millions of files is stopped', async (repository, world) => {
    const names = Array.from({ length: 1001 }, (_, n) => String(n))
    const id = world.object('blob', 'x')
    const files = world.tree(...names.map((at) => ({ mode: '100644', name: at, id })))
    const tree = world.tree(...names.map((at) => ({ mode: '40000', name: at, id: files })))
    await assert.rejects(
      repository.checkout(world.commitOf(tree), join(world.home, 'out')),
      refused('SOURCE_UNFIT', 'more than'),
    )
    assert.deepEqual(fs.readdirSync(world.home), ['project'])
  })

  check('a submodule is said clearly', async (repository, world) => {
    const commit = world.commit('first')
    const tree = world.tree({ mode: '160000', name: 'vendor', id: commit })
    await assert.rejects(
      repository.checkout(world.commitOf(tree), join(world.home, 'out')),
      refused('SOURCE_UNFIT', 'submodule', "'vendor'"),
    )
  })

  check('a damaged repository fails and leaves nothing', async (repository, world) => {
    const commit = world.commit('first', { a: '1', b: '2' })
    const blob = world.git('rev-parse', 'HEAD:b')
    fs.rmSync(join(world.root, '.git/objects', blob.slice(0, 2), blob.slice(2)))
    await assert.rejects(repository.checkout(commit, join(world.home, 'out')), refused('GIT_FAILED', blob, "b'"))
    assert.deepEqual(fs.readdirSync(world.home), ['project'])
    world.git('tag', 'v1')
    fs.rmSync(join(world.root, '.git/objects', commit.slice(0, 2), commit.slice(2)))
    await assert.rejects(repository.source('v1'), refused('GIT_FAILED'))
    await assert.rejects(repository.tagCommit('v1'), refused('GIT_FAILED'))
  })

  check(
    'a repository with SHA-256 ids',
    async (repository, world) => {
      const commit = world.commit('first', { 'a/b': '1' })
      world.git('tag', '--annotate', '--message', 'notes', 'v1')
      assert.equal(commit.length, 64)
      const source = await repository.source('v1')
      assert.deepEqual([source.commit, source.tree.length, source.tagMessage], [commit, 64, 'notes'])
      for (const revision of [commit, commit.slice(0, 40)])
        assert.deepEqual(await repository.source(revision), { ...source, tag: null, tagMessage: null })
      assert.equal(await repository.tagCommit('v1'), commit)
      assert.equal(String(await repository.file(commit, 'a/b', 1)), '1')
      await repository.checkout(commit, join(world.home, 'out'))
      assert.deepEqual(snapshot(join(world.home, 'out')), ['a/ 755', 'a/b 644 1'])
    },
    ['--object-format=sha256'],
  )
}

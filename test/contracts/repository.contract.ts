/** What every repository has to do, on real git repositories made in temporary folders. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import * as fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { PitlaneError } from '../../src/errors.ts'
import type { Repository } from '../../src/forges/types.ts'

/** Committer time of the first commit; each commit and tag comes a minute after the one before. */
export const EPOCH = 1_700_000_000

/** A git repository of its own: fixed people and dates, and nothing of this machine's or user's configuration. */
export class World {
  readonly home: string
  readonly root: string
  #time = EPOCH

  constructor(t: TestContext, init: readonly string[] = []) {
    this.home = fs.realpathSync(fs.mkdtempSync(join(tmpdir(), 'world-')))
    t.after(() => fs.rmSync(this.home, { recursive: true, force: true }))
    this.root = join(this.home, 'project')
    fs.mkdirSync(this.root)
    this.git('init', '--quiet', '--initial-branch=main', ...init)
  }

  git(...args: string[]): string {
    return this.gitWith('', ...args)
  }

  gitWith(input: string | Buffer, ...args: string[]): string {
    const date = `${this.#time} +0000`
    const env = {
      PATH: process.env['PATH'] ?? '',
      HOME: this.home,
      GIT_CONFIG_NOSYSTEM: '1',
      GIT_AUTHOR_NAME: 'Ada',
      GIT_AUTHOR_EMAIL: 'ada@example.org',
      GIT_AUTHOR_DATE: date,
      GIT_COMMITTER_NAME: 'Ada',
      GIT_COMMITTER_EMAIL: 'ada@example.org',
      GIT_COMMITTER_DATE: date,
    }
    return execFileSync('git', args, { cwd: this.root, env, input, stdio: ['pipe', 'pipe', 'pipe'] })
      .toString()
      .trim()
  }

  /** Writes files and commits them; returns the commit's id. */
  commit(message: string, files: Readonly<Record<string, string | Buffer>> = { file: message }): string {
    for (const [path, content] of Object.entries(files)) {
      fs.mkdirSync(join(this.root, path, '..'), { recursive: true })
      fs.writeFileSync(join(this.root, path), content)
    }
    this.git('add', '--all')
    this.git('commit', '--quiet', '--allow-empty', '--message', message)
    this.#time += 60
    return this.git('rev-parse', 'HEAD')
  }

  /** Stores an object as it is, however wrong, and returns its id. */
  object(type: string, content: Buffer | string): string {
    return this.gitWith(content, 'hash-object', '-w', '--literally', '-t', type, '--stdin')
  }

  /** A commit of a tree made by hand. */
  commitOf(tree: string): string {
    return this.git('commit-tree', '-m', 'by hand', tree)
  }

  tree(...entries: readonly { mode: string; name: string; id: string }[]): string {
    const parts = entries.flatMap(({ mode, name, id }) => [Buffer.from(`${mode} ${name}\0`), Buffer.from(id, 'hex')])
    return this.object('tree', Buffer.concat(parts))
  }
}

export function refused(code: string, ...parts: (string | RegExp)[]): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof PitlaneError, String(error))
    const text = `${error.message}\n${error.hint ?? ''}`
    assert.equal(error.code, code, text)
    for (const part of parts)
      assert.ok(typeof part === 'string' ? text.includes(part) : part.test(text), `${text} lacks ${part}`)
    return true
  }
}

/** Path, type, mode and content of everything below a folder. */
export function snapshot(folder: string): string[] {
  return fs
    .readdirSync(folder, { recursive: true, withFileTypes: true, encoding: 'utf8' })
    .map((entry) => {
      const path = join(entry.parentPath, entry.name)
      const name = path.slice(folder.length + 1)
      if (entry.isSymbolicLink()) return `${name} -> ${fs.readlinkSync(path)}`
      const mode = (fs.statSync(path).mode & 0o7777).toString(8)
      return entry.isDirectory() ? `${name}/ ${mode}` : `${name} ${mode} ${fs.readFileSync(path, 'latin1')}`
    })
    .sort()
}

type Check = (
  what: string,
  body: (repository: Repository, world: World) => Promise<void>,
  init?: readonly string[],
) => void

const HOSTILE_TAGS = [
  'release/1.0',
  '<script>alert(1)</script>',
  `v${'9'.repeat(240)}`,
  `it's"quoted"`,
  'vé-😀',
  '$(touch_x)',
  ';rm&-rf',
  'v1.0.0+build_1',
  '%(objectname)',
]

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

  check('a tag wins over a branch; HEAD and commit ids are no tags', async (repository, world) => {
    const first = world.commit('first')
    world.git('tag', 'main')
    world.git('tag', '--annotate', '--message', 'About\n\nthis release', 'v1.0.0')
    const second = world.commit('second')
    assert.deepEqual(await repository.source('main'), {
      ...(await repository.source(first)),
      tag: 'main',
    })
    assert.equal((await repository.source('refs/heads/main')).commit, second)
    const tagged = await repository.source('v1.0.0')
    assert.deepEqual([tagged.commit, tagged.tag, tagged.tagMessage], [first, 'v1.0.0', 'About\n\nthis release'])
    assert.deepEqual(await repository.source('refs/tags/v1.0.0'), tagged)
    for (const revision of [first, first.slice(0, 8), 'v1.0.0^0', 'HEAD'])
      assert.deepEqual((await repository.source(revision)).tag, null, revision)
  })

  check('a tag named like the beginning of a commit id is the tag', async (repository, world) => {
    const first = world.commit('first')
    const second = world.commit('second')
    world.git('tag', second.slice(0, 7), first)
    assert.equal((await repository.source(second.slice(0, 7))).commit, first)
    assert.equal((await repository.source(second.slice(0, 8))).commit, second)
  })

  check('signatures are not part of a tag message', async (repository, world) => {
    const commit = world.commit('first')
    for (const kind of ['PGP SIGNATURE', 'SSH SIGNATURE']) {
      const message = `Notes\n\nwith -----BEGIN inside\n-----BEGIN ${kind}-----\nabc\n-----END ${kind}-----\n`
      const tag = world.object(
        'tag',
        `object ${commit}\ntype commit\ntag v1\ntagger Ada <a@b> ${EPOCH} +0000\n\n${message}`,
      )
      world.git('update-ref', 'refs/tags/v1', tag)
      assert.equal((await repository.source('v1')).tagMessage, 'Notes\n\nwith -----BEGIN inside')
    }
    const empty = world.object('tag', `object ${commit}\ntype commit\ntag v2\ntagger Ada <a@b> ${EPOCH} +0000\n\n\n`)
    world.git('update-ref', 'refs/tags/v2', empty)
    assert.equal((await repository.source('v2')).tagMessage, null)
  })

  check('a tag of a tag names the commit at its end; a tag of a file names none', async (repository, world) => {
    const commit = world.commit('first')
    world.git('tag', '--annotate', '--message', 'inner', 'inner')
    world.git('-c', 'advice.nestedTag=false', 'tag', '--annotate', '--message', 'outer', 'outer', 'inner')
    world.git('tag', 'blob', 'HEAD:file')
    world.git('tag', '--annotate', '--message', 'of a tree', 'tree', 'HEAD^{tree}')
    const outer = await repository.source('outer')
    assert.deepEqual([outer.commit, outer.tag, outer.tagMessage], [commit, 'outer', 'outer'])
    for (const tag of ['blob', 'tree']) {
      await assert.rejects(repository.source(tag), refused('REVISION_UNKNOWN', tag, 'not a commit'))
      assert.equal(await repository.tagCommit(tag), null)
    }
    assert.equal(await repository.tagCommit('outer'), commit)
    assert.deepEqual(await repository.tags(), [
      { name: 'inner', commit },
      { name: 'outer', commit },
    ])
  })

  check('hostile tag names are only names', async (repository, world) => {
    const commit = world.commit('first')
    for (const tag of HOSTILE_TAGS) world.git('update-ref', `refs/tags/${tag}`, commit)
    // Longer than a file name may be: git can hold it packed only.
    const long = 'x'.repeat(300)
    fs.appendFileSync(join(world.root, '.git/packed-refs'), `${commit} refs/tags/${long}\n`)
    await assert.rejects(repository.source(long), refused('REVISION_UNKNOWN', 'longer than 255 bytes'))
    assert.equal(await repository.tagCommit(long), commit)
    for (const tag of HOSTILE_TAGS) {
      assert.deepEqual(await repository.source(tag).then((source) => source.tag), tag)
      assert.equal(await repository.tagCommit(tag), commit, tag)
    }
    const names = (await repository.tags()).map((tag) => tag.name)
    assert.deepEqual(names.toSorted(), [...HOSTILE_TAGS, long].toSorted())
    assert.equal(await repository.tagCommit('release'), null)
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

  checkoutContract(check)
}

function checkoutContract(check: Check): void {
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

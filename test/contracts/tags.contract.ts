/** Tags of a repository: which commit, which message, and names that mean nothing but themselves. */
import assert from 'node:assert/strict'
import * as fs from 'node:fs'
import { join } from 'node:path'
import { type Check, EPOCH, refused } from './git-world.ts'

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

export function tagContract(check: Check): void {
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
}

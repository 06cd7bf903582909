import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { PitlaneError } from '../../errors.ts'
import { parseCommit, parseTagMessage, parseTree } from './parse.ts'

const ID = 'a'.repeat(40)
const commit = (rest: string) => Buffer.from(`tree ${ID}\nauthor A <a> 1 +0000\ncommitter A <a> ${rest}`, 'latin1')

function tag(message: string): string | null {
  return parseTagMessage(Buffer.from(`object ${ID}\ntype commit\n\n${message}`))
}

function encode(entries: readonly { mode: string; name: Uint8Array; id: string }[]): Buffer {
  return Buffer.concat(
    entries.flatMap((one) => [Buffer.from(`${one.mode} `), one.name, Buffer.from([0]), Buffer.from(one.id, 'hex')]),
  )
}

test('a commit: tree, time of the committer, first line', () => {
  const gpg = 'gpgsig -----BEGIN PGP SIGNATURE-----\n \n tree fake\n -----END PGP SIGNATURE-----\n'
  const facts = parseCommit(ID, commit(`1700000000 -0330\n${gpg}\n\n  Subject \nmore`))
  assert.deepEqual(facts, { tree: ID, time: 1_700_000_000, subject: 'Subject' })
  assert.equal(parseCommit(ID, commit('5 +0000\n\n')).subject, '')
  assert.equal(parseCommit(ID, commit('5 +0000\nencoding ISO-8859-1\n\ncaf\xe9')).subject, 'café')
  assert.equal(parseCommit(ID, commit('5 +0000\nencoding no-such\n\nplain')).subject, 'plain')
})

test('a commit without tree or time is refused', () => {
  for (const body of ['', 'tree x\n', `tree ${ID}\n\nm`, `tree ${ID}\ncommitter A <a> -5 +0000\n\nm`])
    assert.throws(() => parseCommit(ID, Buffer.from(body)), PitlaneError)
})

test('a commit is dated until the year 9999', () => {
  assert.equal(parseCommit(ID, commit('253402300799 +0000\n\nm')).time, 253_402_300_799)
  assert.throws(() => parseCommit(ID, commit('253402300800 +0000\n\nm')), PitlaneError)
})

test('the last signature block ends a tag message', () => {
  assert.equal(tag('one\n\n-----BEGIN PGP SIGNATURE-----\nx\n'), 'one')
  assert.equal(
    tag('-----BEGIN PGP SIGNATURE-----\nquoted\n-----BEGIN SSH SIGNATURE-----\nx'),
    '-----BEGIN PGP SIGNATURE-----\nquoted',
  )
  assert.equal(tag('  \n'), null)
  assert.equal(parseTagMessage(Buffer.from('object x')), null)
})

test('tree entries come back as they went in, and damage never passes', () => {
  const name = fc.uint8Array({ minLength: 1, maxLength: 8 }).filter((bytes) => !bytes.includes(0))
  const entry = fc.record(
    { mode: fc.constantFrom('40000', '100644'), name, id: fc.constantFrom(ID, 'b'.repeat(40)) },
    { noNullPrototype: true },
  )
  fc.assert(
    fc.property(fc.array(entry, { maxLength: 5 }), (entries) => {
      const parsed = parseTree(ID, encode(entries)).map((one) => ({ ...one, name: Uint8Array.from(one.name) }))
      assert.deepEqual(parsed, entries)
    }),
  )
  fc.assert(
    fc.property(fc.array(entry, { minLength: 1, maxLength: 3 }), fc.nat(), (entries, cut) => {
      const whole = encode(entries)
      const last = encode(entries.slice(-1)).length
      const damaged = whole.subarray(0, whole.length - 1 - (cut % (last - 1)))
      assert.throws(() => parseTree(ID, damaged), PitlaneError)
    }),
  )
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { folderAddress, publicAddress } from './address.ts'
import { absoluteUrl } from '../plan/key-url.ts'
import { notesBlocks } from './notes.ts'
import { cut, exactSize, humanDate, humanSize, plainLine, plainText, shortVersion } from './text.ts'

test('sizes for people', () => {
  const cases: readonly (readonly [number, string])[] = [
    [0, '0 bytes'],
    [1, '1 byte'],
    [1023, '1023 bytes'],
    [1024, '1.00 KiB'],
    [1_048_575, '1.00 MiB'],
    [2_516_582, '2.40 MiB'],
    [104_857_600, '100 MiB'],
    [5_368_709_120, '5.00 GiB'],
    [5_000_000_000_000, '4657 GiB'],
  ]
  for (const [bytes, words] of cases) assert.equal(humanSize(bytes), words)
  assert.equal(exactSize(2_516_582), '2\u202f516\u202f582 bytes')
})

test('dates and versions for people', () => {
  assert.equal(humanDate('2026-11-03T00:00:00Z'), '3 November 2026')
  assert.equal(shortVersion('v1.0.0'), 'v1.0.0')
  assert.equal(shortVersion('0123456789abcdef0123456789abcdef01234567'), '0123456789ab')
})

test('text is made harmless without losing what people write', () => {
  assert.equal(plainText('a\r\nb\rc\td'), 'a\nb\nc\td')
  assert.equal(plainText('x\u202ey\u0007z\ud800'), 'x\ufffdy\ufffdz\ufffd')
  assert.equal(plainText('שלום 👩‍🚀 é'), 'שלום 👩‍🚀 é')
  assert.equal(plainLine(' a\n b '), 'a b')
  assert.equal(cut('ab👩', 3), 'ab …')
})

test('notes keep their lines', () => {
  assert.deepEqual(notesBlocks('one\ntwo\n\n- a\n  more\n- b\n# T #\n```\nx\n\ny\n```\nz `c`'), [
    { kind: 'paragraph', text: [{ text: 'one\ntwo', code: false }] },
    { kind: 'list', items: [[{ text: 'a more', code: false }], [{ text: 'b', code: false }]] },
    { kind: 'heading', text: [{ text: 'T', code: false }] },
    { kind: 'code', text: 'x\n\ny' },
    {
      kind: 'paragraph',
      text: [
        { text: 'z ', code: false },
        { text: 'c', code: true },
      ],
    },
  ])
  assert.deepEqual(notesBlocks('```\nnever closed'), [{ kind: 'code', text: 'never closed' }])
  assert.deepEqual(notesBlocks('  \n'), [])
})

test('addresses', () => {
  assert.equal(publicAddress('https://Example.org/a b//'), 'https://example.org/a%20b')
  assert.equal(folderAddress('/tmp/a b'), 'file:///tmp/a%20b')
  assert.equal(absoluteUrl('https://example.org', '_releases/v1+2/x'), 'https://example.org/_releases/v1%2B2/x')
})

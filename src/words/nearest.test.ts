import assert from 'node:assert/strict'
import { test } from 'node:test'
import { nearest, nearestNames, suggestion } from './nearest.ts'

test('slips of the keyboard are understood, other words are not', () => {
  const known = ['name', 'channels', 'checks', 'env', 'release', 'publish']
  const rows: readonly (readonly [string, string | null])[] = [
    ['chekcs', 'checks'],
    ['check', 'checks'],
    ['Channel', 'channels'],
    ['relase', 'release'],
    ['nmae', 'name'],
    ['env ', 'env'],
    ['schedule', null],
    ['cache', null],
    ['x', null],
    ['y'.repeat(100_000), null],
  ]
  for (const [word, meant] of rows) assert.equal(nearest(word, known), meant, word)
  assert.equal(suggestion('pubish', known), 'did you mean "publish"?')
  assert.equal(suggestion('zzzzzzz', ['a', 'b']), 'known: a, b')
  assert.equal(suggestion('a', []), 'there is none')
})

test('a triple is found among triples', () => {
  const triples = ['x86_64-unknown-linux-musl', 'armv6l-unknown-linux-musleabihf', 'aarch64-unknown-linux-musl']
  assert.equal(nearest('arm-unknown-linux-musleabihf', triples), 'armv6l-unknown-linux-musleabihf')
  assert.equal(nearest('x86_64-linux-musl', triples), null)
  assert.equal(nearest('x86_64-unknown-linux-gnu', triples), 'x86_64-unknown-linux-musl')
})

test('several near names come nearest first, and none that is far away', () => {
  const names = ['v1.0.9', 'v1.0.1', 'v2.9.9', 'v1.00', 'zzz']
  assert.deepEqual(nearestNames('v1.0.0', names, 3), ['v1.0.9', 'v1.0.1', 'v1.00'])
  assert.deepEqual(nearestNames('v1.0.0', names, 1), ['v1.0.9'])
  assert.deepEqual(nearestNames('x', ['completely', 'different'], 3), [])
  assert.deepEqual(nearestNames('y'.repeat(300), ['y'.repeat(299)], 3), [])
})

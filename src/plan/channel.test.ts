import assert from 'node:assert/strict'
import { test } from 'node:test'
import { classify, DEFAULT_CHANNELS } from './channel.ts'

test('the default channels', () => {
  const rows: readonly (readonly [string | null, string])[] = [
    ['v1.2.0', 'stable'],
    ['v0.7.2.1', 'extra'],
    ['v1x2y3', 'extra'],
    ['v1.2.0-rc1', 'extra'],
    ['xv1.2.0', 'extra'],
    ['1.2.0', 'extra'],
    ['handcrafted-1.0.0', 'extra'],
    [null, 'development'],
  ]
  for (const [tag, channel] of rows) assert.equal(classify(DEFAULT_CHANNELS, { tag }), channel, `${tag}`)
})

test('the first match wins, in the order declared', () => {
  const channels = [
    { name: 'any', tag: 'v.*' },
    { name: 'stable', tag: 'v[0-9]+' },
  ]
  assert.equal(classify(channels, { tag: 'v1' }), 'any')
  assert.equal(classify(channels.toReversed(), { tag: 'v1' }), 'stable')
})

test('a tag of no channel is refused and says what was tried', () => {
  assert.throws(() => classify([{ name: 'stable', tag: 'v[0-9]+' }], { tag: 'nightly' }), {
    code: 'VERSION_NAME',
    message: 'the tag "nightly" belongs to no channel: it matches none of stable (v[0-9]+)',
  })
})

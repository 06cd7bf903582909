import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { classify, DEFAULT_CHANNELS } from './channel.ts'
import { assertGolden } from './golden-file.ts'
import { checkVersionName } from './version-name.ts'
import { compareVersions, imageTag } from './version.ts'

const tags = readFileSync(new URL('fixtures/garage-tags.txt', import.meta.url), 'utf8')
  .trimEnd()
  .split('\n')

test('every tag name of the Garage project: order, channel and image tag', () => {
  assert.equal(tags.length, 83)
  const rows = tags
    .toSorted(compareVersions)
    .map((tag) => [checkVersionName(tag), classify(DEFAULT_CHANNELS, { tag }), imageTag(tag)])
  const lines = rows.map(([tag = '', channel = '', image = '']) => `${tag.padEnd(25)} ${channel.padEnd(8)} ${image}`)
  const header = `# oldest first\n${'# version'.padEnd(25)} ${'channel'.padEnd(8)} image tag\n`
  assertGolden(new URL('golden/garage-tags.txt', import.meta.url), `${header}${lines.join('\n')}\n`)
})

test('the order does not depend on the order of the input, and all image tags differ', () => {
  const sorted = tags.toSorted(compareVersions)
  assert.deepEqual(tags.toReversed().sort(compareVersions), sorted)
  assert.equal(new Set(tags.map((tag) => imageTag(tag))).size, tags.length)
})

test('the newest stable version is what people mean by it', () => {
  const stable = tags.filter((tag) => classify(DEFAULT_CHANNELS, { tag }) === 'stable').sort(compareVersions)
  assert.equal(stable.at(-1), 'v2.0.0')
  assert.equal(stable[0], 'v0.2.0')
})

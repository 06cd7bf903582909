import assert from 'node:assert/strict'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { handMadeSite, ONE, OTHER, plan, signer } from '../../../test/world/hand-made-site.ts'
import { resign, signerOf } from '../../../test/world/signed-site.ts'
import { KEYS } from '../../plan/keys.ts'
import { checkPages } from '../lists/rebuild-pages.ts'
import type { SiteIndex } from '../lists/site-index.ts'

const VERSION = 'hand-1'

/** One release, whole, and another one whose name begins like its. */
async function published(t: TestContext, sign = true) {
  const site = await handMadeSite(t, sign)
  for (const version of [VERSION, `${VERSION}-rc1`])
    for (const triple of [ONE, OTHER]) await site.put(plan(version), triple, `${version} ${triple}`)
  const at = (key: string) => join(site.root, 'bucket', key)
  const good = new Map((site.index().pages ?? []).map(({ path }) => [path, readFileSync(at(path))]))
  const write = (key: string, bytes: Buffer | string) => writeFileSync(at(key), bytes)
  const edit = (key: string, change: (text: string) => string) => {
    const text = good.get(key)?.toString('utf8') ?? assert.fail(key)
    assert.notEqual(change(text), text, `${key} is changed`)
    write(key, change(text))
  }
  return {
    ...site,
    at,
    good,
    edit,
    restore: () => good.forEach((bytes, key) => write(key, bytes)),
    sign: (index: SiteIndex) => resign(write, index, (key) => readFileSync(at(key)), signer),
  }
}

test('every page that is computed from the releases is named, and verifies', async (t) => {
  const { good, verify } = await published(t)
  const expected = [
    KEYS.publicKey,
    KEYS.publicKeyPem,
    KEYS.installScript,
    KEYS.garageList,
    KEYS.atomAll,
    KEYS.atomStable,
    KEYS.page,
  ]
  assert.deepEqual([...good.keys()], [...expected, KEYS.latestOf('extra')])
  const { problems, skipped, checks } = await verify(VERSION)
  assert.deepEqual([problems, skipped], [[], []])
  for (const line of [
    /install\.sh and keys are the ones that index\.json names: 8 files/,
    /hold the key/,
    /every link and digest/,
  ])
    assert.ok(
      checks.some((check) => line.test(check)),
      String(line),
    )
})

test('one that was changed, cut off, made longer or removed is told by its name', async (t) => {
  for (const sign of [true, false]) {
    const { at, good, verify, restore } = await published(t, sign)
    for (const [key, bytes] of good) {
      const changed = Buffer.from(bytes)
      changed.writeUInt8(changed.readUInt8(changed.length >> 1) ^ 1, changed.length >> 1)
      const faults = [changed, bytes.subarray(0, -1), Buffer.concat([bytes, Buffer.from(' ')]), null]
      for (const fault of faults) {
        if (fault === null) rmSync(at(key))
        else writeFileSync(at(key), fault)
        const { problems } = await verify(VERSION)
        assert.equal(problems.length, 1, problems.join('\n'))
        assert.match(
          problems[0] ?? '',
          fault === null ? / is missing$/ : / is not the one that _releases\/index\.json \(serial 4\) names: /,
        )
        assert.ok(problems[0]?.startsWith(`${key} `), problems[0])
        restore()
      }
    }
  }
})

test('links elsewhere, another installer, another key: nothing of it verifies', async (t) => {
  const { edit, verify } = await published(t)
  const elsewhere = (text: string) => text.replaceAll('https://releases.example.org', 'https://evil.example.org')
  for (const key of [KEYS.garageList, KEYS.atomAll, KEYS.installScript]) edit(key, elsewhere)
  edit(KEYS.page, (text) => text.replaceAll('href="_releases/', 'href="https://evil.example.org/_releases/'))
  edit(KEYS.publicKey, () => signerOf(9).publicKey.minisign)
  const { problems } = await verify(VERSION)
  assert.equal(problems.length, 5, problems.join('\n'))
})

test('what the publisher signed has to say what the document says, exactly of this version', async (t) => {
  const { edit, verify, restore, index, sign } = await published(t)
  const now = index()
  const faults: readonly [string, (text: string) => string, RegExp][] = [
    [
      KEYS.page,
      (text) => text.replaceAll(`href="_releases/${VERSION}/${ONE}/`, 'href="elsewhere/'),
      /does not show href=/,
    ],
    [KEYS.page, (text) => text.replaceAll(`id="${VERSION}"`, 'id="x"'), /does not show id="hand-1"/],
    [KEYS.atomAll, (text) => text.replaceAll(`#${VERSION}"`, '#x"'), /all\.atom does not name hand-1/],
    [
      KEYS.garageList,
      (text) => text.replaceAll('https://releases.example.org', 'https://evil.example.org'),
      /lists other files/,
    ],
    [KEYS.latestOf('extra'), () => 'x\n', /is "x\\n"/],
    [KEYS.publicKey, () => signerOf(9).publicKey.minisign, /minisign\.pub is another key/],
    [KEYS.publicKeyPem, () => signerOf(9).publicKey.pem, /signing-key\.pem is another key/],
    [KEYS.publicKeyPem, () => 'no key', /signing-key\.pem, line 1: /],
  ]
  for (const [key, change, expected] of faults) {
    edit(key, change)
    sign(now)
    const { problems } = await verify(VERSION)
    assert.equal(problems.length, 1, problems.join('\n'))
    assert.match(problems[0] ?? '', expected)
    restore()
  }
  sign({ ...now, pages: now.pages?.filter(({ path }) => path !== KEYS.installScript) })
  assert.deepEqual((await verify(VERSION)).problems, [
    '_releases/index.json does not name _releases/install.sh by digest',
  ])
  sign({ ...now, publicKey: null })
  assert.match((await verify(VERSION)).problems.join('\n'), /names no public key, and is signed/)
})

test('an index that names no pages: what can be compared is, and the rest is said', async (t) => {
  const { edit, verify, index, sign, lists } = await published(t)
  const { pages: _pages, ...earlier } = index()
  sign(earlier)
  const { problems, skipped } = await verify(VERSION)
  assert.deepEqual(problems, [])
  assert.ok((await checkPages(lists)).includes(KEYS.index), 'the publisher finds it out of date')
  assert.deepEqual(
    skipped.map(({ kind, what }) => [kind, what]),
    [['pages', 'each byte of page, lists, feeds and install.sh']],
  )
  edit(KEYS.garageList, (text) => text.replaceAll('https://releases.example.org', 'https://evil.example.org'))
  edit(KEYS.publicKey, () => signerOf(9).publicKey.minisign)
  assert.equal((await verify(VERSION)).problems.length, 2)
})

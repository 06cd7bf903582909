import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { readFileSync, rmSync, truncateSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import * as fc from 'fast-check'
import { never, NOW, signerOf, toySite } from '../../../test/world/signed-site.ts'
import { exampleDocument } from '../../pages/fixtures/documents.ts'
import { KEYS } from '../../plan/keys.ts'
import { encodeDocument } from '../document.ts'
import { signDocument } from '../put-operations.ts'
import { rebuildPages } from './rebuild-pages.ts'
import type { Signer } from '../keys/sign.ts'
import { LIST_LIMIT, type SiteIndex } from './site-index.ts'
import { readStanding, UNSIGNED_AHEAD, UNSIGNED_SERIAL } from './standing.ts'

/** A bucket with one complete release of `toy`, listed as number 1 by another state than the one that looks. */
async function world(t: TestContext, signer: Signer | null = signerOf(7)) {
  const { put, ...site } = toySite(t, signer)
  const putOld = (version: string) => put(version, { publishedAt: '2026-05-01T00:00:00Z' })
  putOld('v1.0.0')
  const first = await site.elsewhere()
  await rebuildPages(first, never)
  const forge = (change: (index: SiteIndex) => unknown) => site.write(KEYS.index, JSON.stringify(change(site.index())))
  return { ...site, first, parts: await site.elsewhere(), forge, put: putOld }
}

test('an index that the key has signed counts, from another state too', async (t) => {
  const { parts, index, notes } = await world(t)
  const standing = await readStanding(parts)
  assert.deepEqual(standing.index, index())
  assert.deepEqual([standing.serial, standing.generatedAt, standing.proven, standing.doubt], [1, NOW, true, null])
  assert.deepEqual(await rebuildPages(parts, never), [])
  assert.deepEqual(notes, [])
})

const FORGED: Readonly<Record<string, (index: SiteIndex) => unknown>> = {
  'a date in 2200': (index) => ({ ...index, generatedAt: '2200-01-01T00:00:00Z', expiresAt: '2200-04-01T00:00:00Z' }),
  'a day that there is not': (index) => ({ ...index, generatedAt: '9999-99-99T99:99:99Z' }),
  'a serial of 2^53': (index) => ({ ...index, serial: 2 ** 53 }),
  'the highest safe serial': (index) => ({ ...index, serial: Number.MAX_SAFE_INTEGER }),
  'a serial that is possible': (index) => ({ ...index, serial: 77 }),
  'no serial': (index) => ({ ...index, serial: null }),
  'fewer versions': (index) => ({ ...index, releases: [], versions: [] }),
  'a newer stable version': (index) => ({ ...index, pointers: { stable: 'v99.0.0' } }),
  'another key': (index) => ({ ...index, publicKey: { ...index.publicKey, minisign: signerOf(9).publicKey.line } }),
  'no key': (index) => ({ ...index, publicKey: null }),
  'another project': (index) => ({ ...index, name: 'other' }),
  'a name that cannot be signed': (index) => ({ ...index, name: 'ü \n' }),
  'a newer format': (index) => ({ ...index, format: 'pitlane-index/9' }),
  'an empty list': () => [],
  null: () => null,
}

for (const [what, change] of Object.entries(FORGED)) {
  test(`forged with ${what}, it is told and replaced, and changes neither date nor serial`, async (t) => {
    const { parts, index, forge, notes, folder } = await world(t)
    const before = index()
    forge(change)
    const standing = await readStanding(parts)
    assert.equal(standing.index, null)
    assert.deepEqual([standing.serial, standing.generatedAt], [1, 0])
    await rebuildPages(parts, never)
    assert.match(notes.join('\n'), /^_releases\/index\.json is not trusted: /)
    // The page shows the serial.
    assert.deepEqual({ ...index(), serial: 1, pages: before.pages }, before)
    assert.equal(index().serial, 2)
    assert.equal(readFileSync(join(folder, KEYS.latest), 'utf8'), 'v1.0.0\n')
  })
}

test('whatever stands there, it never counts and never crashes', async (t) => {
  const { parts, index, write, elsewhere } = await world(t)
  const sound = index()
  const key = fc.constantFrom(...(Object.keys(sound) as (keyof SiteIndex)[]))
  const changed = fc.tuple(key, fc.jsonValue()).map(([name, value]) => JSON.stringify({ ...sound, [name]: value }))
  const anything = fc.oneof(
    fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
    fc.json().map((json) => Buffer.from(json)),
    changed.filter((json) => json !== JSON.stringify(sound)).map((json) => Buffer.from(json)),
  )
  await fc.assert(
    fc.asyncProperty(anything, async (bytes) => {
      write(KEYS.index, bytes)
      const standing = await readStanding(parts)
      assert.equal(standing.index, null)
      assert.deepEqual([standing.serial, standing.generatedAt], [1, 0])
    }),
    { numRuns: 200 },
  )
  await rebuildPages(await elsewhere(), never)
  assert.deepEqual({ ...index(), serial: 1, pages: sound.pages }, sound)
})

test('signatures of another list do not count for this one', async (t) => {
  const { parts, folder, write } = await world(t)
  // The plain signature of something else that the key has signed.
  write(`${KEYS.index}.sig`, readFileSync(join(folder, `${KEYS.document('v1.0.0')}.sig`)))
  assert.match((await readStanding(parts)).doubt ?? '', /index\.json\.sig/)
})

test('what the same key has signed for another project moves no serial', async (t) => {
  const { parts, write } = await world(t)
  const [minisig] = signDocument(signerOf(7), 'other', 'serial-500', KEYS.index, Buffer.from('{}'))
  write(`${KEYS.index}.minisig`, minisig?.bytes ?? '')
  const { serial, shown, index } = await readStanding(parts)
  assert.deepEqual([serial, shown, index], [0, 0, null])
})

test('the signature of the same bytes under another name does not count', async (t) => {
  const { parts, folder, write } = await world(t)
  const bytes = readFileSync(join(folder, KEYS.index))
  const [minisig] = signDocument(signerOf(7), 'toy', 'v1.0.0', `${KEYS.folder('v1.0.0')}x/file`, bytes)
  write(`${KEYS.index}.minisig`, minisig?.bytes ?? '')
  const { index, doubt } = await readStanding(parts)
  assert.equal(index, null)
  assert.match(doubt ?? '', /the file was signed as "pitlane toy v1\.0\.0 file:/)
})

test('an index larger than any is told by its size and not read', async (t) => {
  const { parts, folder } = await world(t)
  truncateSync(join(folder, KEYS.index), LIST_LIMIT + 1)
  const { index, doubt } = await readStanding(parts)
  assert.equal(index, null)
  assert.match(doubt ?? '', /^it has 268435457 bytes/)
})

test('a signed document under the name of the index is no index', async (t) => {
  const { parts, folder, write } = await world(t)
  for (const side of ['', '.minisig', '.sig'])
    write(`${KEYS.index}${side}`, readFileSync(join(folder, `${KEYS.document('v1.0.0')}${side}`)))
  const standing = await readStanding(parts)
  assert.deepEqual([standing.index, standing.serial], [null, 0])
  await rebuildPages(parts, never)
})

test('an old list that is put back is told, and counting goes on where this state was', async (t) => {
  const { first, folder, write, put, index, notes } = await world(t)
  const old = ['', '.minisig', '.sig'].map((side) => readFileSync(join(folder, `${KEYS.index}${side}`)))
  put('v1.1.0')
  await rebuildPages(first, never)
  assert.equal(index().serial, 2)
  for (const [at, side] of ['', '.minisig', '.sig'].entries()) write(`${KEYS.index}${side}`, old[at] ?? '')
  await rebuildPages(first, never)
  assert.match(notes.join('\n'), /it is list 1, and list 2 was published from here/)
  assert.equal(index().serial, 3)
  assert.deepEqual(index().versions, ['v1.0.0', 'v1.1.0'])
})

test('a version that only a forged index lists is looked at, and left out while it lacks something', async (t) => {
  const { parts, index, forge, notes, write } = await world(t)
  const bytes = encodeDocument({
    ...exampleDocument('v2.0.0'),
    name: 'toy',
    image: null,
    publishedAt: '2026-05-02T00:00:00Z',
    signing: { scheme: 'minisign', publicKey: signerOf(7).publicKey.line, keyId: signerOf(7).keyId },
  })
  const key = KEYS.document('v2.0.0')
  write(key, bytes)
  for (const side of signDocument(signerOf(7), 'toy', 'v2.0.0', key, bytes)) write(side.key, side.bytes)
  const { sha256 } = await import('../../../test/contracts/bucket.contract.ts')
  forge((now) => ({
    ...now,
    releases: now.releases.flatMap((release) => [
      release,
      { ...release, version: 'v2.0.0', document: { ...release.document, sha256: sha256(bytes) } },
    ]),
  }))
  await rebuildPages(parts, never)
  assert.deepEqual(index().versions, ['v1.0.0'])
  assert.match(notes.join('\n'), /v2\.0\.0 is not listed: it lacks/)
})

test('a bucket that only says it is another project stays that, when it holds no release of this one', async (t) => {
  const { parts, forge, folder } = await world(t)
  rmSync(join(folder, KEYS.folder('v1.0.0')), { recursive: true })
  forge((index) => ({ ...index, name: 'other' }))
  await assert.rejects(rebuildPages(parts, never), { code: 'PROJECT_CHANGED' })
  forge((index) => ({ ...index, name: 'toy', publicKey: { ...index.publicKey, minisign: signerOf(9).publicKey.line } }))
  await assert.rejects(rebuildPages(parts, never), { code: 'KEY_CHANGED' })
})

test('without signatures, what this state has put there counts, and anything else within bounds and with a note', async (t) => {
  const { first, parts, forge, index } = await world(t, null)
  const own = await readStanding(first)
  assert.deepEqual([own.proven, own.doubt, own.serial], [true, null, 1])
  const other = await readStanding(parts)
  assert.deepEqual([other.proven, other.serial, other.generatedAt], [false, 1, NOW])
  assert.match(other.doubt ?? '', /nothing tells who wrote it/)

  const ahead = new Date(NOW + UNSIGNED_AHEAD).toISOString().replace('.000', '')
  forge((now) => ({ ...now, serial: UNSIGNED_SERIAL, generatedAt: ahead }))
  const bounds = await readStanding(parts)
  assert.deepEqual([bounds.serial, bounds.generatedAt], [UNSIGNED_SERIAL, NOW + UNSIGNED_AHEAD])
  forge((now) => ({ ...now, serial: UNSIGNED_SERIAL + 1, generatedAt: '2200-01-01T00:00:00Z' }))
  const beyond = await readStanding(parts)
  assert.deepEqual([beyond.serial, beyond.generatedAt], [0, 0])
  assert.match(beyond.doubt ?? '', /serial 1000000001 is not followed; its date 2200-01-01T00:00:00Z is not followed/)
  await rebuildPages(parts, never)
  assert.equal(index().generatedAt, '2026-06-01T00:00:00Z')
})

test('without signatures, no release is listed because an index says so', async (t) => {
  const { parts, forge, index, notes, write } = await world(t, null)
  const bytes = encodeDocument({
    ...exampleDocument('v2.0.0'),
    name: 'toy',
    image: null,
    publishedAt: '2026-05-02T00:00:00Z',
    signing: { scheme: 'none' },
  })
  write(KEYS.document('v2.0.0'), bytes)
  const digest = createHash('sha256').update(bytes).digest('hex')
  forge((now) => ({
    ...now,
    releases: now.releases.flatMap((release) => [
      release,
      { ...release, version: 'v2.0.0', document: { ...release.document, sha256: digest } },
    ]),
  }))
  await rebuildPages(parts, never)
  assert.deepEqual(index().versions, ['v1.0.0'])
  assert.match(notes.join('\n'), /v2\.0\.0 is not listed: it lacks/)
})

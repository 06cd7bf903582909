// What is read for new lists, and that they are the same whatever was remembered.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { KEYS } from '../../plan/keys.ts'
import { counted, WRITES } from '../../../test/world/counted.ts'
import { signedSite, never } from '../../../test/world/signed-site.ts'
import type { StateRequest } from '../states/next-state.ts'
import { changeState } from '../states/change-state.ts'
import { documentMemory } from './document-memory.ts'
import { putLists } from './listing.ts'
import type { ListParts } from './list-parts.ts'
import { checkPages, rebuildPages } from './rebuild-pages.ts'
import { unmetered } from '../../run/meter.ts'

/** Far behind everything that the test writes: what is stamped by its dates has settled. */
const LATER = Date.now() + 86_400_000

const DOCUMENT = /^(read|open) _releases\/v[^/]+\/release/

/** Four releases, listed by a machine that remembers them; and another machine. */
async function refreshed(t: TestContext, signer?: null) {
  const site = await signedSite(t, signer)
  const folder = mkdtempSync(join(tmpdir(), 'pitlane-refresh-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const file = join(folder, 'documents')
  site.at(LATER)
  const bucket = counted(site.parts.bucket)
  /** As the next command has them. */
  const parts = (): ListParts => ({ ...site.parts, bucket, memory: documentMemory(file, '1.0.0') })
  await rebuildPages(parts(), never)
  bucket.asked()
  const refresh = async (version: string, on = parts()) => {
    const { writer, registry } = on
    await putLists(
      on,
      { writer, bucket: on.bucket, registry, version, title: version, metering: unmetered, stop: never },
      LATER,
    )
  }
  const listed = () => site.index().releases.map(({ version }) => version)
  return { ...site, file, bucket, parts, refresh, listed }
}

/** That lists computed from nothing but the bucket are these. */
async function assertRight(site: { readonly elsewhere: () => Promise<ListParts> }): Promise<void> {
  assert.deepEqual(await checkPages(await site.elsewhere()), [])
}

function withdrawal(version: string): StateRequest {
  return { version, state: 'withdrawn', reason: 'it is no good', supersededBy: null, amend: false, actor: 'Mira' }
}

test('after one more release, its document is read and no other', async (t) => {
  const site = await refreshed(t)
  site.put('v1.3.0')
  await site.refresh('v1.3.0')
  const asked = site.bucket.asked()
  assert.deepEqual(
    asked.filter((request) => DOCUMENT.test(request)),
    ['read _releases/v1.3.0/release.json', 'read _releases/v1.3.0/release.json.minisig'],
  )
  assert.deepEqual(
    asked.filter((request) => /^(contents|list) (?!_releases\/(v1\.3\.0|_retired)\/)/.test(request)),
    [],
  )
  assert.ok(site.listed().includes('v1.3.0'))
  await assertRight(site)
})

test('whether a list is there already is asked once, right before the first of them is put', async (t) => {
  const site = await refreshed(t)
  site.put('v1.3.0')
  await site.refresh('v1.3.0')
  const asked = site.bucket.asked()
  const puts = asked.flatMap((request, at) => (request.startsWith('put ') ? [at] : []))
  const looks = asked.flatMap((request, at) => (request.startsWith('open ') ? [at] : []))
  assert.ok(asked.includes(`open ${KEYS.index}`) && asked.includes(`put ${KEYS.index}`))
  assert.equal(new Set(looks.map((at) => asked[at])).size, looks.length)
  assert.ok(Math.max(...looks) < Math.min(...puts))
  // The key has not changed.
  assert.ok(asked.includes(`open ${KEYS.publicKey}`) && !asked.includes(`put ${KEYS.publicKey}`))
})

test('unchanged, the pages are compared with one listing, nothing is verified again, and nothing is written or locked', async (t) => {
  const site = await refreshed(t)
  const exclusively = () => assert.fail('a lease is a write')
  assert.deepEqual(await rebuildPages({ ...site.parts(), exclusively }, never), [])
  const asked = site.bucket.asked()
  assert.deepEqual(
    asked.filter((request) => DOCUMENT.test(request) || WRITES.test(request)),
    [],
  )
  assert.deepEqual(
    asked.filter((request) => request.startsWith('contents')),
    ['contents _releases/'],
  )
})

test('another machine has published meanwhile: both releases are listed, and the serial counts on', async (t) => {
  const site = await refreshed(t)
  const { serial } = site.index()
  site.put('v1.3.0')
  await site.refresh('v1.3.0', await site.elsewhere())
  site.put('v1.4.0')
  await site.refresh('v1.4.0')
  assert.ok(['v1.3.0', 'v1.4.0'].every((version) => site.listed().includes(version)))
  assert.equal(site.index().serial, serial + 2)
  await assertRight(site)
})

test('another machine has withdrawn a release: it stays withdrawn', async (t) => {
  const site = await refreshed(t)
  await changeState(await site.elsewhere(), () => withdrawal('v1.2.0'), null, never)
  site.put('v1.3.0')
  await site.refresh('v1.3.0')
  assert.equal(site.index().releases.find(({ version }) => version === 'v1.2.0')?.withdrawn, true)
  await assertRight(site)
})

test('another machine has died between a withdrawal and the lists: whoever writes them next finds it', async (t) => {
  const site = await refreshed(t)
  const other = await site.elsewhere()
  const dying: ListParts = { ...other, render: () => assert.fail('dead') }
  let rendered = 0
  const render: ListParts['render'] = (input) => (rendered++ === 0 ? other.render(input) : dying.render(input))
  await assert.rejects(
    changeState({ ...other, render }, () => withdrawal('v1.1.0'), null, never),
    /dead/,
  )
  assert.ok(readFileSync(join(site.folder, KEYS.state('v1.1.0', 1))).length > 0)
  site.put('v1.3.0')
  await site.refresh('v1.3.0')
  assert.equal(site.index().releases.find(({ version }) => version === 'v1.1.0')?.withdrawn, true)
  assert.throws(() => statSync(join(site.folder, KEYS.changing)), { code: 'ENOENT' })
  await assertRight(site)
})

test('lists with everything in them take the announcement away, also where nothing else has to be done', async (t) => {
  const site = await refreshed(t)
  site.write(KEYS.changing, 'somebody died')
  assert.deepEqual(await rebuildPages(site.parts(), never), [])
  assert.throws(() => statSync(join(site.folder, KEYS.changing)), { code: 'ENOENT' })
})

test('a document with other bytes of the same size and date is noticed, though it was verified before', async (t) => {
  const site = await refreshed(t)
  const path = join(site.folder, KEYS.document('v1.1.0'))
  const bytes = readFileSync(path)
  const { mtimeNs } = statSync(path, { bigint: true })
  writeFileSync(`${site.file}.date`, '')
  execFileSync('touch', ['-r', path, `${site.file}.date`])
  writeFileSync(path, bytes.toString('latin1').replace('"stable"', '"stale!"'), 'latin1')
  execFileSync('touch', ['-r', `${site.file}.date`, path])
  const now = statSync(path, { bigint: true })
  assert.deepEqual([now.size, now.mtimeNs], [BigInt(bytes.length), mtimeNs])
  await assert.rejects(rebuildPages(site.parts(), never), { code: 'VERIFICATION_FAILED' })
  await assert.rejects(checkPages(site.parts()), { code: 'VERIFICATION_FAILED' })
})

test('so is a signature that is gone', async (t) => {
  const site = await refreshed(t)
  site.remove(`${KEYS.document('v1.1.0')}.minisig`)
  await assert.rejects(rebuildPages(site.parts(), never), { code: 'VERIFICATION_FAILED' })
})

test('lists that go by the newest ones are not led astray by a document that was replaced: they name the one that was verified', async (t) => {
  const site = await refreshed(t)
  const before = site.index().releases.find(({ version }) => version === 'v1.1.0')
  site.write(KEYS.document('v1.1.0'), '{"format":"pitlane-release/1"}')
  site.put('v1.3.0')
  await site.refresh('v1.3.0')
  assert.deepEqual(
    site.index().releases.find(({ version }) => version === 'v1.1.0'),
    before,
  )
})

test('an old list that was put back is not gone by: what it does not say is read', async (t) => {
  const site = await refreshed(t)
  const sides = ['', '.minisig', '.sig'].map((side) => `${KEYS.index}${side}`)
  const old = sides.map((key) => [key, readFileSync(join(site.folder, key))] as const)
  await changeState(site.parts(), () => withdrawal('v1.2.0'), null, never)
  for (const [key, bytes] of old) site.write(key, bytes)
  site.put('v1.3.0')
  // By the machine that withdrew it, and by one that never saw it.
  for (const on of [site.parts(), await site.elsewhere()]) {
    site.bucket.asked()
    await site.refresh('v1.3.0', { ...on, bucket: site.bucket })
    assert.ok(site.bucket.asked().includes('contents _releases/'))
    assert.equal(site.index().releases.find(({ version }) => version === 'v1.2.0')?.withdrawn, true)
    for (const [key, bytes] of old) site.write(key, bytes)
  }
})

test('what was remembered is lost, or cut off in a crash: the lists are the same', async (t) => {
  const site = await refreshed(t)
  const before = readFileSync(join(site.folder, KEYS.index))
  for (const size of [0, 30, 500, statSync(site.file).size - 1]) {
    truncateSync(site.file, size)
    assert.deepEqual(await rebuildPages(site.parts(), never), [])
    assert.deepEqual(readFileSync(join(site.folder, KEYS.index)), before)
  }
  truncateSync(site.file, 0)
  site.put('v1.3.0')
  await site.refresh('v1.3.0')
  await assertRight(site)
})

test('a listing that does not show a release yet takes it off no list; one that is really gone stops what would drop it', async (t) => {
  const site = await refreshed(t)
  const stale: ListParts['bucket'] = {
    ...site.bucket,
    contents: async (prefix, wanted) => {
      const shown = new Map(await site.bucket.contents(prefix, wanted))
      shown.delete('v1.1.0')
      return shown
    },
    folders: async (prefix) => (await site.bucket.folders(prefix)).filter((name) => name !== 'v1.1.0'),
  }
  assert.deepEqual(await rebuildPages({ ...site.parts(), bucket: stale }, never), [])
  site.put('v1.3.0')
  await site.refresh('v1.3.0', { ...site.parts(), bucket: stale })
  assert.ok(site.listed().includes('v1.1.0'))
  rmSync(join(site.folder, KEYS.folder('v1.1.0')), { recursive: true })
  site.put('v1.4.0')
  await assert.rejects(site.refresh('v1.4.0'), { code: 'RELEASE_LOST', message: /readers are shown v1\.1\.0/ })
  assert.ok(site.listed().includes('v1.1.0'))
  await rebuildPages({ ...site.parts(), without: new Set(['v1.1.0']) }, never)
  await site.refresh('v1.4.0')
  assert.deepEqual([site.listed().includes('v1.1.0'), site.listed().includes('v1.4.0')], [false, true])
  assert.match(site.notes.join('\n'), /v1\.1\.0 is not listed any more: _releases\/v1\.1\.0\/release\.json is gone/)
})

test('without signatures, what was read is believed as long as it is the same, and nothing is skipped for what it says', async (t) => {
  const site = await refreshed(t, null)
  assert.deepEqual(await rebuildPages(site.parts(), never), [])
  assert.deepEqual(
    site.bucket.asked().filter((request) => DOCUMENT.test(request) || WRITES.test(request)),
    [],
  )
  const bytes = readFileSync(join(site.folder, KEYS.document('v1.1.0')), 'latin1')
  site.write(
    KEYS.document('v1.1.0'),
    bytes.replace(/("publishedAt": ")[0-9]{4}/, (_, begin: string) => `${begin}2019`),
  )
  assert.ok((await checkPages(site.parts())).includes(KEYS.index))
})

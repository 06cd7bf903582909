import assert from 'node:assert/strict'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { never, NOW, siteKey, toySite, signerOf } from '../../../test/world/signed-site.ts'
import { KEYS } from '../../plan/keys.ts'
import { changeState } from '../states/change-state.ts'
import { bodyOf } from '../digest.ts'
import type { ListParts } from '../lists/list-parts.ts'
import { signDocument } from '../put-operations.ts'
import { checkPages, rebuildPages } from '../lists/rebuild-pages.ts'
import { applyRetention } from '../retention/apply.ts'
import { verifyRelease } from '../verify/verify.ts'
import { type DocumentationFile, encodeFiles, parseSite } from './documents.ts'
import { publishSite, type SiteRequest } from './publish-site.ts'
import { unmetered } from '../../run/meter.ts'

const DAY = 86_400_000
const PLACE = { path: 'docs/', channel: 'stable', versions: true, grace: 7 * DAY }
const signer = signerOf(7)
const VERSIONS = ['v1.0.0', 'v1.0.1', 'v1.0.2']

const textOf = (version: string) => ({ 'index.html': `<p>${version}`, [`${version}.css`]: 'a {}' })
const filesOf = (contents: Readonly<Record<string, string>>): DocumentationFile[] =>
  Object.entries(contents).map(([path, text]) => ({
    path,
    size: text.length,
    sha256: bodyOf(Buffer.from(text)).sha256,
  }))

/** Three releases with documentation; that of those in `kept` stays under the version. */
async function documented(t: TestContext, kept: readonly string[] = VERSIONS) {
  const made = toySite(t)
  const put = (version: string) => {
    const contents = textOf(version)
    const files = filesOf(contents)
    const bytes = encodeFiles({ format: 'pitlane-documentation/1', name: 'toy', version, files })
    const key = KEYS.documentation(version)
    made.write(key, bytes)
    for (const side of signDocument(signer, 'toy', version, key, bytes)) made.write(side.key, side.bytes)
    const isKept = kept.includes(version)
    if (isKept) for (const [path, text] of Object.entries(contents)) made.write(`docs/${version}/${path}`, text)
    const size = files.reduce((sum, file) => sum + file.size, 0)
    const documentation = { sha256: bodyOf(bytes).sha256, files: 2, size, kept: isKept ? `docs/${version}/` : null }
    made.put(version, { documentation })
  }
  for (const version of VERSIONS) put(version)
  const parts: ListParts = { ...(await made.elsewhere()), documentation: PLACE }
  const change = (version: string, state: 'withdrawn' | 'published') => {
    const asked = { version, state, reason: 'no good', supersededBy: null, amend: false, actor: 'Mira' }
    return changeState(parts, () => asked, null, never)
  }
  const byHand = (contents: Readonly<Record<string, string>>, version: string | null = null) => {
    const byDigest = new Map(Object.values(contents).map((text) => [bodyOf(Buffer.from(text)).sha256, text]))
    const request: SiteRequest = {
      files: filesOf(contents),
      version,
      open: async (sha256) => bodyOf(Buffer.from(byDigest.get(sha256) ?? '')),
    }
    return publishSite(parts, never, request)
  }
  return {
    ...made,
    parts,
    change,
    byHand,
    site: () => parseSite(Buffer.from(made.read(KEYS.documentationNow)), 'x'),
    /** What is wrong with its documentation: the releases of this world have no other files. */
    verify: async (version: string) => {
      const request = {
        bucket: parts.bucket,
        registryOf: async () => null,
        version,
        key: siteKey(),
        now: NOW,
        metering: unmetered,
      }
      return (await verifyRelease(request)).problems.filter((problem) => /doc(s|umentation)/.test(problem))
    },
  }
}

test('the site is made of what is kept, and follows the pointer back and forth', async (t) => {
  const { parts, site, read, index, change, verify, write } = await documented(t)
  assert.ok((await checkPages(parts)).includes('docs/index.html'))
  assert.ok((await rebuildPages(parts, never)).includes('docs/index.html'))
  assert.deepEqual(await checkPages(parts), [])
  assert.deepEqual(
    [site().version, index().documentation?.version, read('docs/index.html')],
    ['v1.0.2', 'v1.0.2', '<p>v1.0.2'],
  )
  const back = await change('v1.0.2', 'withdrawn')
  assert.deepEqual(back.documentation, { path: 'docs/', from: 'v1.0.2', to: 'v1.0.1' })
  assert.deepEqual([site().version, read('docs/index.html')], ['v1.0.1', '<p>v1.0.1'])
  // For readers of a page from before.
  assert.equal(read('docs/v1.0.2.css'), 'a {}')
  assert.deepEqual(await verify('v1.0.1'), [])
  // An older one is none of its business.
  assert.equal((await change('v1.0.0', 'withdrawn')).documentation, null)
  await change('v1.0.2', 'published')
  assert.equal(site().version, 'v1.0.2')
  write('docs/index.html', '<p>other!')
  assert.match((await verify('v1.0.2')).join('\n'), /^docs\/index\.html has SHA-256 /)
})

test('what was not kept leaves the site as it is, and that is said; the next one that is put takes its place', async (t) => {
  const { parts, site, change, notes, byHand, at } = await documented(t, ['v1.0.2'])
  await rebuildPages(parts, never)
  assert.equal((await change('v1.0.2', 'withdrawn')).documentation, null)
  assert.equal(site().version, 'v1.0.2')
  assert.match(notes.join('\n'), /stays that of v1\.0\.2, which is withdrawn: none of v1\.0\.1 is kept/)
  await assert.rejects(byHand({ 'index.html': 'other' }, 'v1.0.1'), {
    code: 'CONTRADICTION',
    message: /has other documentation/,
  })
  await byHand(textOf('v1.0.1'), 'v1.0.1')
  await assert.rejects(byHand(textOf('v1.0.0'), 'v1.0.0'), {
    code: 'PLAN_CONTRADICTION',
    message: /back from v1\.0\.1 to v1\.0\.0/,
  })
  await byHand({ 'index.html': 'mine' })
  // Somebody's own stays whatever becomes of releases, and loses what it has had long enough.
  await change('v1.0.2', 'published')
  assert.equal(site().version, null)
  at(NOW + 8 * DAY)
  await rebuildPages(parts, never)
  assert.deepEqual([site().version, site().files.length, site().leaving], [null, 1, []])
})

test('documentation that is kept goes with its version, and the site stays', async (t) => {
  const { parts, folder, at, site } = await documented(t)
  await rebuildPages(parts, never)
  const apply = (time: number) => {
    at(time)
    const retention = { channels: new Map([['stable', { keep: 1, for: null }]]), pins: [], grace: 7 * DAY }
    return applyRetention({ lists: parts, retention }, never, () => undefined)
  }
  assert.deepEqual((await apply(NOW + DAY)).retired, ['v1.0.1', 'v1.0.0'])
  assert.deepEqual((await apply(NOW + 9 * DAY)).removed.toSorted(), ['v1.0.0', 'v1.0.1'])
  assert.deepEqual(readdirSync(join(folder, 'docs')).toSorted(), ['index.html', 'v1.0.2', 'v1.0.2.css'])
  assert.ok(!existsSync(join(folder, KEYS.documentation('v1.0.0'))))
  assert.equal(site().version, 'v1.0.2')
  assert.deepEqual(await checkPages(parts), [])
})

test('a state that nobody signed stops the work; without it the site is put anew, and a half signed one is signed again', async (t) => {
  const { parts, write, read, remove, verify } = await documented(t)
  await rebuildPages(parts, never)
  const good = read(KEYS.documentationNow)
  write(KEYS.documentationNow, good.replace('v1.0.2"', 'v1.0.1"'))
  await assert.rejects(rebuildPages(parts, never), {
    code: 'VERIFICATION_FAILED',
    hint: /remove it: then the site is put anew/,
  })
  write(KEYS.documentationNow, good)
  write(`${KEYS.documentationNow}.sig`, Buffer.alloc(64))
  assert.deepEqual(await verify('v1.0.2'), [])
  assert.ok((await rebuildPages(parts, never)).includes(`${KEYS.documentationNow}.sig`))
  assert.deepEqual(await rebuildPages(parts, never), [])
  for (const key of [KEYS.documentationNow, KEYS.documentationNext]) remove(key)
  await rebuildPages(parts, never)
  assert.deepEqual(await verify('v1.0.2'), [])
})

import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { BEGIN, handMadeSite, ONE, OTHER, plan } from '../../../test/world/hand-made-site.ts'
import { KEYS } from '../../plan/keys.ts'
import type { Retention } from '../../plan/retention.ts'
import { checkPages } from '../lists/rebuild-pages.ts'
import { settledStanding } from '../lists/standing.ts'
import { applyRetention } from './apply.ts'
import { objectsOf } from './contents.ts'
import { planRetention } from './plan.ts'

const DAY = 86_400_000
const never = new AbortController().signal
const LEAVES = BEGIN + 10 * DAY
const GOES = BEGIN + 18 * DAY

/** v1.0.0 and v1.0.2 are whole, in two revisions each; v1.0.1 was the newest and is withdrawn in favour of v1.0.0. A day between each. */
async function site(t: TestContext) {
  const made = await handMadeSite(t)
  const { put, at, change, lists, root } = made
  for (const [day, version] of ['v1.0.0', 'v1.0.1', 'v1.0.2'].entries()) {
    at(BEGIN + day * DAY)
    await put(plan(version), OTHER, 'two')
    await put(plan(version), ONE, 'one')
    if (version === 'v1.0.1') await change(version, 'withdrawn', 'v1.0.0')
  }
  const apply = (time: number, policy: { keep: number } = { keep: 1 }, pins: readonly string[] = []) => {
    at(time)
    const channels = new Map([['stable', { ...policy, for: null }]])
    const retention: Retention = { channels, pins, grace: 7 * DAY }
    return applyRetention({ lists, retention }, never, () => undefined)
  }
  const folder = (version: string) => join(root, 'bucket', KEYS.folder(version))
  return { ...made, apply, folder }
}

test('what a withdrawn release sends people to stays as long as the release is there', async (t) => {
  const { apply, folder, index, lists, root } = await site(t)
  const first = await apply(LEAVES)
  const reasons = first.plan.versions.map(({ version, step, reason }) => `${version} ${step}: ${reason}`)
  assert.deepEqual(reasons, [
    'v1.0.2 kept: latest names it',
    'v1.0.1 retire: number 2, with keep: 1',
    'v1.0.0 kept: the withdrawn v1.0.1 names it',
  ])
  assert.deepEqual(index().versions, ['v1.0.0', 'v1.0.2'])
  // Whoever names it still gets it, and is still told.
  const script = readFileSync(join(root, 'bucket', KEYS.installScript), 'utf8')
  assert.match(script, /^ {4}'v1\.0\.1'\) say 'Withdrawn on .*: it is no good\. Use v1\.0\.0 instead\.' ;;$/m)
  assert.deepEqual(await checkPages(lists), [])
  assert.equal((await apply(GOES)).removed.join(), 'v1.0.1')
  assert.ok(!existsSync(folder('v1.0.1')), 'with all revisions and states')
  assert.deepEqual(await checkPages(lists), [])
  assert.deepEqual((await apply(GOES)).retired, ['v1.0.0'])
})

test('no object of a release is a stray: revisions and states are named', async (t) => {
  const { lists, at, folder } = await site(t)
  at(LEAVES)
  const retention: Retention = { channels: new Map(), pins: [], grace: 7 * DAY }
  const { strays } = await planRetention({ lists, retention }, await settledStanding(lists), LEAVES)
  assert.deepEqual(strays, { objects: 0, bytes: 0, examples: [] })
  const files = readdirSync(folder('v1.0.1'))
  for (const name of ['release.json', 'release.2.json', 'SHA256SUMS.2.minisig', 'state-1.json.sig'])
    assert.ok(files.includes(name), name)
})

test('the document that makes it a release is removed before later revisions, and those before the states', async (t) => {
  const { put, change, read } = await handMadeSite(t)
  await put(plan('hand-1'), OTHER, 'two')
  await put(plan('hand-1'), ONE, 'one')
  const { state } = await change('hand-1', 'withdrawn')
  assert.ok(state)
  const keys = objectsOf(read(2), new Map([['hand-1', { state, sha256: '0'.repeat(64) }]]))
  assert.deepEqual(
    keys.filter((key) => key.endsWith('.json')),
    [KEYS.document('hand-1'), KEYS.document('hand-1', 2), KEYS.state('hand-1', 1)],
  )
})

test('a pin brings it back as what it is', async (t) => {
  const { apply, index, verify } = await site(t)
  await apply(LEAVES)
  assert.deepEqual((await apply(LEAVES + DAY)).restored, [])
  assert.deepEqual((await apply(LEAVES + 2 * DAY, { keep: 1 }, ['v1.0.1'])).restored, ['v1.0.1'])
  const entry = index().releases.find(({ version }) => version === 'v1.0.1')
  assert.deepEqual([entry?.withdrawn, entry?.byHand?.revision, index().pointers['stable']], [true, 2, 'v1.0.2'])
  assert.deepEqual((await verify('v1.0.1')).problems, [])
})

test('nothing joins a version that was retired', async (t) => {
  const { apply, put, folder } = await site(t)
  await apply(LEAVES)
  const before = readdirSync(folder('v1.0.1'))
  await assert.rejects(put(plan('v1.0.1'), ONE, 'one'), { code: 'CONTRADICTION', message: /was retired at/ })
  assert.deepEqual(readdirSync(folder('v1.0.1')), before)
})

test('what lacks a target is not retired while that may still come', async (t) => {
  const { apply, put, at } = await site(t)
  const version = 'v1.0.3'
  const stepOf = async (time: number) => {
    const { versions } = (await apply(time)).plan
    const { step, reason } = versions.find((planned) => planned.version === version) ?? {}
    return `${step}: ${reason}`
  }
  at(LEAVES)
  await put(plan(version), OTHER, 'two')
  assert.match(await stepOf(LEAVES + DAY), /^kept: lacks targets, which may still come until 20/)
  assert.match(await stepOf(LEAVES + 7 * DAY), /^retire: number \d, with keep: 1$/)
})

test('and once it is whole, it is the newest', async (t) => {
  const { apply, put, at, index } = await site(t)
  at(LEAVES)
  await put(plan('v1.0.3'), OTHER, 'two')
  await apply(LEAVES + DAY)
  await put(plan('v1.0.3'), ONE, 'one')
  assert.equal(index().pointers['stable'], 'v1.0.3')
})

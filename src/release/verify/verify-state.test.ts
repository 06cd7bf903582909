import assert from 'node:assert/strict'
import { test } from 'node:test'
import { KEYS } from '../../plan/keys.ts'
import { changeState } from '../states/change-state.ts'
import { never, NOW, resign, signedSite, siteKey } from '../../../test/world/signed-site.ts'
import type { ListParts } from '../lists/list-parts.ts'
import type { Published } from './verify-document.ts'
import { verifyRelease } from './verify.ts'
import { unmetered } from '../../run/meter.ts'

const DAY = 86_400_000

/** What is found of the lists; the releases of this site have no files and no SHA256SUMS. */
async function verified(bucket: Published, version: string, now = NOW) {
  const { problems, checks, state } = await verifyRelease({
    bucket,
    registryOf: () => Promise.resolve(null),
    version,
    key: siteKey(),
    now,
    metering: unmetered,
  })
  return { problems: problems.filter((problem) => !problem.includes('SHA256SUMS')), checks, state }
}

/** As through an address: nothing can be listed. */
function behindAddress({ bucket }: ListParts): Published {
  return {
    location: bucket.location,
    read: (key, limit) => bucket.read(key, limit),
    open: (key) => bucket.open(key),
  }
}

function withdraw(parts: ListParts, version: string) {
  const request = {
    version,
    state: 'withdrawn',
    reason: 'no good',
    supersededBy: null,
    amend: false,
    actor: 'M',
  } as const
  return changeState(parts, () => request, null, never)
}

test('a release that is withdrawn verifies, and it is said; others say nothing', async (t) => {
  const { parts } = await signedSite(t)
  await withdraw(parts, 'v1.2.0')
  for (const bucket of [parts.bucket, behindAddress(parts)]) {
    const { problems, checks, state } = await verified(bucket, 'v1.2.0')
    assert.deepEqual(problems, [])
    assert.equal(state?.reason, 'no good')
    assert.ok(checks.includes('state-1.json and index.json say what became of it'))
    assert.deepEqual(await verified(bucket, 'v1.1.0').then((other) => [other.problems, other.state]), [[], null])
  }
})

test('a document and its signatures are asked for at the same time', async (t) => {
  const { parts } = await signedSite(t)
  const { location, read, open } = behindAddress(parts)
  const asked = new Set<string>()
  const signed = [KEYS.document('v1.2.0'), KEYS.index]
  const slow: Published = {
    location,
    open,
    async read(key, limit) {
      asked.add(key)
      await new Promise(setImmediate)
      for (const side of signed.includes(key) ? ['.minisig', '.sig'] : []) assert.ok(asked.has(`${key}${side}`), key)
      return read(key, limit)
    },
  }
  assert.deepEqual((await verified(slow, 'v1.2.0')).problems, [])
})

test('an index from before is told by the state beside the release; through an address it can not be', async (t) => {
  const { parts, read, write } = await signedSite(t)
  const sides = ['', '.minisig', '.sig'].map((side) => `${KEYS.index}${side}`)
  const before = new Map(await Promise.all(sides.map(async (key) => [key, await parts.bucket.read(key, 1e6)] as const)))
  await withdraw(parts, 'v1.0.0')
  for (const [key, bytes] of before) write(key, bytes ?? '')
  const { problems, state } = await verified(parts.bucket, 'v1.0.0')
  assert.equal(state?.state, 'withdrawn')
  assert.match(
    problems[0] ?? '',
    /^v1\.0\.0 is withdrawn since .*, and _releases\/index\.json does not say so yet: it is an older list$/,
  )
  assert.equal((await verified(behindAddress(parts), 'v1.0.0')).state, null)
  assert.match(read(KEYS.state('v1.0.0', 1)), /withdrawn/)
})

test('a state that is gone, or another one in its place: told, and the warning stays', async (t) => {
  const { parts, read, write, remove } = await signedSite(t)
  await withdraw(parts, 'v1.2.0')
  const key = KEYS.state('v1.2.0', 1)
  const whole = read(key)
  write(key, whole.replace('no good', 'so good'))
  const changed = await verified(parts.bucket, 'v1.2.0')
  assert.match(changed.problems[0] ?? '', /state-1\.json\.minisig: the signature is not one of this file by this key/)
  assert.equal(changed.state?.reason, 'no good')
  remove(key)
  const gone = await verified(parts.bucket, 'v1.2.0')
  assert.deepEqual([gone.problems, gone.state?.reason], [[`${key} is missing`], 'no good'])
})

test('a pointer or a list that still offers it is told, also where the publisher signed them', async (t) => {
  const { parts, read, write, index } = await signedSite(t)
  const list = read(KEYS.garageList)
  await withdraw(parts, 'v1.2.0')
  await withdraw(parts, 'v2.0.0-rc1')
  write(KEYS.garageList, list)
  write(KEYS.latestOf('extra'), 'v2.0.0-rc1\n')
  for (const [version, number] of [
    ['v1.2.0', 2],
    ['v2.0.0-rc1', 2],
  ] as const) {
    const { problems } = await verified(parts.bucket, version)
    assert.equal(
      problems.filter((problem) => / is not the one that _releases\/index\.json \(serial 3\) names: /.test(problem))
        .length,
      number,
    )
    assert.equal(problems.length, number)
  }
  resign(write, index(), (key) => Buffer.from(read(key)))
  assert.deepEqual((await verified(parts.bucket, 'v1.2.0')).problems, [
    '_releases.json lists v1.2.0, which is withdrawn',
  ])
  assert.deepEqual((await verified(parts.bucket, 'v2.0.0-rc1')).problems, [
    '_releases.json lists v2.0.0-rc1, which is withdrawn',
    '_releases/latest-extra names a version, and index.json none',
  ])
})

test('a list past its expiry does not vouch for anything: it may be a mirror that hides what was withdrawn since', async (t) => {
  const { parts } = await signedSite(t)
  assert.deepEqual((await verified(parts.bucket, 'v1.2.0', NOW + 90 * DAY)).problems, [])
  await withdraw(parts, 'v1.2.0')
  const { problems, state } = await verified(parts.bucket, 'v1.2.0', NOW + 90 * DAY + 1000)
  assert.equal(state?.reason, 'no good', 'what it says of withdrawn ones still holds')
  assert.match(
    problems[0] ?? '',
    /^_releases\/index\.json expired at 2026-08-30T00:00:00Z: this may be an old mirror; the publisher renews it/,
  )
})

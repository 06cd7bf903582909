import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { KEYS } from '../../plan/keys.ts'
import { changeState, previewState, type StateChange } from './change-state.ts'
import { never, NOW, signedSite, VERSIONS } from '../../../test/world/signed-site.ts'
import type { ListParts } from '../lists/list-parts.ts'
import type { StateRequest } from './next-state.ts'
import { checkPages, rebuildPages } from '../lists/rebuild-pages.ts'
import { rollback } from './rollback.ts'

function request(version: string, changes: Partial<StateRequest> = {}): StateRequest {
  return {
    version,
    state: 'withdrawn',
    reason: 'it is no good',
    supersededBy: null,
    amend: false,
    actor: 'Mira',
    ...changes,
  }
}

function ask(parts: ListParts, version: string, changes: Partial<StateRequest> = {}): Promise<StateChange> {
  return changeState(parts, () => request(version, changes), null, never)
}

test('any row of changes: pointers and lists are what the states say, and another state finds nothing to rebuild', async (t) => {
  const verbs = fc.constantFrom('withdraw', 'restore', 'rollback')
  const steps = fc.array(fc.tuple(verbs, fc.constantFrom(...VERSIONS), fc.boolean()), { minLength: 1, maxLength: 5 })
  await fc.assert(
    fc.asyncProperty(steps, async (list) => {
      const { parts, elsewhere, index, read } = await signedSite(t)
      const withdrawn = new Set<string>()
      const left = (channel: string) =>
        VERSIONS.filter((version) => version.includes('-') === (channel === 'extra') && !withdrawn.has(version))
      for (const [verb, version, isOther] of list) {
        const from = isOther ? await elsewhere() : parts
        if (verb === 'restore') {
          await ask(from, version, { state: 'published' })
          withdrawn.delete(version)
        } else if (verb === 'withdraw') {
          await ask(from, version, { amend: true })
          withdrawn.add(version)
        } else {
          const asked = changeState(from, rollback(from, 'stable', 'it is no good', 'Mira'), null, never)
          const newest = left('stable').at(-1)
          if (newest === undefined || left('stable').length === 1) await assert.rejects(asked, { code: 'NOT_FOUND' })
          else {
            assert.equal((await asked).version, newest)
            withdrawn.add(newest)
          }
        }
        const { pointers, versions, releases } = index()
        assert.equal(pointers['stable'], left('stable').at(-1))
        assert.equal(pointers['extra'], left('extra').at(-1))
        assert.deepEqual(versions, left('stable'))
        assert.deepEqual(new Set(releases.filter((one) => one.withdrawn).map((one) => one.version)), withdrawn)
        assert.equal(read(KEYS.latest).trimEnd(), left('stable').at(-1) ?? '')
        assert.deepEqual(await checkPages(await elsewhere()), [])
      }
    }),
    { numRuns: 5 },
  )
})

test('the same again changes nothing; reason and successor change by a new revision that keeps the day', async (t) => {
  const { parts, index, at, read } = await signedSite(t)
  const first = await ask(parts, 'v1.1.0')
  assert.deepEqual([first.changed, first.pointers], [true, []])
  at(NOW + 86_400_000)
  const { serial } = index()
  assert.equal((await ask(parts, 'v1.1.0')).changed, false)
  assert.equal(index().serial, serial)
  await assert.rejects(ask(parts, 'v1.1.0', { reason: 'another one' }), {
    code: 'WITHDRAWN',
    message: 'v1.1.0 is withdrawn since 2026-06-01T00:00:00Z: it is no good',
  })
  const { state } = await ask(parts, 'v1.1.0', { reason: null, supersededBy: 'v1.2.0' })
  assert.deepEqual(
    [state?.revision, state?.since, state?.date, state?.reason, state?.supersededBy],
    [2, '2026-06-01T00:00:00Z', '2026-06-02T00:00:00Z', 'it is no good', 'v1.2.0'],
  )
  assert.equal((await ask(parts, 'v1.1.0')).changed, false, 'the successor stays')
  assert.equal((await ask(parts, 'v1.1.0', { reason: 'another one', amend: true })).state?.supersededBy, 'v1.2.0')
  assert.match(read(KEYS.state('v1.1.0', 3)), /"reason": "another one"/)
})

test('a preview writes nothing, and what is done has to be what was shown', async (t) => {
  const { parts, index } = await signedSite(t)
  const back = rollback(parts, 'stable', null, 'Mira')
  const shown = await previewState(parts, back)
  assert.deepEqual(shown.pointers, [{ channel: 'stable', from: 'v1.2.0', to: 'v1.1.0' }])
  assert.equal(shown.state?.reason, 'Rolled back to the release before it')
  assert.equal(index().serial, 1)
  await ask(parts, 'v1.1.0')
  await assert.rejects(changeState(parts, back, shown, never), {
    code: 'PLAN_CONTRADICTION',
    message: 'the releases have changed since this was shown',
  })
  assert.equal(index().pointers['stable'], 'v1.2.0')
})

test('a state that readers were shown holds without its document, and comes back with the same bytes', async (t) => {
  const { parts, elsewhere, index, read, remove, notes } = await signedSite(t)
  await ask(parts, 'v1.2.0')
  const key = KEYS.state('v1.2.0', 1)
  const sides = ['', '.minisig', '.sig'].map((side) => `${key}${side}`)
  const before = sides.map(read)
  for (const from of [parts, await elsewhere()]) {
    for (const side of sides) remove(side)
    assert.deepEqual(await checkPages(from), [sides[1], sides[2], sides[0]])
    await rebuildPages(from, never)
    assert.deepEqual(sides.map(read), before)
    assert.equal(index().pointers['stable'], 'v1.1.0')
    assert.match(notes.at(-1) ?? '', /state-1\.json is gone from the bucket/)
  }
  // The index is gone as well: this state still knows.
  for (const file of [...sides, KEYS.index, `${KEYS.index}.minisig`, `${KEYS.index}.sig`]) remove(file)
  await rebuildPages(parts, never)
  assert.deepEqual(sides.map(read), before)
})

test('no pointer goes back behind a version that is lost and not withdrawn, also when another one is', async (t) => {
  const { parts, remove } = await signedSite(t)
  remove(KEYS.document('v1.1.0'))
  await assert.rejects(ask(parts, 'v1.2.0'), {
    code: 'RELEASE_LOST',
    message: /has lost _releases\/v1\.1\.0\/release\.json, and readers are shown v1\.1\.0/,
  })
})

test('a state that is dated before what it follows is dated like that: the clock went back', async (t) => {
  const { parts, at } = await signedSite(t)
  at(NOW - 10 * 86_400_000)
  assert.equal((await ask(parts, 'v1.2.0')).state?.date, '2026-06-01T00:00:00Z')
})

test('stopped before anything went out, another request takes its place; the same one goes on with its date', async (t) => {
  const { parts, at, read } = await signedSite(t)
  const stop = AbortSignal.abort()
  await assert.rejects(
    changeState(parts, () => request('v1.2.0'), null, stop),
    { code: 'INTERRUPTED' },
  )
  at(NOW + 1000)
  await assert.rejects(
    changeState(parts, () => request('v1.1.0'), null, stop),
    { code: 'INTERRUPTED' },
  )
  at(NOW + 2000)
  assert.equal((await ask(parts, 'v1.1.0')).state?.date, '2026-06-01T00:00:01Z')
  assert.throws(() => read(KEYS.state('v1.2.0', 1)), { code: 'ENOENT' })
  assert.equal((await ask(parts, 'v1.2.0')).state?.date, '2026-06-01T00:00:02Z')
})

test('a state that nobody signed, or somebody else, stops the lists', async (t) => {
  const { parts, write, read, remove } = await signedSite(t)
  await ask(parts, 'v1.2.0')
  const key = KEYS.state('v1.2.0', 2)
  write(key, read(KEYS.state('v1.2.0', 1)).replace('"revision": 1', '"revision": 2').replace('withdrawn', 'published'))
  await assert.rejects(rebuildPages(parts, never), {
    code: 'VERIFICATION_FAILED',
    message: /state-2\.json\.minisig is missing/,
  })
  write(`${key}.minisig`, read(`${KEYS.state('v1.2.0', 1)}.minisig`))
  await assert.rejects(rebuildPages(parts, never), { code: 'VERIFICATION_FAILED', message: /state-2\.json\.minisig/ })
  remove(key)
  assert.deepEqual(await rebuildPages(parts, never), [])
})

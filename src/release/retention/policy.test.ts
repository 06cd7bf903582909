import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import type { Retention } from '../../plan/retention.ts'
import { compareVersions, lineOf } from '../../plan/version.ts'
import { type Candidate, judge } from './policy.ts'

const DAY = 86_400_000
const NOW = 1000 * DAY

function retention(channels: Record<string, { keep?: number; for?: number }>, pins: readonly string[] = []): Retention {
  const entries = Object.entries(channels).map(
    ([name, policy]): [string, { keep: number | null; for: number | null }] => [
      name,
      { keep: policy.keep ?? null, for: policy.for === undefined ? null : policy.for * DAY },
    ],
  )
  return { channels: new Map(entries), pins, grace: 7 * DAY }
}

/** `version age-in-days [withdrawn | growing]`, newest first; what grows does so for a week. */
function candidates(channel: string, ...rows: readonly string[]): Candidate[] {
  return rows.map((row) => {
    const [version = '', age = '0', what] = row.split(' ')
    const publishedAt = NOW - Number(age) * DAY
    const growsUntil = what === 'growing' ? publishedAt + 7 * DAY : null
    return { version, channel, publishedAt, isOffered: what !== 'withdrawn', growsUntil }
  })
}

function verdicts(policy: Retention, given: readonly Candidate[], named: ReadonlyMap<string, string> = new Map()) {
  return judge({ retention: policy, candidates: given, named, now: NOW }).map(
    ({ version, kept, since }) => `${version} ${kept?.by ?? `goes ${(NOW - (since ?? 0)) / DAY}`}`,
  )
}

test('what either rule keeps stays, and what goes says since when', () => {
  const given = candidates('development', 'a 1', 'b 10', 'c 50', 'd 100')
  const table: readonly (readonly [Parameters<typeof retention>[0], readonly string[]])[] = [
    [{}, ['a no-policy', 'b no-policy', 'c no-policy', 'd no-policy']],
    [{ stable: { keep: 1 } }, ['a no-policy', 'b no-policy', 'c no-policy', 'd no-policy']],
    // The third went when the newest came, the fourth when the second newest did.
    [{ development: { keep: 2 } }, ['a keep', 'b keep', 'c goes 1', 'd goes 10']],
    [{ development: { for: 30 } }, ['a for', 'b for', 'c goes 10', 'd goes 50']],
    [{ development: { for: 50 } }, ['a for', 'b for', 'c goes 0', 'd goes 50']],
    [{ development: { keep: 1, for: 60 } }, ['a keep', 'b for', 'c for', 'd goes 40']],
    [{ development: { keep: 3, for: 5 } }, ['a keep', 'b keep', 'c keep', 'd goes 1']],
  ]
  for (const [policy, expected] of table) {
    assert.deepEqual(verdicts(retention(policy), given), expected, JSON.stringify(policy))
  }
})

test('what still lacks targets stays for the grace time, so that they can come', () => {
  const given = candidates('extra', 'whole 20', 'b 2 growing', 'c 9 growing')
  assert.deepEqual(verdicts(retention({ extra: { keep: 1 } }), given), ['whole keep', 'b growing', 'c goes 2'])
})

test('the newest of a line, a pin and what a pointer names stay', () => {
  const given = candidates(
    'stable',
    'v1.2.1 100',
    'v1.2.0 200',
    'v1.1.9 300',
    'v1.1.8 400',
    'v1.0.0 500',
    'v0.9 600',
    'v0.9.0 700',
  )
  assert.deepEqual(verdicts(retention({ stable: { for: 10 } }), given), [
    'v1.2.1 line',
    'v1.2.0 goes 100',
    'v1.1.9 line',
    'v1.1.8 goes 300',
    'v1.0.0 line',
    'v0.9 line',
    'v0.9.0 goes 600',
  ])
  const pinned = retention({ stable: { for: 10 } }, ['v1.1.8'])
  assert.deepEqual(verdicts(pinned, given, new Map([['v1.2.0', 'latest']])).slice(1, 4), [
    'v1.2.0 named',
    'v1.1.9 line',
    'v1.1.8 pin',
  ])
})

test('what is withdrawn takes no place from others, and a line keeps its newest that is not', () => {
  const given = candidates(
    'stable',
    'v1.1.3 10 withdrawn',
    'v1.1.2 20 withdrawn',
    'v1.1.1 30',
    'v1.1.0 40',
    'v1.0.0 50',
  )
  assert.deepEqual(verdicts(retention({ stable: { keep: 1 } }), given), [
    'v1.1.3 line',
    'v1.1.2 goes 10',
    'v1.1.1 line',
    'v1.1.0 goes 30',
    'v1.0.0 line',
  ])
  // As if it were not withdrawn.
  assert.equal(verdicts(retention({ stable: { keep: 2 } }), given)[1], 'v1.1.2 keep')
  assert.equal(verdicts(retention({ stable: { keep: 2 } }), given)[3], 'v1.1.0 keep')
})

test('each channel has its own order and lines', () => {
  const given = [...candidates('stable', 'v1.2.0 100'), ...candidates('extra', 'v1.2.0-rc2 200', 'v1.2.0-rc1 300')]
  assert.deepEqual(verdicts(retention({ extra: { keep: 1 } }), given), [
    'v1.2.0 no-policy',
    'v1.2.0-rc2 line',
    'v1.2.0-rc1 goes 200',
  ])
})

test('whatever the policy, the newest of a line, a pointer, a pin and a channel without a policy stay', () => {
  const version = fc
    .tuple(fc.nat(2), fc.nat(2), fc.nat(4), fc.constantFrom('', '-rc1'))
    .map(([a, b, c, suffix]) => `v${a}.${b}.${c}${suffix}`)
  const policy = fc.record(
    { keep: fc.integer({ min: 1, max: 5 }), for: fc.integer({ min: 1, max: 900 }) },
    { requiredKeys: [] },
  )
  fc.assert(
    fc.property(
      fc.uniqueArray(
        fc.record({
          version,
          channel: fc.constantFrom('stable', 'extra'),
          age: fc.nat(1000),
          isOffered: fc.boolean(),
          grows: fc.option(fc.nat(1000)),
        }),
        { selector: (row) => row.version, maxLength: 30 },
      ),
      fc.dictionary(fc.constantFrom('stable', 'extra'), policy),
      fc.array(version, { maxLength: 3 }),
      fc.array(version, { maxLength: 3 }),
      (rows, channels, pins, pointers) => {
        const given = rows
          .toSorted((a, b) => compareVersions(b.version, a.version))
          .map(({ age, grows, ...row }) => ({
            ...row,
            publishedAt: NOW - age * DAY,
            growsUntil: grows === null ? null : NOW + (grows - age) * DAY,
          }))
        const named = new Map(pointers.map((pointer): [string, string] => [pointer, 'latest']))
        const found = judge({ retention: retention(channels, pins), candidates: given, named, now: NOW })
        const going = found.filter(({ kept }) => kept === null)
        for (const { version: gone, channel, since, publishedAt } of going) {
          const isOfLine = (other: Candidate) => other.channel === channel && lineOf(other.version) === lineOf(gone)
          assert.notEqual(given.find(isOfLine)?.version, gone)
          assert.notEqual(given.find((other) => isOfLine(other) && other.isOffered)?.version, gone)
          assert.ok(!pins.includes(gone) && !named.has(gone) && channel in channels)
          assert.ok(since !== null && since <= NOW && since >= publishedAt)
        }
        // Judged again as time goes by, nothing that goes comes back.
        const later = judge({ retention: retention(channels, pins), candidates: given, named, now: NOW + DAY })
        for (const { version: gone } of going)
          assert.equal(later.find((verdict) => verdict.version === gone)?.kept, null)
      },
    ),
  )
})

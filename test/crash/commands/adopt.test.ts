// Adopting a bucket dies at every change that only it makes, and at some that all make: readers see nothing half, and the same command goes on, also without its state.
import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { after, before, test } from 'node:test'
import { KEYS } from '../../../src/plan/keys.ts'
import { parseSiteIndex } from '../../../src/release/lists/site-index.ts'
import { PUBLIC_KEY } from '../../world/toy.ts'
import { EVERY, eachKilled } from '../killing.ts'
import { backwards, look } from '../readers.ts'
import { NOW, Runs } from '../runs.ts'
import * as worlds from '../worlds.ts'

const DAY = 86_400_000
const X86 = 'x86_64-unknown-linux-musl'
const ARM = 'armv6l-unknown-linux-musleabihf'
const ADOPT = ['adopt', '--yes']
const DIGEST = ['adopt', '--yes', '--digest']
const OLD = ['v0.7.2.1', 'v0.9.0', 'v1.1.0', 'b'.repeat(40)]

let runs: Runs
/** With one release of Pitlane's, and four older ones of something else's. */
let filled: worlds.World
let adopted: worlds.World

before(async () => {
  runs = await Runs.open()
  filled = worlds.freshWorld()
  await done(filled, ['release', 'v1.0.0', '--jobs', '2'])
  for (const [place, version] of OLD.entries())
    for (const target of [X86, ARM]) put(filled, KEYS.binary(version, target, 'toy'), `${version} ${target}`, place)
  adopted = worlds.copyOf(filled)
  await done(adopted, ADOPT)
})

after(() => {
  for (const world of [filled, adopted]) worlds.removeWorld(world)
  runs.close()
})

function put(world: worlds.World, key: string, text: string, day: number): void {
  const path = join(world.bucket, key)
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, text)
  const date = new Date(Date.UTC(2021, 0, 1 + day))
  utimesSync(path, date, date)
}

async function done(world: worlds.World, args: readonly string[], now = NOW) {
  const answer = await runs.warm(world, { args, now })
  assert.equal(answer.code, 0, answer.output)
  return answer
}

/** What only reads leaves the disk as the point before it did; what is named by its path has another name in another world. */
const CHANGE = /^(write|bucket\.put) .* (middle|after)$/
/** What is done by this command and no other: documents of old versions. Lists die at all their points elsewhere. */
const OWN = new RegExp(`^bucket\\.put _releases/(${OLD.join('|').replaceAll('.', '\\.')})/.* after$`)
/** One in so many of the rest. */
const REST = 8

function indexOf(world: worlds.World) {
  return parseSiteIndex(readFileSync(join(world.bucket, KEYS.index)), KEYS.index)
}

async function diesEverywhere(from: worlds.World, args: readonly string[]): Promise<void> {
  const whole = worlds.copyOf(from)
  const changes = (await done(whole, args)).points.filter((point) => CHANGE.test(point))
  const expected = worlds.published(whole)
  const earlier = look(from)
  const points = changes.filter((point, place) => EVERY || OWN.test(point) || place % REST === 0)
  assert.ok(points.filter((point) => OWN.test(point)).length >= 12, points.join('\n'))
  await eachKilled(runs, { world: from, args, points }, async (world, at) => {
    const view = look(world)
    assert.deepEqual([...view.problems, ...backwards(earlier, view)], [], at)
    await done(world, args)
    assert.deepEqual(worlds.published(world), expected, at)
    worlds.assertNothingIsLeft(world)
  })
  // Everything is adopted: the same command changes nothing.
  await done(whole, args, NOW + DAY)
  assert.deepEqual(worlds.published(whole), expected)
  worlds.removeWorld(whole)
}

test('versions without a document', () => diesEverywhere(filled, ADOPT))
test('digests of what was adopted without', () => diesEverywhere(adopted, DIGEST))

test('another machine goes on, on another day; and another release takes up what is there', async () => {
  const kills = [
    `bucket.put ${KEYS.document('v1.1.0')}.minisig #1 after`,
    `bucket.put ${KEYS.sums('v0.9.0')} #1 after`,
    `bucket.put ${KEYS.document('v0.9.0')} #1 after`,
    `bucket.put ${KEYS.page} #1 after`,
  ]
  await eachKilled(runs, { world: filled, args: DIGEST, points: kills }, async (world, at) => {
    rmSync(join(world.project, '.pitlane'), { recursive: true })
    await done(world, ['pages', 'rebuild'], NOW + DAY)
    assert.deepEqual(look(world).problems, [], at)
    await done(world, DIGEST, NOW + DAY)
    assert.deepEqual(look(world).problems, [], at)
    assert.deepEqual(indexOf(world).pointers['stable'], 'v1.1.0')
    assert.equal(
      indexOf(world).releases.filter((release) => release.adopted?.digests === 'computed').length,
      OLD.length,
    )
    for (const version of OLD)
      await done(world, ['verify', version, '--from', world.bucket, '--key', PUBLIC_KEY, '--no-images'], NOW + DAY)
    await done(world, ['audit', '--digest'], NOW + DAY)
  })
})

test('a release that was begun and has not ended is not adopted', async () => {
  const world = worlds.copyOf(filled)
  worlds.git(world, 'tag', 'v1.2.0')
  const at = `bucket.put ${KEYS.document('v1.2.0')} #1 before`
  const { signal, output } = await runs.run(world, { args: ['release', 'v1.2.0'], fault: { at, how: 'kill' } })
  assert.equal(signal, 'SIGKILL', output)
  // By the clock of these tests they are of the future.
  for (const target of [X86, 'i686-unknown-linux-musl']) {
    const path = join(world.bucket, KEYS.binary('v1.2.0', target, 'toy'))
    utimesSync(path, new Date(NOW), new Date(NOW))
  }
  const here = await done(world, ['adopt', '--dry-run'])
  assert.match(here.output, /skipped {2}v1\.2\.0 .*: its release was begun here/)
  const elsewhere = worlds.copyOf(world)
  rmSync(join(elsewhere.project, '.pitlane'), { recursive: true })
  const there = await done(elsewhere, ['adopt', '--dry-run'])
  assert.match(there.output, /skipped {2}v1\.2\.0 .*toy\.minisig is this project's: a publication of it has begun/)
  await done(world, ['release', 'v1.2.0'])
  for (const one of [world, elsewhere]) worlds.removeWorld(one)
})

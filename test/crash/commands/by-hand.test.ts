// What is published by hand dies at every change that only it makes, and at some that all make: readers see all of it or nothing, and the same command goes on, also without its state.
import assert from 'node:assert/strict'
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { KEYS } from '../../../src/plan/keys.ts'
import { parseSiteIndex } from '../../../src/release/lists/site-index.ts'
import { PUBLIC_KEY } from '../../world/toy.ts'
import { EVERY, eachKilled } from '../killing.ts'
import { backwards, look } from '../readers.ts'
import { NOW, Runs } from '../runs.ts'
import * as worlds from '../worlds.ts'

const DAY = 86_400_000
const FIRST = 'x86_64-unknown-linux-musl'
const SECOND = 'i686-unknown-linux-musl'
const put = (target: string) => ['publish', 'binary', `prebuilt/${target}`, '--target', target, '--version', 'hand-1']
const push = (target: string, platform: string) =>
  ['publish', 'image', `prebuilt/${target}`, '--platform', platform, '--version', 'hand-1'] as const

let runs: Runs
let fresh: worlds.World
/** With one target, and its image. */
let begun: worlds.World

before(async () => {
  runs = await Runs.open()
  fresh = worlds.freshWorld()
  begun = worlds.copyOf(fresh)
  await done(begun, put(FIRST))
  await done(begun, push(FIRST, 'linux/amd64'))
})

after(() => {
  for (const world of [fresh, begun]) worlds.removeWorld(world)
  runs.close()
})

async function done(world: worlds.World, args: readonly string[], now = NOW) {
  const answer = await runs.warm(world, { args, now })
  assert.equal(answer.code, 0, answer.output)
  return answer
}

async function inCopy(from: worlds.World, work: (world: worlds.World) => Promise<void>): Promise<void> {
  const world = worlds.copyOf(from)
  await work(world)
  worlds.removeWorld(world)
}

/** What only reads leaves the disk as the point before it did; what is named by its path has another name in another world. */
const CHANGE = /^(write|bucket\.put|registry\.put\w+|content\.remove) .* (middle|after)$/
/** What of that is done by this command and no other: objects, the document, images. Lists die at all their points elsewhere. */
const OWN = /^(bucket\.put _releases\/hand-1\/|registry\.put).* after$/
/** One in so many of the rest. */
const REST = 12

/** Kills the command after each of its own changes and at some other points, and lets it go on. */
async function diesEverywhere(from: worlds.World, args: readonly string[], own = OWN): Promise<void> {
  const whole = worlds.copyOf(from)
  const changes = (await done(whole, args)).points.filter((point) => CHANGE.test(point))
  const expected = worlds.published(whole)
  const earlier = look(from)
  const points = changes.filter((point, place) => EVERY || own.test(point) || place % REST === 0)
  assert.ok(points.length >= 5, `${points.length} points`)
  await eachKilled(runs, { world: from, args, points }, async (world, at) => {
    const view = look(world)
    assert.deepEqual([...view.problems, ...backwards(earlier, view)], [], at)
    await done(world, args)
    assert.deepEqual(worlds.published(world), expected, at)
    worlds.assertNothingIsLeft(world)
  })
  worlds.removeWorld(whole)
}

test('a target more', () => diesEverywhere(begun, put(SECOND)))
test('an image', () => diesEverywhere(begun, push(SECOND, 'linux/386')))
test('the multi-platform image, and the document that names it', async () => {
  await inCopy(begun, async (world) => {
    await done(world, put(SECOND))
    await done(world, push(SECOND, 'linux/386'))
    // Blobs are put as for an image, its document as for a target.
    await diesEverywhere(
      world,
      ['publish', 'multiarch', '--version', 'hand-1'],
      /^registry\.put(Manifest|Tag) .* after$/,
    )
  })
})

test('between object and document nothing is visible, and another machine goes on, on another day', async () => {
  const kills = [
    `bucket.put ${KEYS.binary('hand-1', FIRST, 'toy')} #1 after`,
    `bucket.put ${KEYS.document('hand-1')}.minisig #1 after`,
    `bucket.put ${KEYS.document('hand-1')} #1 before`,
  ]
  await eachKilled(runs, { world: fresh, args: put(FIRST), points: kills }, async (world, at) => {
    for (const key of [KEYS.page, KEYS.index, KEYS.garageList])
      assert.ok(!existsSync(join(world.bucket, key)), `${at}: ${key}`)
    rmSync(join(world.project, '.pitlane'), { recursive: true })
    await done(world, put(FIRST), NOW + DAY)
    assert.deepEqual(look(world).problems, [])
    await done(world, ['verify', 'hand-1', '--from', world.bucket, '--key', PUBLIC_KEY, '--no-images'], NOW + DAY)
  })
})

test('a revision that died between its documents is made again, with another date', async () => {
  await inCopy(begun, async (world) => {
    const at = `bucket.put ${KEYS.document('hand-1', 2)}.sig #1 after`
    const { signal, output } = await runs.run(world, { args: put(SECOND), fault: { at, how: 'kill' } })
    assert.equal(signal, 'SIGKILL', output)
    const index = () => parseSiteIndex(readFileSync(join(world.bucket, KEYS.index)), KEYS.index)
    await done(world, ['publish', 'index'])
    assert.equal(index().releases[0]?.byHand?.revision, 1)
    rmSync(join(world.project, '.pitlane'), { recursive: true })
    await done(world, put(SECOND), NOW + DAY)
    assert.equal(index().releases[0]?.byHand?.revision, 2)
    assert.deepEqual(look(world).problems, [])
    await done(world, ['verify', 'hand-1', '--from', world.bucket, '--key', PUBLIC_KEY, '--no-images'], NOW + DAY)
  })
})

test('a version whose release has begun is not taken by hand', async () => {
  await inCopy(fresh, async (world) => {
    const at = `bucket.put ${KEYS.document('v1.0.0')} #1 before`
    const { signal, output } = await runs.run(world, { fault: { at, how: 'kill' } })
    assert.equal(signal, 'SIGKILL', output)
    const args = ['publish', 'binary', `prebuilt/${FIRST}`, '--target', FIRST, '--version', 'v1.0.0']
    const refused = await runs.warm(world, { args })
    assert.equal(refused.code, 3)
    assert.match(refused.output, /RELEASED_OTHERWISE: the release of v1\.0\.0 was begun here/)
    await done(world, ['release', 'v1.0.0'])
  })
})

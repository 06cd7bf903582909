// `pitlane retention apply` dies at every change that only it makes, and at some of the rest: readers find nothing that is named and absent, and the same command goes on.
import assert from 'node:assert/strict'
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { KEYS } from '../../../src/plan/keys.ts'
import { parseSiteIndex } from '../../../src/release/lists/site-index.ts'
import { PUBLIC_KEY } from '../../world/toy.ts'
import { EVERY, eachKilled } from '../killing.ts'
import { look } from '../readers.ts'
import { NOW, Runs } from '../runs.ts'
import * as worlds from '../worlds.ts'

const DAY = 86_400_000
const APPLY = ['retention', 'apply']
/** When v1.0.0 leaves the lists, and when it goes: a week later. */
const LEAVES = NOW + DAY
const GOES = NOW + 9 * DAY

let runs: Runs
/** v1.0.0 and v1.0.1 are published, and the policy keeps one. */
let released: worlds.World
/** v1.0.0 has left the lists. */
let retired: worlds.World

before(async () => {
  runs = await Runs.open()
  released = worlds.freshWorld()
  await done(released, ['release', 'v1.0.0', '--jobs', '2'])
  const file = join(released.project, 'pitlane.yaml')
  writeFileSync(file, `${readFileSync(file, 'utf8')}retention: { stable: { keep: 1 } }\n`)
  worlds.git(released, 'commit', '--quiet', '--all', '--message', 'Keep one')
  worlds.git(released, 'tag', 'v1.0.1')
  await done(released, ['release', 'v1.0.1', '--jobs', '2'])
  retired = worlds.copyOf(released)
  await done(retired, APPLY, LEAVES)
})

after(() => {
  for (const world of [released, retired]) worlds.removeWorld(world)
  runs.close()
})

async function done(world: worlds.World, args: readonly string[], now = NOW): Promise<string> {
  const { code, output } = await runs.warm(world, { args, now })
  assert.equal(code, 0, output)
  return output
}

const listed = (world: worlds.World) =>
  parseSiteIndex(readFileSync(join(world.bucket, KEYS.index)), KEYS.index).versions

/** What only reads leaves the disk as the point before it did. */
const CHANGE = /^(bucket\.(put|delete)|registry\.delete\w+) .* (middle|after)$/
/** What only this command does: marks, tags, manifests, documents. Lists die at all their points elsewhere; files and blobs go in a row. */
const OWN =
  /^(bucket\.put _releases\/_retired\/|bucket\.delete _releases\/[^/]+\/[^/]+ |registry\.delete(Tag|Manifest) ).* after$/
/** One in so many of the rest. */
const REST = 6

/** Kills after each change of its own and at some other points, and goes on. */
async function killEverywhere(from: worlds.World, now: number, least: number): Promise<worlds.World> {
  const whole = worlds.copyOf(from)
  const { code, output, points } = await runs.warm(whole, { args: APPLY, now })
  assert.equal(code, 0, output)
  const expected = worlds.published(whole)
  const changes = points.filter((point) => CHANGE.test(point))
  const cases = changes.filter((point, place) => EVERY || OWN.test(point) || place % REST === 0)
  assert.ok(cases.length >= least, `only ${cases.length} points: ${cases.join('\n')}`)
  await eachKilled(runs, { world: from, args: APPLY, now, points: cases }, async (world, at) => {
    // The index is written last: until then it may name what another list does not any more, and never the other way round.
    const problems = look(world).problems.filter((problem) => !/index\.json names v\S+, \S+ does not$/.test(problem))
    assert.deepEqual(problems, [], at)
    await done(world, APPLY, now)
    assert.deepEqual(worlds.published(world), expected, at)
  })
  return whole
}

test('taking a version off the lists, killed anywhere', { timeout: 400_000 }, async () => {
  const world = await killEverywhere(released, LEAVES, 7)
  assert.deepEqual(listed(world), ['v1.0.1'])
  assert.ok(existsSync(join(world.bucket, KEYS.document('v1.0.0'))), 'its files stay for the grace time')
  assert.match(await done(world, ['pages', 'rebuild', '--check'], LEAVES), /are what the documents say/)
  worlds.removeWorld(world)
})

test('removing it, killed anywhere, leaves nothing of it and everything of the other', {
  timeout: 400_000,
}, async () => {
  const world = await killEverywhere(retired, GOES, 18)
  assert.deepEqual(listed(world), ['v1.0.1'])
  const left = Object.keys(worlds.published(world))
  assert.deepEqual(
    left.filter((path) => path.includes('v1.0.0') || path.includes('_retired')),
    [],
  )
  assert.deepEqual(
    [...look(world).tags.keys()].filter((tag) => tag.endsWith('v1.0.0')),
    [],
  )
  await done(world, ['verify', 'v1.0.1', '--from', world.bucket, '--key', PUBLIC_KEY], GOES)
  assert.match(await done(world, ['pages', 'rebuild', '--check'], GOES), /are what the documents say/)
  assert.match(await done(world, APPLY, GOES), /nothing goes/)
  worlds.removeWorld(world)
})

test('nothing is removed before its time, nor with a clock that is wrong', async () => {
  const world = worlds.copyOf(retired)
  const untouched = worlds.published(world)
  assert.match(await done(world, APPLY, LEAVES + 7 * DAY - 1000), /has left the lists/)
  for (const [now, words] of [
    [NOW - 365 * DAY, /CLOCK_WRONG: it is .*, and .* (was retired|was written) at/],
    [NOW + 365 * DAY, /CLOCK_WRONG: .*index\.json has expired/],
  ] as const) {
    const { code, output } = await runs.warm(world, { args: APPLY, now })
    assert.equal(code, 3, output)
    assert.match(output, words)
  }
  assert.deepEqual(worlds.published(world), untouched)
  worlds.removeWorld(world)
})

test('a state that is lost between the phases, and a pin in the grace time', async () => {
  const world = worlds.copyOf(retired)
  rmSync(join(world.project, '.pitlane'), { recursive: true })
  await done(world, APPLY, GOES)
  assert.ok(!existsSync(join(world.bucket, KEYS.folder('v1.0.0'))))
  worlds.removeWorld(world)

  const pinned = worlds.copyOf(retired)
  const file = join(pinned.project, 'pitlane.yaml')
  writeFileSync(file, readFileSync(file, 'utf8').replace('keep: 1 }', 'keep: 1 }, pins: [v1.0.0]'))
  worlds.git(pinned, 'commit', '--quiet', '--all', '--message', 'Pin it')
  const restored = await killEverywhere(pinned, GOES, 4)
  assert.deepEqual(listed(restored), ['v1.0.0', 'v1.0.1'])
  await done(restored, ['verify', 'v1.0.0', '--from', restored.bucket, '--key', PUBLIC_KEY], GOES)
  for (const one of [pinned, restored]) worlds.removeWorld(one)
})

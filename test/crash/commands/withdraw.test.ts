// A rollback that dies anywhere: the same command ends it, and does not go back a second time. Nor does another clone that knows only the bucket.
import assert from 'node:assert/strict'
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { KEYS } from '../../../src/plan/keys.ts'
import { PUBLIC_KEY } from '../../world/toy.ts'
import { EVERY, eachKilled } from '../killing.ts'
import { look } from '../readers.ts'
import { NOW, Runs } from '../runs.ts'
import * as worlds from '../worlds.ts'

const DAY = 86_400_000
const VERSIONS = ['v1.0.0', 'v1.1.0', 'v1.2.0']
const ROLLBACK = ['releases', 'rollback', 'stable', '--reason', 'loses data', '--yes']
const STATE = KEYS.state('v1.2.0', 1)

let runs: Runs
/** Three stable versions, the newest of which is no good. */
let released: worlds.World
/** What an undisturbed rollback leaves, and its points. */
let expected: Record<string, string>
let points: readonly string[]

before(async () => {
  runs = await Runs.open()
  released = worlds.freshWorld(worlds.FLOATING)
  for (const version of VERSIONS) {
    if (version !== 'v1.0.0') {
      writeFileSync(join(released.project, 'source.txt'), `the source of toy ${version}\n`)
      worlds.git(released, 'commit', '--quiet', '--all', '--message', version)
      worlds.git(released, 'tag', version)
    }
    await done(released, ['release', version, '--jobs', '2'])
  }
  const whole = worlds.copyOf(released)
  const { code, output, points: passed } = await runs.warm(whole, { args: ROLLBACK, now: NOW + DAY })
  assert.equal(code, 0, output)
  expected = worlds.published(whole)
  // What only reads leaves the disk as the point before it did.
  points = passed.filter((name) => /^(write|bucket\.put|registry\.putTag) .* (uncommitted|middle|after)$/.test(name))
  await assertBackOnce(whole)
  worlds.removeWorld(whole)
})

after(() => {
  worlds.removeWorld(released)
  runs.close()
})

async function done(world: worlds.World, args: readonly string[], now = NOW): Promise<string> {
  const { code, output } = await runs.warm(world, { args, now })
  assert.equal(code, 0, output)
  return output
}

/** Readers find nothing wrong where it was killed, and then `work` does. */
async function killedAt(at: readonly string[], work: (world: worlds.World, at: string) => Promise<void>) {
  await eachKilled(runs, { world: released, args: ROLLBACK, now: NOW + DAY, points: at }, async (world, point) => {
    assert.deepEqual(look(world, 'v1.2.0').problems, [], point)
    await work(world, point)
  })
}

async function assertBackOnce(world: worlds.World, now = NOW + DAY): Promise<void> {
  assert.equal(readFileSync(join(world.bucket, KEYS.latest), 'utf8'), 'v1.1.0\n')
  assert.ok(existsSync(join(world.bucket, STATE)))
  assert.ok(!existsSync(join(world.bucket, KEYS.state('v1.1.0', 1))), 'it went back twice')
  assert.deepEqual(look(world, 'v1.2.0').problems, [])
  for (const version of VERSIONS)
    await done(world, ['verify', version, '--from', world.bucket, '--key', PUBLIC_KEY], now)
  assert.match(await done(world, ['pages', 'rebuild', '--check'], now), /are what the documents say/)
}

/** Lists are killed at every point in `lists.test.ts`: here some of theirs, and all of what comes before and after. */
function isChosen(place: number, last: number): boolean {
  const lists = points.findIndex(
    (name) => name.includes(`put ${KEYS.publicKey}`) || name.includes(`put ${KEYS.installScript}`),
  )
  return place < lists || place > last - 4 || place % 6 === 0
}

test('killed anywhere, the same command ends it with the same bytes', { timeout: 400_000 }, async () => {
  assert.ok(points.length >= 30, `only ${points.length} points`)
  const writtenDown = points.findIndex((name) => /^write .* after$/.test(name))
  assert.notEqual(writtenDown, -1)
  // Lists have a row of their own, with serial and date; the last transaction of all ends the change.
  // After it, the same command is another rollback.
  const last = points.findLastIndex((name) => /^write .* uncommitted$/.test(name))
  const cases = points.slice(0, last + 1).filter((_, place) => EVERY || isChosen(place, last))
  await killedAt(cases, async (world, at) => {
    // Later, and yet the same: the state was written down with its date before anything of it went out.
    await done(world, ROLLBACK, points.indexOf(at) < writtenDown ? NOW + DAY : NOW + 2 * DAY)
    assert.deepEqual(worlds.published(world), expected, at)
  })
})

test('another clone that knows only the bucket ends it, by the same command or by `pages rebuild`', {
  timeout: 400_000,
}, async () => {
  const begin = points.indexOf(`bucket.put ${STATE} #1 after`)
  const end = points.indexOf(`bucket.put ${KEYS.index} #1 after`)
  assert.ok(begin !== -1 && end > begin)
  const some = points.slice(begin, end).filter((_, place) => EVERY || place % 6 === 0)
  for (const args of [ROLLBACK, ['pages', 'rebuild']]) {
    await killedAt(some, async (world, at) => {
      rmSync(join(world.project, '.pitlane'), { recursive: true })
      const { code, output } = await runs.warm(world, { args, now: NOW + 2 * DAY })
      if (code !== 0) {
        // Between the signatures and the index nothing tells what readers are pointed to.
        assert.ok(points.indexOf(at) >= points.indexOf(`bucket.put ${KEYS.index}.minisig #1 after`), at)
        assert.match(output, /can't be told: .*\n.*pages rebuild/)
        await done(world, ['pages', 'rebuild'], NOW + 2 * DAY)
      }
      await assertBackOnce(world, NOW + 2 * DAY)
    })
  }
})

// What all releases share: page, lists and pointers. Two clones publish at once, a run dies between signature and index, `pages rebuild` dies.
import assert from 'node:assert/strict'
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { KEYS } from '../../src/plan/keys.ts'
import { parseSiteIndex, type SiteIndex } from '../../src/release/lists/site-index.ts'
import { PUBLIC_KEY } from '../world/toy.ts'
import { eachKilled } from './killing.ts'
import { backwards, look } from './readers.ts'
import { each, NOW, Runs } from './runs.ts'
import * as worlds from './worlds.ts'

/** How often two clones publish at the same time. */
const ROUNDS = 3
const LANES = 2
const DAY = 86_400_000
const SECOND = ['release', 'v1.1.0', '--jobs', '2']
const REBUILD = ['pages', 'rebuild']

let runs: Runs
/** v1.0.0 is published. */
let released: worlds.World
/** As it is, and v1.1.0 is tagged. */
let tagged: worlds.World

before(async () => {
  runs = await Runs.open()
  released = worlds.freshWorld(worlds.FLOATING)
  await done(released, ['release', 'v1.0.0', '--jobs', '2'])
  tagged = worlds.copyOf(released)
  commit(tagged, 'v1.1.0')
})

after(() => {
  for (const world of [released, tagged]) worlds.removeWorld(world)
  runs.close()
})

async function inCopy(of: worlds.World, work: (world: worlds.World) => Promise<void>): Promise<void> {
  const world = worlds.copyOf(of)
  await work(world)
  worlds.removeWorld(world)
}

async function done(world: worlds.World, args: readonly string[], now = NOW): Promise<string> {
  const { code, output } = await runs.warm(world, { args, now })
  assert.equal(code, 0, output)
  return output
}

function commit(world: worlds.World, tag: string): void {
  writeFileSync(join(world.project, 'source.txt'), `the source of toy ${tag}\n`)
  worlds.git(world, 'commit', '--quiet', '--all', '--message', tag)
  worlds.git(world, 'tag', '--annotate', tag, '--message', `Release ${tag}`)
}

/** Another clone of the project that publishes into the same bucket. */
function cloneOf(world: worlds.World, name: string): worlds.World {
  const clone = { ...world, project: join(world.root, name) }
  cpSync(world.project, clone.project, { recursive: true, filter: (path) => !path.endsWith('/.pitlane') })
  return clone
}

function indexOf(world: worlds.World): SiteIndex {
  return parseSiteIndex(readFileSync(join(world.bucket, KEYS.index)), KEYS.index)
}

async function assertVerifies(world: worlds.World, versions: readonly string[], now = NOW): Promise<void> {
  assert.deepEqual(look(world).problems, [])
  assert.deepEqual(indexOf(world).versions, versions)
  for (const version of versions)
    await done(world, ['verify', version, '--from', world.bucket, '--key', PUBLIC_KEY], now)
}

test('two clones publish at once, again and again: both are listed, and the serial counts each', async () => {
  await inCopy(released, async (first) => {
    const second = cloneOf(first, 'second')
    const expected = ['v1.0.0']
    for (let round = 1; round <= ROUNDS; round += 1) {
      const earlier = look(first)
      const versions = [`v1.${round}.0`, `v2.${round}.0`] as const
      commit(first, versions[0])
      commit(second, versions[1])
      // Both stand right before their publication, and go on together.
      const letGo = worlds.hold(first, 'test')
      const started = [
        runs.start(first, { args: ['release', versions[0]], now: NOW + round }),
        runs.start(second, { args: ['release', versions[1]], now: NOW + round }),
      ]
      await untilTests(first, 2 * round + 1)
      letGo()
      const both = await Promise.all(started.map(({ ended }) => ended))
      for (const { code, output } of both) assert.equal(code, 0, output)
      assert.doesNotMatch(both.map(({ output }) => output).join('\n'), /not trusted|can't be locked/)
      expected.splice(round, 0, versions[0])
      expected.push(versions[1])
      const view = look(first)
      assert.deepEqual([...view.problems, ...backwards(earlier, view)], [])
      assert.equal(view.serial, earlier.serial + 2)
      assert.deepEqual(indexOf(first).versions, expected)
    }
    await assertVerifies(first, expected)
  })
})

/** Until so many tests of the one target that has to be tested have begun. */
async function untilTests(world: worlds.World, count: number): Promise<void> {
  const begun = () => worlds.stepLines(world).filter((line) => line === 'begin test x86_64-unknown-linux-musl').length
  for (let tries = 0; tries < 2000 && begun() < count; tries += 1) await delay(10)
  assert.equal(begun(), count)
}

/** Moments at which signatures and index are not of one list. */
const WINDOW = [`bucket.put ${KEYS.index}.minisig #1 after`, `bucket.put ${KEYS.index}.sig #1 after`]

test('killed between the signatures and the index, the same command, another clone or `pages rebuild` heals it', {
  timeout: 400_000,
}, async () => {
  await each(['same', 'rebuild', 'clone', 'lost', 'overtaken'] as const, LANES, (how) =>
    eachKilled(runs, { world: tagged, args: SECOND, points: WINDOW }, async (world) => {
      const earlier = look(world)
      // A day later, so that nothing is the same by chance.
      const now = NOW + DAY
      if (how === 'same') {
        const output = await done(world, SECOND, now)
        assert.doesNotMatch(output, /not trusted/, 'this state knows both lists')
        assert.equal(indexOf(world).serial, 2)
      } else if (how === 'rebuild') {
        assert.doesNotMatch(await done(world, REBUILD, now), /not trusted/)
        assert.equal(indexOf(world).serial, 3)
      } else if (how === 'clone') {
        const clone = cloneOf(world, 'second')
        commit(clone, 'v1.2.0')
        assert.match(await done(clone, ['release', 'v1.2.0'], now), /index\.json is not trusted/)
        assert.equal(indexOf(world).serial, 3, 'the signature says that 2 was given')
      } else if (how === 'overtaken') {
        // Another clone heals it, and then the first command goes on: its own list would be older than what readers have seen.
        await done(cloneOf(world, 'second'), REBUILD, now)
        const healed = indexOf(world).serial
        await done(world, SECOND, now)
        assert.ok(indexOf(world).serial >= healed, `list ${indexOf(world).serial} came after ${healed}`)
      } else {
        rmSync(join(world.project, '.pitlane'), { recursive: true })
        const { code, output } = await runs.warm(world, { args: SECOND, now })
        assert.equal(code, 3, output)
        assert.match(output, /PLAN_CONTRADICTION: v1\.1\.0 is complete.*\n.*pages rebuild/)
        await done(world, REBUILD, now)
        assert.match(await done(world, SECOND, now), /already published/)
      }
      assert.deepEqual(backwards(earlier, look(world)), [])
      await assertVerifies(world, ['v1.0.0', 'v1.1.0', ...(how === 'clone' ? ['v1.2.0'] : [])], now)
    }),
  )
})

test('an old copy of the whole bucket is not taken for the newest: nothing that was published from here goes back', async () => {
  await inCopy(tagged, async (world) => {
    const old = join(world.root, 'old')
    cpSync(world.bucket, old, { recursive: true })
    await done(world, SECOND)
    const put = (change: (bucket: string) => void = () => {}) => {
      rmSync(world.bucket, { recursive: true })
      cpSync(old, world.bucket, { recursive: true })
      change(world.bucket)
    }
    worlds.git(world, 'tag', 'w1')
    for (const change of [undefined, (bucket: string) => rmSync(join(bucket, KEYS.index))]) {
      put(change)
      for (const args of [['release', 'w1'], REBUILD]) {
        const { code, output } = await runs.warm(world, { args })
        assert.equal(code, 3, output)
        assert.match(output, /PLAN_CONTRADICTION: the newest stable version would go back from v1\.1\.0 to v1\.0\.0/)
      }
      assert.ok(readFileSync(join(world.bucket, KEYS.latest), 'utf8').startsWith('v1.0.0'))
    }
  })
})

test('an outsider plants a document of the coming version, dated in 2200: it is refused, and the date is not taken', async () => {
  await inCopy(tagged, async (world) => {
    const planted = readFileSync(join(world.bucket, KEYS.document('v1.0.0')), 'utf8')
      .replaceAll('v1.0.0', 'v1.1.0')
      .replace(/"publishedAt": "[^"]*"/, '"publishedAt": "2200-01-01T00:00:00Z"')
      .replace(/"commit": "[^"]*"/, `"commit": "${worlds.git(world, 'rev-parse', 'v1.1.0^{commit}')}"`)
    const folder = join(world.bucket, KEYS.folder('v1.1.0'))
    cpSync(join(world.bucket, KEYS.folder('v1.0.0')), folder, { recursive: true })
    writeFileSync(join(world.bucket, KEYS.document('v1.1.0')), planted)
    const { code, output } = await runs.warm(world, { args: SECOND })
    assert.equal(code, 3, output)
    assert.match(output, /VERIFICATION_FAILED.*v1\.1\.0\/release\.json/)
    rmSync(folder, { recursive: true })
    await done(world, SECOND)
    assert.ok(!readFileSync(join(world.bucket, KEYS.document('v1.1.0')), 'utf8').includes('2200'))
    await assertVerifies(world, ['v1.0.0', 'v1.1.0'])
  })
})

test('`pages rebuild` killed anywhere, and repeated, leaves what it leaves undisturbed', {
  timeout: 400_000,
}, async () => {
  const damaged = worlds.copyOf(released)
  rmSync(join(damaged.bucket, KEYS.page))
  writeFileSync(join(damaged.bucket, KEYS.latest), 'v9.9.9\n')
  const now = NOW + DAY
  const whole = worlds.copyOf(damaged)
  const { code, output, points } = await runs.warm(whole, { args: REBUILD, now })
  assert.equal(code, 0, output)
  const expected = worlds.published(whole)
  assert.equal(indexOf(whole).serial, 2)
  // What only reads leaves the disk as the point before it did.
  const cases = points.filter((name) => /^(write|bucket\.put|bucket\.delete) .* (uncommitted|middle|after)$/.test(name))
  assert.ok(cases.length >= 20, `only ${cases.length} points`)
  const writtenDown = cases.findIndex((name) => /^write .* after$/.test(name))
  assert.notEqual(writtenDown, -1)
  await eachKilled(runs, { world: damaged, args: REBUILD, now, points: cases }, async (world, at) => {
    // Later, and yet the same: date and serial were written down before anything was put.
    await done(world, REBUILD, cases.indexOf(at) < writtenDown ? now : now + DAY)
    assert.deepEqual(worlds.published(world), expected, at)
    assert.match(await done(world, REBUILD, now), /are what the documents say/)
  })
  await assertVerifies(whole, ['v1.0.0'], now)
  for (const world of [whole, damaged]) worlds.removeWorld(world)
})

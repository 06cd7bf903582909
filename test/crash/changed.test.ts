// Between two runs the world around a release has changed: the clock, the state folder, the tag, the bucket, the version of Pitlane.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, before, test } from 'node:test'
import { KEYS } from '../../src/plan/keys.ts'
import { parseSiteIndex } from '../../src/release/lists/site-index.ts'
import { PUBLIC_KEY } from '../world/toy.ts'
import { backwards, look } from './readers.ts'
import { NOW, Runs } from './runs.ts'
import * as worlds from './worlds.ts'

const DAY = 86_400_000
const BINARY = KEYS.binary('v1.0.0', 'x86_64-unknown-linux-musl', 'toy')
const DOCUMENT = KEYS.document('v1.0.0')

let runs: Runs
let fresh: worlds.World
let points: readonly string[]
let reference: { readonly published: Record<string, string>; readonly steps: string[] }

before(async () => {
  runs = await Runs.open()
  fresh = worlds.freshWorld()
  await inCopy(async (world) => {
    const whole = await runs.warm(world)
    assert.equal(whole.code, 0, whole.output)
    points = whole.points
    reference = { published: worlds.published(world), steps: worlds.stepLines(world) }
  })
})

after(() => {
  worlds.removeWorld(fresh)
  runs.close()
})

async function inCopy(work: (world: worlds.World) => Promise<void>): Promise<void> {
  const world = worlds.copyOf(fresh)
  await work(world)
  worlds.removeWorld(world)
}

async function killAt(world: worlds.World, at: string): Promise<void> {
  assert.ok(points.includes(at), `no point ${at}`)
  const { signal, output } = await runs.run(world, { fault: { at, how: 'kill' } })
  assert.equal(signal, 'SIGKILL', output)
}

async function release(world: worlds.World, now = NOW): Promise<void> {
  const { code, output } = await runs.warm(world, { now })
  assert.equal(code, 0, output)
}

async function refused(world: worlds.World, now: number, pattern: RegExp): Promise<void> {
  const there = worlds.published(world)
  const { code, output } = await runs.warm(world, { now })
  assert.equal(code, 3, output)
  assert.match(output, pattern)
  assert.deepEqual(worlds.published(world), there)
  assertNothingVisible(world)
}

function assertNothingVisible(world: worlds.World): void {
  for (const key of [KEYS.page, KEYS.index, KEYS.garageList, KEYS.latest])
    assert.ok(!existsSync(join(world.bucket, key)), key)
  assert.equal(look(world).tags.size, 0)
}

async function assertVerifies(world: worlds.World, version: string, now: number): Promise<void> {
  const args = ['verify', version, '--from', world.bucket, '--key', PUBLIC_KEY]
  const { code, output } = await runs.warm(world, { args, now })
  assert.equal(code, 0, output)
}

test('the clock goes back in the middle of a publication: its date is the one that was written down', async () => {
  await inCopy(async (world) => {
    await killAt(world, `bucket.put ${DOCUMENT} #1 before`)
    await release(world, NOW - DAY)
    assert.deepEqual(worlds.published(world), reference.published)
  })
})

test('the clock goes back while a step runs: the step is waited for, not timed out', async () => {
  await inCopy(async (world) => {
    const letGo = worlds.hold(world, 'unit')
    const { child, ended } = runs.start(world)
    await worlds.untilStep(world, /begin unit/)
    child.kill('SIGKILL')
    await ended
    const going = runs.warm(world, { now: NOW - DAY })
    letGo()
    const { code, output } = await going
    assert.equal(code, 0, output)
    worlds.assertStepsRanOnce(world, reference.steps)
    assert.deepEqual(look(world).problems, [])
  })
})

test('the clock goes back between two releases: the list does not', async () => {
  await inCopy(async (world) => {
    await release(world)
    const earlier = look(world)
    writeFileSync(join(world.project, 'source.txt'), 'the second source of toy\n')
    worlds.git(world, 'commit', '--quiet', '--all', '--message', 'Second')
    const { code, output } = await runs.warm(world, { args: ['release', 'HEAD'], now: NOW - 10 * DAY })
    assert.equal(code, 0, output)
    assert.match(output, /is dated as that list/)
    const view = look(world)
    assert.deepEqual([...view.problems, ...backwards(earlier, view)], [])
    const index = parseSiteIndex(readFileSync(join(world.bucket, KEYS.index)), KEYS.index)
    assert.equal(Date.parse(index.generatedAt), NOW)
    await assertVerifies(world, worlds.git(world, 'rev-parse', 'HEAD'), NOW)
  })
})

test('the state is lost in the middle of a publication: the same bytes are gone on with', async () => {
  await inCopy(async (world) => {
    await killAt(world, `bucket.put ${DOCUMENT}.minisig #1 after`)
    rmSync(join(world.project, '.pitlane'), { recursive: true })
    await release(world)
    assert.deepEqual(worlds.published(world), reference.published)
    worlds.assertRowsAreWhole(world)
  })
})

test('the state is lost before the documents: the version is published with a later date', async () => {
  await inCopy(async (world) => {
    await killAt(world, `bucket.put ${KEYS.sums('v1.0.0')} #1 before`)
    rmSync(join(world.project, '.pitlane'), { recursive: true })
    await release(world, NOW + DAY)
    assert.deepEqual(look(world).problems, [])
    await assertVerifies(world, 'v1.0.0', NOW + DAY)
  })
})

test('the state is lost between the signatures of a document and the document: another day, the same command publishes it', async () => {
  await inCopy(async (world) => {
    await killAt(world, `bucket.put ${DOCUMENT}.minisig #1 after`)
    rmSync(join(world.project, '.pitlane'), { recursive: true })
    const { code, output } = await runs.warm(world, { now: NOW + DAY })
    assert.equal(code, 0, output)
    // Both signatures go out at the same time: the other one may be there, or not.
    assert.match(
      output,
      /removed what an earlier try had signed and never published: \S+release\.json\.minisig(, \S+release\.json\.sig)?\n/,
    )
    assert.deepEqual(Object.keys(worlds.published(world)), Object.keys(reference.published))
  })
})

test('a version that lists name is not published again because its document is gone: both digests are told', async () => {
  await inCopy(async (world) => {
    assert.equal((await runs.warm(world)).code, 0)
    rmSync(join(world.project, '.pitlane'), { recursive: true })
    rmSync(join(world.bucket, DOCUMENT))
    const whole = worlds.published(world)
    const { code, output } = await runs.warm(world, { now: NOW + DAY })
    assert.equal(code, 3, output)
    assert.match(
      output,
      /CONTRADICTION.* has lost .*release\.json.*\n\s+shown:\s+[0-9a-f]{64}\n\s+here:\s+[0-9a-f]{64}/,
    )
    assert.deepEqual(worlds.published(world), whole)
  })
})

test('the bucket has other bytes under a name of the version: both digests are told, nothing is published', async () => {
  await inCopy(async (world) => {
    await killAt(world, `bucket.put ${DOCUMENT} #1 before`)
    rmSync(join(world.project, '.pitlane'), { recursive: true })
    writeFileSync(join(world.bucket, BINARY), 'something else')
    const there = createHash('sha256').update('something else').digest('hex')
    const here = reference.published[`bucket/${BINARY}`]
    await refused(world, NOW, new RegExp(`CONTRADICTION.*\\n\\s+there:\\s+${there}\\n\\s+here:\\s+${here}`))
  })
})

test('what was confirmed and is gone afterwards stops the publication before anything is visible, and is put again', async () => {
  await inCopy(async (world) => {
    // The last thing before what is put is read back.
    await killAt(world, `bucket.put ${DOCUMENT} #1 after`)
    const layers = points.flatMap((name) => /putBlob .*@sha256:([0-9a-f]{64}) #1 after$/.exec(name)?.[1] ?? [])
    const layer = join(world.images, 'blobs', 'sha256', layers[0] ?? '')
    rmSync(join(world.bucket, BINARY))
    rmSync(layer)
    const { code, output } = await runs.warm(world)
    assert.equal(code, 4, output)
    assert.match(output, new RegExp(`${BINARY} \\(absent instead of`))
    assert.match(output, new RegExp(`${layers[0]} \\(absent instead of`))
    assertNothingVisible(world)
    await release(world)
    assert.deepEqual(worlds.published(world), reference.published)
  })
})

test('what was confirmed and has other bytes afterwards is refused with both digests until it is taken away', async () => {
  await inCopy(async (world) => {
    await killAt(world, `bucket.put ${DOCUMENT} #1 before`)
    writeFileSync(join(world.bucket, BINARY), 'something else')
    const { code, output } = await runs.warm(world)
    assert.equal(code, 4, output)
    assertNothingVisible(world)
    const there = createHash('sha256').update('something else').digest('hex')
    await refused(world, NOW, new RegExp(`CONTRADICTION[^]*${there}[^]*${reference.published[`bucket/${BINARY}`]}`))
    rmSync(join(world.bucket, BINARY))
    await release(world)
    assert.deepEqual(worlds.published(world), reference.published)
  })
})

test('the tag moves between build and publication: nothing is visible; put back, the same command goes on', async () => {
  await inCopy(async (world) => {
    const letGo = worlds.hold(world, 'test')
    const { ended } = runs.start(world)
    await worlds.untilStep(world, /begin test/)
    const tag = worlds.git(world, 'rev-parse', 'refs/tags/v1.0.0')
    writeFileSync(join(world.project, 'source.txt'), 'another source of toy\n')
    worlds.git(world, 'commit', '--quiet', '--all', '--message', 'Another')
    worlds.git(world, 'tag', '--force', '--annotate', 'v1.0.0', '--message', 'Moved')
    letGo()
    const { code, output } = await ended
    assert.equal(code, 3, output)
    assert.match(output, /TAG_MOVED/)
    assertNothingVisible(world)

    // The moved tag is another release under a name that has begun to go out.
    await refused(world, NOW, /CONTRADICTION/)
    worlds.git(world, 'update-ref', 'refs/tags/v1.0.0', tag)
    await release(world)
    assert.deepEqual(worlds.published(world), reference.published)
    worlds.assertStepsRanOnce(world, reference.steps)
  })
})

test('a state that a newer version has written is left alone', async () => {
  await inCopy(async (world) => {
    await killAt(world, `bucket.put ${DOCUMENT} #1 before`)
    const file = join(world.project, '.pitlane', 'state.sqlite')
    const db = new DatabaseSync(file)
    db.exec("update meta set value = '99' where key = 'schema'")
    db.close()
    const progress = worlds.progressOf(world)
    await refused(world, NOW, /STATE_NEWER/)
    assert.equal(worlds.progressOf(world), progress)
  })
})

test('the machine restarts before a stage has ended that had collected its binary: it is built again, also to other bytes', async () => {
  await inCopy(async (world) => {
    const file = join(world.project, 'pitlane.yaml')
    const salted = 'sh toycc.sh\n      cat "$HOME/salt" >>"out/$TARGET/toy" 2>/dev/null || :\n'
    writeFileSync(file, readFileSync(file, 'utf8').replace('sh toycc.sh\n', salted))
    worlds.git(world, 'commit', '--quiet', '--all', '--message', 'Salted')
    worlds.git(world, 'tag', '--force', '--annotate', 'v1.0.0', '--message', 'The first release')
    await killAt(world, points.find((name) => /^write Insert artifacts .*x86_64.* after$/.test(name)) ?? '')
    const db = new DatabaseSync(join(world.project, '.pitlane', 'state.sqlite'))
    db.exec("update attempts set boot_id = 'another'")
    db.close()
    writeFileSync(join(world.env['HOME'] ?? '', 'salt'), 'salt')
    await release(world)
    assert.match(readFileSync(join(world.bucket, BINARY), 'latin1'), /salt$/)
    assert.deepEqual(look(world).problems, [])
  })
})

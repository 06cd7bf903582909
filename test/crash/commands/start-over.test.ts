// A version that is started over, and dies anywhere: the same command goes on, with its rows and without; the earlier try is whole, or can be.
import assert from 'node:assert/strict'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { KEYS } from '../../../src/plan/keys.ts'
import { PUBLIC_KEY } from '../../world/toy.ts'
import { EVERY, eachKilled } from '../killing.ts'
import { look } from '../readers.ts'
import { NOW, RELEASE, Runs } from '../runs.ts'
import * as worlds from '../worlds.ts'

const OVER = [...RELEASE, '--start-over', '--yes']
const BEFORE_TAGS = 'registry.putTag example/amd64_toy:v1.0.0 #1 before'

let runs: Runs
/** v1.0.0 was about to be tagged when it died, and is another commit now. */
let begun: worlds.World
/** What an undisturbed new beginning leaves, and its points as long as it removes. */
let expected: Record<string, string>
let points: readonly string[]

before(async () => {
  runs = await Runs.open()
  const fresh = worlds.freshWorld()
  await eachKilled(runs, { world: fresh, args: RELEASE, points: [BEFORE_TAGS] }, async (world) => {
    begun = worlds.copyOf(world)
  })
  worlds.removeWorld(fresh)
  writeFileSync(join(begun.project, 'source.txt'), 'the source of toy, mended\n')
  worlds.git(begun, 'commit', '--quiet', '--all', '--message', 'Mend it')
  worlds.git(begun, 'tag', '--force', 'v1.0.0')
  const whole = worlds.copyOf(begun)
  const { code, output, points: passed } = await runs.warm(whole, { args: OVER })
  assert.equal(code, 0, output)
  expected = worlds.published(whole)
  // From there on it is a release as any other: its rows are gone, and a build begins.
  const removed = passed.findLastIndex((name) => name.startsWith('bucket.delete '))
  const forgotten = passed.findIndex((name, place) => place > removed && /^write .* after$/.test(name))
  points = passed
    .slice(0, forgotten + 1)
    .filter((name) => /^(write|bucket\.delete) .* (uncommitted|before|after)$/.test(name))
  worlds.removeWorld(whole)
})

after(() => {
  worlds.removeWorld(begun)
  runs.close()
})

async function done(world: worlds.World, args: readonly string[], now = NOW): Promise<string> {
  const { code, output } = await runs.warm(world, { args, now })
  assert.equal(code, 0, output)
  return output
}

async function assertVerifies(world: worlds.World): Promise<void> {
  assert.deepEqual(look(world).problems, [])
  await done(world, ['verify', 'v1.0.0', '--from', world.bucket, '--key', PUBLIC_KEY])
}

/** Readers find nothing of it where it was killed, and then `work` does. */
async function killedAt(at: readonly string[], work: (world: worlds.World, at: string) => Promise<void>) {
  await eachKilled(runs, { world: begun, args: OVER, points: at }, async (world, point) => {
    const view = look(world)
    assert.deepEqual([view.problems, view.latest, [...view.tags.keys()]], [[], null, []], point)
    await work(world, point)
  })
}

test('without the flag it is refused, and nothing is changed', async () => {
  const world = worlds.copyOf(begun)
  const { code, output } = await runs.warm(world, { args: RELEASE })
  assert.equal(code, 3, output)
  assert.match(output, /CONTRADICTION: .*\n[^]*--start-over/)
  assert.deepEqual(worlds.published(world), worlds.published(begun))
  worlds.removeWorld(world)
})

test('killed anywhere, the same command goes on to the same bytes', { timeout: 400_000 }, async () => {
  assert.ok(points.filter((name) => name.startsWith('bucket.delete ')).length >= 20, points.join('\n'))
  const some = points.filter((_, place) => EVERY || place % 3 === 0)
  await killedAt(some, async (world, at) => {
    await done(world, OVER)
    assert.deepEqual(worlds.published(world), expected, at)
    assert.match((await runs.warm(world, { args: OVER })).output, /VISIBLE: .*it was published from here/)
  })
})

test('and so it does on a machine that has lost the journal', { timeout: 400_000 }, async () => {
  const some = points.filter((name, place) => name.startsWith('bucket.delete ') && (EVERY || place % 9 === 0))
  await killedAt(some, async (world) => {
    rmSync(join(world.project, '.pitlane'), { recursive: true })
    await done(world, OVER)
    await assertVerifies(world)
    rmSync(join(world.project, '.pitlane'), { recursive: true })
    assert.match((await runs.warm(world, { args: OVER })).output, /VISIBLE: .*_releases\.html names it/)
  })
})

test('whoever changes his mind in the middle gets the earlier try whole', { timeout: 400_000 }, async () => {
  const deletes = points.filter((name) => /^bucket\.delete .* after$/.test(name))
  assert.equal(deletes[0], `bucket.delete ${KEYS.document('v1.0.0')} #1 after`, 'the document goes first')
  const some = deletes.filter((_, place) => EVERY || place % 4 === 0)
  await killedAt(some, async (world, at) => {
    worlds.git(world, 'tag', '--force', 'v1.0.0', 'HEAD~1')
    // It finds out what is missing when it reads back, and puts it again.
    const { code, output } = await runs.warm(world, { args: RELEASE })
    if (code !== 0) assert.match(output, /reads back differently/, at)
    await done(world, RELEASE)
    await assertVerifies(world)
  })
})

const documented = (versions: boolean) =>
  worlds.CONFIGURATION.replace(
    '  test:',
    `  documentation: { run: mkdir -p site && cp source.txt site/index.html, folder: site, versions: ${versions} }\n  test:`,
  )

/** Killed where it is told to, and another commit since. */
async function begunWith(configuration: string, at: string): Promise<worlds.World> {
  const fresh = worlds.freshWorld(configuration)
  let left: worlds.World | undefined
  await eachKilled(runs, { world: fresh, args: RELEASE, points: [at] }, async (world) => {
    left = worlds.copyOf(world)
  })
  worlds.removeWorld(fresh)
  assert.ok(left)
  writeFileSync(join(left.project, 'source.txt'), 'the source of toy, mended\n')
  worlds.git(left, 'commit', '--quiet', '--all', '--message', 'Mend it')
  worlds.git(left, 'tag', '--force', 'v1.0.0')
  return left
}

for (const versions of [false, true])
  test(`documentation ${versions ? 'that is kept' : 'of the newest'} begins anew with it`, {
    timeout: 400_000,
  }, async () => {
    const world = await begunWith(documented(versions), BEFORE_TAGS)
    const whole = worlds.copyOf(world)
    const { points: passed } = await runs.warm(whole, { args: OVER })
    await assertVerifies(whole)
    const deletes = passed.filter((name) => /^bucket\.delete .*(documentation\.json|docs\/).* after$/.test(name))
    assert.equal(deletes.length, versions ? 4 : 3, passed.join('\n'))
    await eachKilled(runs, { world, args: OVER, points: deletes }, async (killed, at) => {
      await done(killed, OVER)
      assert.deepEqual(worlds.published(killed), worlds.published(whole), at)
    })
    for (const one of [world, whole]) worlds.removeWorld(one)
  })

test('a version whose documentation was announced to readers is visible', async () => {
  const untagged = documented(false)
    .replace(/ {2}image:[^]*?(?=publish:)/, '')
    .replace('  registry: ../images\n', '')
  const world = await begunWith(untagged, 'bucket.put docs/index.html #1 before')
  // Whoever has announced it remembers, and the bucket tells the others.
  assert.match((await runs.warm(world, { args: OVER })).output, /VISIBLE: .*announced from here/)
  rmSync(join(world.project, '.pitlane'), { recursive: true })
  assert.match((await runs.warm(world, { args: OVER })).output, /VISIBLE: .*_documentation\.next\.json names it/)
  worlds.removeWorld(world)
})

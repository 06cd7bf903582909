// A command is killed, and another one follows: what both mean is gone on with, the rest of it does not run on beside, and waits for its own command.
import assert from 'node:assert/strict'
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, before, test } from 'node:test'
import { look } from './readers.ts'
import { Runs } from './runs.ts'
import * as worlds from './worlds.ts'

let runs: Runs
let fresh: worlds.World

before(async () => {
  runs = await Runs.open()
  fresh = worlds.freshWorld()
})

after(() => {
  worlds.removeWorld(fresh)
  runs.close()
})

function builds(world: worlds.World): string[] {
  const db = new DatabaseSync(join(world.project, '.pitlane', 'state.sqlite'), { readOnly: true })
  try {
    const rows = db.prepare('select kind, state from builds order by number').all()
    return rows.map((row) => Object.values(row).join(' '))
  } finally {
    db.close()
  }
}

async function killedAt(world: worlds.World, args: readonly string[], step: RegExp): Promise<void> {
  const { child, ended } = runs.start(world, { args })
  await worlds.untilStep(world, step)
  child.kill('SIGKILL')
  await ended
}

function times(world: worlds.World, line: string): number {
  return worlds.stepLines(world).filter((said) => said === line).length
}

test('checks that were begun under another name are gone on with', async () => {
  const world = worlds.copyOf(fresh)
  const letGo = worlds.hold(world, 'unit')
  await killedAt(world, ['run', 'HEAD~0', '--jobs', '1'], /begin unit/)
  const going = runs.warm(world)
  letGo()
  const { code, output } = await going
  assert.equal(code, 0, output)
  assert.match(output, /build 1 {2}checks of v1\.0\.0 \(\w+\), going on where it stopped/)
  assert.equal(times(world, 'begin format'), 1)
  assert.equal(times(world, 'begin unit'), 1)
  worlds.assertRowsAreWhole(world)
  worlds.removeWorld(world)
})

test('what runs for another command is ended and waits for it', async () => {
  const world = worlds.copyOf(fresh)
  const letGo = worlds.hold(world, 'test')
  await killedAt(world, ['release', 'v1.0.0', '--jobs', '1'], /begin test/)
  assert.ok(!worlds.isQuiet(world))
  writeFileSync(join(world.project, 'source.txt'), 'another source of toy\n')
  worlds.git(world, 'commit', '--quiet', '--all', '--message', 'Another')
  const other = await runs.warm(world, { args: ['run', 'HEAD'] })
  assert.equal(other.code, 0, other.output)
  assert.match(other.output, /build 2, release build of v1\.0\.0, was cut off: what it still runs is ended/)
  await worlds.assertNothingRuns(world)
  assert.deepEqual(builds(world), ['checks succeeded', 'release running', 'checks succeeded'])
  const checkout = join(world.project, '.pitlane/builds/2/test/x86_64-unknown-linux-musl/workspace')
  assert.ok(!existsSync(checkout))

  letGo()
  const { code, output } = await runs.warm(world)
  assert.equal(code, 0, output)
  assert.match(output, /build 2 {2}release build of v1\.0\.0 \(\w+\), going on where it stopped/)
  assert.equal(times(world, 'begin build x86_64-unknown-linux-musl'), 1)
  assert.equal(times(world, 'begin test x86_64-unknown-linux-musl'), 2)
  assert.deepEqual(look(world).problems, [])
  worlds.assertNothingIsLeft(world)
  worlds.removeWorld(world)
})

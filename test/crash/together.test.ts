// Others are there at the same time: a second process, a reader, and a person with Ctrl-C.
import assert from 'node:assert/strict'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { backwards, look, type View } from './readers.ts'
import { NOW, RELEASE, Runs } from './runs.ts'
import * as worlds from './worlds.ts'

let runs: Runs
let fresh: worlds.World
let reference: { readonly published: Record<string, string>; readonly steps: string[] }

before(async () => {
  runs = await Runs.open()
  fresh = worlds.freshWorld()
  await inCopy(async (world) => {
    const { code, output } = await runs.run(world)
    assert.equal(code, 0, output)
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

async function assertWhole(world: worlds.World): Promise<void> {
  assert.deepEqual(worlds.published(world), reference.published)
  worlds.assertStepsRanOnce(world, reference.steps)
  worlds.assertRowsAreWhole(world)
  await worlds.assertNothingRuns(world)
}

/** Resolves when the file's text matches. */
async function until(file: string, pattern: RegExp): Promise<void> {
  for (let tries = 0; tries < 1000; tries += 1) {
    if (existsSync(file) && pattern.test(readFileSync(file, 'utf8'))) return
    await delay(10)
  }
  assert.fail(`${file} never says ${pattern}`)
}

test('two at once: the second waits, both end well, it is published once', async () => {
  await inCopy(async (world) => {
    const both = await Promise.all([runs.run(world), runs.run(world)])
    assert.deepEqual(
      both.map(({ code }) => code),
      [0, 0],
      both.map(({ output }) => output).join('\n'),
    )
    const waiting = both.filter(({ output }) => /waiting for/i.test(output))
    const already = both.filter(({ output }) => /already published/.test(output))
    assert.equal(waiting.length, 1)
    assert.deepEqual(already, waiting)
    await assertWhole(world)
  })
})

test('who must not wait is told who is at work, and changes nothing', async () => {
  await inCopy(async (world) => {
    const first = runs.start(world)
    await until(join(world.env['HOME'] ?? '', 'steps'), /begin unit/)
    const second = await runs.run(world, { args: [...RELEASE, '--no-wait'] })
    assert.equal(second.code, 5, second.output)
    assert.match(second.output, new RegExp(`BUSY.*pitlane release v1\\.0\\.0.*process ${first.child.pid}`))
    assert.equal((await first.ended).code, 0)
    await assertWhole(world)
  })
})

test('a reader sees nothing absent and nothing go back, through a stable and a development release', async () => {
  await inCopy(async (world) => {
    const views: View[] = []
    let over = false
    const reading = (async () => {
      while (!over) {
        const view = look(world)
        assert.deepEqual(view.problems, [])
        const before = views.at(-1)
        if (before !== undefined) assert.deepEqual(backwards(before, view), [])
        views.push(view)
        await delay(1)
      }
    })()
    const watched = async (args: readonly string[], now: number) => {
      const { code, output } = await Promise.race([
        runs.run(world, { args, now }),
        reading.then(() => assert.fail('the reader ended')),
      ])
      assert.equal(code, 0, output)
    }
    await watched(RELEASE, NOW)
    writeFileSync(join(world.project, 'source.txt'), 'the second source of toy\n')
    worlds.git(world, 'commit', '--quiet', '--all', '--message', 'Second')
    await watched(['release', 'HEAD', '--jobs', '2'], NOW + 60_000)
    over = true
    await reading
    const moments = new Set(views.map((view) => JSON.stringify([view.serial, view.latest, [...view.tags]])))
    console.log(`the reader looked ${views.length} times and saw ${moments.size} different moments`)
    assert.ok(moments.size >= 3, `it only saw ${moments.size} different moments`)
    assert.equal(views.at(-1)?.serial, 2)
  })
})

test('Ctrl-C lets the step that runs finish, and the same command goes on', async () => {
  await inCopy(async (world) => {
    const { child, ended } = runs.start(world)
    await until(join(world.env['HOME'] ?? '', 'steps'), /begin unit/)
    child.kill('SIGINT')
    const { code, output } = await ended
    assert.equal(code, 130, output)
    assert.match(worlds.stepLines(world).join('\n'), /end unit$/)
    await worlds.assertNothingRuns(world)
    const again = await runs.run(world)
    assert.equal(again.code, 0, again.output)
    await assertWhole(world)
  })
})

test('Ctrl-C twice ends the step that runs, and the same command runs it again', async () => {
  await inCopy(async (world) => {
    const { child, ended } = runs.start(world)
    const steps = join(world.env['HOME'] ?? '', 'steps')
    await until(steps, /begin unit/)
    child.kill('SIGINT')
    child.kill('SIGINT')
    // The kernel may make one of two signals that come at once.
    const more = setInterval(() => child.kill('SIGINT'), 20)
    const { code, output } = await ended
    clearInterval(more)
    assert.equal(code, 130, output)
    await worlds.assertNothingRuns(world)
    const again = await runs.run(world)
    assert.equal(again.code, 0, again.output)
    assert.deepEqual(worlds.published(world), reference.published)
    worlds.assertRowsAreWhole(world)
    const begun = worlds.stepLines(world).filter((line) => line === 'begin unit').length
    const finished = worlds.stepLines(world).filter((line) => line === 'end unit').length
    assert.ok(finished === 1 && (begun === 1 || begun === 2), `unit began ${begun} times and ended ${finished} times`)
  })
})

// Others are there at the same time: a second process, a reader, and a person with Ctrl-C.
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
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
    const letGo = worlds.hold(world, 'unit')
    const first = runs.start(world)
    await worlds.untilStep(world, /begin unit/)
    const second = await runs.run(world, { args: [...RELEASE, '--no-wait'] })
    assert.equal(second.code, 5, second.output)
    assert.match(second.output, new RegExp(`BUSY.*pitlane release v1\\.0\\.0.*process ${first.child.pid}`))
    letGo()
    assert.equal((await first.ended).code, 0)
    await assertWhole(world)
  })
})

test('a reader sees nothing absent and nothing go back, through a stable and a development release', async () => {
  await inCopy(async (world) => {
    const views: View[] = []
    const over = new AbortController()
    const reading = (async () => {
      while (!over.signal.aborted) {
        const view = look(world)
        assert.deepEqual(view.problems, [])
        const earlier = views.at(-1)
        if (earlier !== undefined) assert.deepEqual(backwards(earlier, view), [])
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
    over.abort()
    await reading
    const moments = new Set(views.map((view) => JSON.stringify([view.serial, view.latest, [...view.tags]])))
    console.log(`the reader looked ${views.length} times and saw ${moments.size} different moments`)
    assert.ok(moments.size >= 3, `it only saw ${moments.size} different moments`)
    assert.equal(views.at(-1)?.serial, 2)
  })
})

test('Ctrl-C lets the step that runs finish, and the same command goes on', async () => {
  await inCopy(async (world) => {
    const letGo = worlds.hold(world, 'unit')
    const { child, ended, output } = runs.start(world)
    await worlds.untilStep(world, /begin unit/)
    child.kill('SIGINT')
    await untilSaid(output, /what runs is finished/)
    letGo()
    assert.equal((await ended).code, 130, output())
    assert.match(worlds.stepLines(world).join('\n'), /end unit$/)
    await worlds.assertNothingRuns(world)
    const again = await runs.run(world)
    assert.equal(again.code, 0, again.output)
    await assertWhole(world)
  })
})

test('Ctrl-C twice ends the step that runs, and the same command runs it again', async () => {
  await inCopy(async (world) => {
    const letGo = worlds.hold(world, 'unit')
    const { child, ended, output } = runs.start(world)
    await worlds.untilStep(world, /begin unit/)
    child.kill('SIGINT')
    await untilSaid(output, /what runs is finished/)
    child.kill('SIGINT')
    assert.equal((await ended).code, 130, output())
    await worlds.assertNothingRuns(world)
    letGo()
    const again = await runs.run(world)
    assert.equal(again.code, 0, again.output)
    assert.deepEqual(worlds.published(world), reference.published)
    worlds.assertRowsAreWhole(world)
    // The step that finished before is not run again; the one that was ended is.
    worlds.assertStepsRanOnce(world, [...reference.steps, 'begin unit'])
  })
})

async function untilSaid(output: () => string, pattern: RegExp): Promise<void> {
  for (let tries = 0; tries < 2000 && !pattern.test(output()); tries += 1) await delay(10)
  assert.match(output(), pattern)
}

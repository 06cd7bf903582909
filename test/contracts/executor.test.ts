import assert from 'node:assert/strict'
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { after, describe, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { systemClock } from '../../src/clock.ts'
import { PitlaneError } from '../../src/errors.ts'
import { ProcessExecutor } from '../../src/executors/process/executor.ts'
import { hold } from '../../src/executors/process/step-files.ts'
import type { StepRef } from '../../src/executors/types.ts'
import { bundled } from '../world/bundled.ts'
import { Bench, executorContract, sleepers, uniqueSleep, until } from './executor.contract.ts'

const natural = await new ProcessExecutor({ clock: systemClock }).isolation()
const ways = natural === 'process-group' ? ([natural] as const) : ([natural, 'process-group'] as const)

function make(way: (typeof ways)[number]): ProcessExecutor {
  return new ProcessExecutor({ clock: systemClock, ...(way === 'process-group' ? { isolation: way } : {}) })
}

const bundles = mkdtempSync(join(tmpdir(), 'pitlane-engine-'))
const engineProgram = await bundled(join(import.meta.dirname, 'executor-engine.ts'), bundles)
after(() => rmSync(bundles, { recursive: true }))

/** Pid, start time, boot id and isolation of the only lane. */
function laneOf(bench: Bench): { readonly file: string; readonly pid: number; readonly fields: string[] } {
  const file = inLane(bench, 'process')
  const fields = readFileSync(file, 'utf8').trim().split(' ')
  return { file, pid: Number(fields[0]), fields }
}

/** A file of the only lane. */
function inLane(bench: Bench, file: string): string {
  const lanes = readdirSync(join(bench.attempt.folder, 'lanes'))
  assert.ok(lanes.length <= 1)
  return join(bench.attempt.folder, 'lanes', lanes[0] ?? '', file)
}

/** The shell that reads orders: process 1 of the namespace as seen from here, or the lane's own process. */
function supervisorOf(bench: Bench): number {
  const { pid, fields } = laneOf(bench)
  if (fields[3] === 'process-group') return pid
  return Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim())
}

function spawnEngine(bench: Bench, way: string, ...runs: string[]): ChildProcess {
  return spawn(process.execPath, [engineProgram, bench.attempt.folder, way, ...runs], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
}

function heard(engine: ChildProcess, line: string): Promise<void> {
  let text = ''
  return new Promise((resolve, reject) => {
    engine.stdout?.on('data', (chunk) => {
      text += String(chunk)
      if (text.includes(`${line}\n`)) resolve()
    })
    engine.once('exit', () => reject(new Error(`the engine never said ${line}, only ${text}`)))
  })
}

for (const way of ways) {
  executorContract(`process, ${way}`, () => make(way))

  describe(`process executor after a crash, ${way}`, () => {
    const benches: Bench[] = []
    const bench = async () => {
      const made = await Bench.of(make(way))
      benches.push(made)
      return made
    }
    after(async () => {
      for (const made of benches) await made.end()
    })

    test('a step outlives its engine, and the next engine gets its status', async () => {
      const b = await bench()
      const dying = spawnEngine(b, way, 'echo before; until test -e go; do sleep 0.02; done; echo after; exit 3')
      await heard(dying, 'started 0')
      dying.kill('SIGKILL')
      await once(dying, 'exit')
      const step = { attempt: b.attempt, index: 0 }
      assert.equal(await b.executor.attach(step), 'running')
      const waiting = b.executor.wait(step)
      writeFileSync(join(b.workspace, 'go'), '')
      assert.deepEqual(await waiting, { kind: 'exited', code: 3 })
      assert.equal(b.output(step), 'before\nafter\n')
      assert.equal(await b.executor.attach(step), 'finished')
      const { pid } = laneOf(b)
      await until('the lane ends by itself', () => !existsSync(`/proc/${pid}`) || /\) Z/.test(stat(pid)))
    })

    test('a step of a dead engine can be killed', async () => {
      const b = await bench()
      const seconds = uniqueSleep()
      const dying = spawnEngine(b, way, `setsid sleep ${seconds} & sleep ${seconds}`)
      await heard(dying, 'started 0')
      await until('both run', () => sleepers(seconds).length === 2)
      dying.kill('SIGKILL')
      await once(dying, 'exit')
      const step = { attempt: b.attempt, index: 0 }
      await b.executor.kill(step)
      assert.deepEqual(sleepers(seconds), [])
      assert.deepEqual(await b.executor.wait(step), { kind: 'exited', code: 137 })
    })

    test('an order that was given before its engine died is carried out', async () => {
      const b = await bench()
      const dying = spawnEngine(b, way, 'true', 'echo ran; exit 4')
      await heard(dying, 'ended 0')
      const supervisor = supervisorOf(b)
      process.kill(supervisor, 'SIGSTOP')
      dying.stdin?.write('go\n')
      const step = { attempt: b.attempt, index: 1 }
      await until('the order is given', () => existsSync(b.executor.outputPath(step)))
      await delay(50)
      dying.kill('SIGKILL')
      await once(dying, 'exit')
      assert.equal(await b.executor.attach(step), 'running')
      assert.equal(b.output(step), '')
      process.kill(supervisor, 'SIGCONT')
      assert.deepEqual(await b.executor.wait(step), { kind: 'exited', code: 4 })
      assert.equal(b.output(step), 'ran\n')
    })

    test('an armed step outlives its engine: waiting, running or ended by then', async () => {
      const waits = (file: string) => `until test -e ${file}; do sleep 0.01; done`
      for (const when of ['waiting', 'running', 'ended'] as const) {
        const b = await bench()
        const dying = spawnEngine(b, way, waits('go'), `&& touch begun; ${waits('end')}; echo ran >>ran; exit 3`)
        await heard(dying, 'started 1')
        const [first, second] = [0, 1].map((index) => ({ attempt: b.attempt, index })) as [StepRef, StepRef]
        if (when !== 'waiting') b.make('go')
        if (when !== 'waiting') await until('it has begun', () => b.has('begun'))
        if (when === 'ended') b.make('end')
        if (when === 'ended')
          await until('it ended', () => readFileSync(inLane(b, 'ended'), 'utf8').includes('\n1 3\n'))
        dying.kill('SIGKILL')
        await once(dying, 'exit')
        assert.equal(await b.executor.attach(first), when === 'waiting' ? 'running' : 'finished')
        assert.equal(await b.executor.attach(second), when === 'ended' ? 'finished' : 'running')
        b.make('go')
        b.make('end')
        assert.deepEqual(await b.executor.wait(first), { kind: 'exited', code: 0 })
        assert.deepEqual(await b.executor.wait(second), { kind: 'exited', code: 3 })
        assert.equal(readFileSync(join(b.workspace, 'ran'), 'utf8'), 'ran\n')
      }
    })

    test('a step that was taken back stays so, also when the armed one before it is killed too late', async () => {
      const b = await bench()
      const env = { PATH: '/usr/bin:/bin' }
      const given = (index: number) => ({ attempt: b.attempt, index, env, cwd: b.workspace })
      const [first, second, third] = [given(0), given(1), given(2)]
      await b.executor.start({ ...first, run: 'until test -e go; do sleep 0.01; done' })
      await b.executor.start({ ...second, run: 'until test -e end; do sleep 0.01; done', after: 0 })
      b.make('go')
      await b.executor.wait(first)
      await b.executor.start({ ...third, run: 'touch ran', after: 1 })
      assert.equal(await b.executor.disarm(third), 'held')
      await until('it has begun', () => readFileSync(inLane(b, 'ended'), 'utf8').includes('\n1 begun\n'))
      // What `kill` does first; the step ends by itself before anything else is done to it.
      assert.equal(hold(second, basename(join(inLane(b, 'ended'), '..'))), 'begun')
      b.make('end')
      assert.deepEqual(await b.executor.wait(second), { kind: 'exited', code: 0 })
      await until('its turn came', () => readFileSync(inLane(b, 'ended'), 'utf8').includes('\n2 '))
      assert.match(readFileSync(inLane(b, 'ended'), 'utf8'), /\n2 skipped\n$/)
      const next = make(way)
      await next.start({ ...third, run: 'touch ran; exit 6' })
      assert.deepEqual(await next.wait(third), { kind: 'exited', code: 6 })
      await next.close()
    })

    test('an armed step of a dead engine is skipped behind a failure, can be taken back, and can be killed', async () => {
      for (const end of ['failure', 'disarm', 'kill', 'kill first'] as const) {
        const b = await bench()
        const code = end === 'failure' ? 1 : 0
        const dying = spawnEngine(b, way, `until test -e go; do sleep 0.01; done; exit ${code}`, '&& touch ran')
        await heard(dying, 'started 1')
        dying.kill('SIGKILL')
        await once(dying, 'exit')
        const [first, second] = [0, 1].map((index) => ({ attempt: b.attempt, index })) as [StepRef, StepRef]
        if (end === 'disarm') assert.equal(await b.executor.disarm(second), 'held')
        if (end === 'kill') await b.executor.kill(second)
        if (end === 'kill first') await b.executor.kill(first)
        b.make('go')
        assert.deepEqual(await b.executor.wait(first), { kind: 'exited', code: end === 'kill first' ? 137 : code })
        if (end === 'disarm') {
          // In the same attempt, by another engine, although the lane that has the first order may still be there.
          await b.armAgain(second, 'touch again', first)
          assert.deepEqual(await b.executor.wait(second), { kind: 'exited', code: 0 })
          assert.ok(b.has('again'))
        } else assert.deepEqual(await b.executor.wait(second), { kind: 'lost' })
        assert.ok(!b.has('ran'))
      }
    })

    test('an armed step is taken back while its lane stands still between the two', async () => {
      const b = await bench()
      const first = await b.start('until test -e go; do sleep 0.01; done')
      const second = await b.arm('touch ran', first)
      process.kill(supervisorOf(b), 'SIGSTOP')
      b.make('go')
      await delay(30)
      // What the lane does next: it has written down the end of the first step.
      writeFileSync(inLane(b, 'ended'), '0 0\n', { flag: 'a' })
      let answer: string | undefined
      const asking = b.executor.disarm(second).then((how) => (answer = how))
      await delay(30)
      assert.equal(answer, undefined)
      process.kill(supervisorOf(b), 'SIGCONT')
      assert.equal(await asking, 'held')
      assert.deepEqual(await b.executor.wait(first), { kind: 'exited', code: 0 })
      assert.ok(!b.has('ran'))
    })

    test('a killed supervisor loses the armed step, too', async () => {
      const b = await bench()
      const first = await b.start(`sleep ${uniqueSleep()}`)
      const second = await b.arm('touch ran', first)
      process.kill(laneOf(b).pid, 'SIGKILL')
      assert.deepEqual(await b.executor.wait(first), { kind: 'lost' })
      assert.deepEqual(await b.executor.wait(second), { kind: 'lost' })
      assert.equal(await make(way).attach(second), 'lost')
    })

    test('closing leaves an armed step to its lane', async () => {
      const b = await bench()
      const first = await b.start('sleep 0.2')
      const second = await b.arm('exit 6', first)
      await b.executor.close()
      assert.deepEqual(await make(way).wait(second), { kind: 'exited', code: 6 })
    })

    test('a step that was given up while its engine stood still is not begun by it', async () => {
      const b = await bench()
      const standing = spawnEngine(b, way, 'true', 'touch ran')
      await heard(standing, 'ended 0')
      const step = { attempt: b.attempt, index: 1 }
      assert.equal(await b.executor.attach(step), 'lost')
      standing.stdin?.write('go\n')
      await heard(standing, 'refused 1')
      assert.ok(!existsSync(join(b.workspace, 'ran')))
      assert.deepEqual(await b.executor.wait(step), { kind: 'lost' })
      // Nor does anybody take its lane for the step's.
      assert.ok(!readFileSync(inLane(b, 'order-0'), 'utf8').includes('# step 1'))
      standing.kill('SIGKILL')
      await once(standing, 'exit')
    })

    test('killed at any moment of starting: the step ran or is lost, never both', async () => {
      for (const pause of [0, 1, 3, 10]) {
        const b = await bench()
        const dying = spawnEngine(b, way, 'true', 'echo ran; exit 5')
        await heard(dying, 'ended 0')
        dying.stdin?.write('go\n')
        await delay(pause)
        dying.kill('SIGKILL')
        const step = { attempt: b.attempt, index: 1 }
        const exit = await b.executor.wait(step)
        const { pid } = laneOf(b)
        await until('the lane ends', () => !existsSync(`/proc/${pid}`) || /\) Z/.test(stat(pid)))
        const begun = statSync(b.executor.outputPath(step), { throwIfNoEntry: false })?.isFile() ?? false
        const ran = begun && b.output(step) === 'ran\n'
        assert.deepEqual(exit, ran ? { kind: 'exited', code: 5 } : { kind: 'lost' })
      }
    })

    test('a killed supervisor leaves its step lost and no process', async () => {
      const b = await bench()
      const seconds = uniqueSleep()
      const step = await b.start(`setsid sleep ${seconds} & sleep ${seconds}`)
      await until('both run', () => sleepers(seconds).length === 2)
      process.kill(laneOf(b).pid, 'SIGKILL')
      assert.deepEqual(await b.executor.wait(step), { kind: 'lost' })
      assert.deepEqual(sleepers(seconds), [])
      assert.equal(await b.executor.attach(step), 'lost')
      assert.equal(await b.code('exit 4'), 4)
    })

    test('killing a step whose supervisor died ends what is left of it', async () => {
      const b = await bench()
      const seconds = uniqueSleep()
      const step = await b.start(`setsid sleep ${seconds} & sleep ${seconds}`)
      await until('both run', () => sleepers(seconds).length === 2)
      process.kill(laneOf(b).pid, 'SIGKILL')
      await delay(20)
      await b.executor.kill(step)
      assert.deepEqual(sleepers(seconds), [])
    })

    test('an idle lane that is seen to have died costs no step', async () => {
      const b = await bench()
      assert.equal(await b.code('true'), 0)
      const { pid } = laneOf(b)
      process.kill(supervisorOf(b), 'SIGKILL')
      await until('its end is seen', () => !existsSync(`/proc/${pid}`))
      await delay(20)
      assert.equal(await b.code('exit 4'), 4)
    })

    test('a step that is given to a lane in the moment of its death is lost', async () => {
      const b = await bench()
      assert.equal(await b.code('true'), 0)
      // The shell itself: one in a namespace lives on for a moment when the process that holds that is killed.
      process.kill(supervisorOf(b), 'SIGKILL')
      const step = await b.start('exit 4')
      assert.deepEqual(await b.executor.wait(step), { kind: 'lost' })
      assert.equal(await make(way).attach(step), 'lost')
      assert.equal(await b.code('exit 5'), 5)
    })

    for (const [what, field, value] of [
      ['another boot', 2, '00000000-0000-0000-0000-000000000000'],
      ['another process with the same pid', 1, '1'],
    ] as const) {
      test(`${what}: lost, and what still runs is ended`, async () => {
        const b = await bench()
        const seconds = uniqueSleep()
        const step = await b.start(`sleep ${seconds}`)
        await until('it runs', () => sleepers(seconds).length === 1)
        const { file, fields, pid } = laneOf(b)
        fields[field] = value
        writeFileSync(file, `${fields.join(' ')}\n`)
        assert.equal(await make(way).attach(step), 'lost')
        assert.deepEqual(sleepers(seconds), [])
        assert.ok(pid !== process.pid)
      })
    }

    test('a status that was not written whole does not count', async () => {
      const b = await bench()
      const step = await b.start('exit 3')
      await b.executor.wait(step)
      process.kill(supervisorOf(b), 'SIGKILL')
      await until('the lane is gone', () => !existsSync(`/proc/${laneOf(b).pid}`))
      for (const torn of ['', '0', '0 3', '0 3 \n', '0 -1\n', '0 3000\n', '10 3\n', '0 3 torn\n']) {
        writeFileSync(inLane(b, 'ended'), torn)
        assert.equal(await make(way).attach(step), 'lost', JSON.stringify(torn))
      }
      // Nor does it become whole when a kill writes its own behind it.
      writeFileSync(inLane(b, 'ended'), '0 3')
      const other = make(way)
      await other.kill(step)
      assert.deepEqual(await other.wait(step), { kind: 'exited', code: 137 })
    })

    test('a lane that no step came to ends with its attempt, and with its engine', async () => {
      for (const end of ['destroy', 'close'] as const) {
        const b = await bench()
        b.executor.expect(b.attempt)
        await until('the lane is open', () => existsSync(inLane(b, 'ended')))
        const { pid } = laneOf(b)
        await b.executor[end](b.attempt)
        await until('the lane ends', () => !existsSync(`/proc/${pid}`) || /\) Z/.test(stat(pid)))
      }
    })

    for (const end of ['kill', 'destroy', 'close'] as const) {
      test(`nothing survives ${end} of a step that removed what is written about it`, async () => {
        const b = await bench()
        const seconds = uniqueSleep()
        const step = await b.start(`rm -rf ../lanes; exec env -i sleep ${seconds}`)
        await until('it runs', () => sleepers(seconds).length === 1)
        const waiting = b.executor.wait(step).catch(() => null)
        if (end === 'kill') await b.executor.kill(step)
        else await b.executor[end](b.attempt)
        assert.deepEqual(sleepers(seconds), [])
        await waiting
      })
    }

    test('pipes that a step puts in the place of what is written about it hold nobody up', async () => {
      const b = await bench()
      const seconds = uniqueSleep()
      const files = '../lanes/*/order-? ../lanes/*/process'
      const pipes = 'for lane in ../lanes/*; do mkfifo $lane/hold-1; done'
      const first = await b.start(`for file in ${files}; do rm $file; mkfifo $file; done; ${pipes}; sleep ${seconds}`)
      await until('it runs', () => sleepers(seconds).length === 1)
      const second = await b.arm('touch ran', first)
      await b.executor.disarm(second)
      await b.executor.kill(first)
      assert.deepEqual(sleepers(seconds), [])
      await b.executor.destroy(b.attempt)
      assert.equal(existsSync(join(b.workspace, 'ran')), false)
    })

    test('what never ends, or is none of its kind, in the place of what is written about it holds up nobody who comes after', async () => {
      for (const put of ['ln -s /dev/zero', 'ln -s self', 'mkdir', 'truncate -s 5G']) {
        const b = await bench()
        const seconds = uniqueSleep()
        const files = '../lanes/*/ended ../lanes/*/order-? ../lanes/*/process'
        const step = await b.start(`for file in ${files}; do rm $file; ${put} $file; done; sleep ${seconds}`)
        await until('it runs', () => sleepers(seconds).length === 1)
        await b.executor.close()
        const next = make(way)
        assert.notEqual(await next.attach(step), 'finished')
        await next.destroy(b.attempt)
        assert.deepEqual(sleepers(seconds), [])
      }
    })

    test('closing lets go of steps without touching them', async () => {
      const b = await bench()
      const step = await b.start('sleep 0.2; exit 6')
      const waiting = b.executor.wait(step)
      await b.executor.close()
      await assert.rejects(waiting, (error) => error instanceof PitlaneError && error.code === 'INTERRUPTED')
      assert.deepEqual(await make(way).wait(step), { kind: 'exited', code: 6 })
    })

    test('steps in a row use one lane, the one that was opened when they were expected', async () => {
      const b = await bench()
      b.executor.expect(b.attempt)
      for (let n = 0; n < 5; n++) assert.equal(await b.code(`exit ${n}`), n)
      assert.equal(readdirSync(join(b.attempt.folder, 'lanes')).length, 1)
    })

    test('orders are readable by their owner only, and gone after destroy', async () => {
      const b = await bench()
      const step = await b.start('exit 0', { SECRET: 'hush '.repeat(100) })
      await b.executor.wait(step)
      const order = inLane(b, 'order-0')
      assert.deepEqual(
        [dirname(order), order].map((path) => (statSync(path).mode & 0o777).toString(8)),
        ['700', '600'],
      )
      assert.match(readFileSync(order, 'utf8'), /hush/)
      // The next order takes its place, to the last byte.
      await b.run('exit 0')
      assert.match(readFileSync(order, 'utf8'), /^# step 1\n[^]*-c 'exit 0' sh\n$/)
      // An armed one stands beside it.
      const first = await b.start('exit 0')
      await b.executor.wait(await b.arm('exit 0', first))
      const held = await b.start('sleep 0.1')
      assert.equal(await b.executor.disarm(await b.arm('exit 0', held)), 'held')
      assert.deepEqual(
        readdirSync(dirname(order)).filter((name) => (statSync(inLane(b, name)).mode & 0o077) !== 0),
        ['ended', 'errors', 'next', 'process'].filter((name) => (statSync(inLane(b, name)).mode & 0o077) !== 0),
      )
      await b.executor.destroy(b.attempt)
      assert.deepEqual(readdirSync(dirname(order)).sort(), ['ended', 'errors', 'process'])
      assert.deepEqual(readdirSync(join(b.attempt.folder, 'steps')).sort(), [
        '0.output',
        '1.output',
        '2.output',
        '3.output',
        '4.output',
      ])
    })
  })
}

function stat(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8')
  } catch {
    return ') Z'
  }
}

test('in a namespace a step reaches nothing outside', {
  skip: natural === 'process-group' && 'no PID namespace here',
}, async () => {
  const outside = spawn('sleep', [uniqueSleep()], { stdio: 'ignore' })
  const b = await Bench.of(make('pid-namespace'))
  try {
    assert.equal(await b.code('sleep 1 & kill -9 -1; kill -9 1; kill 1; kill -9 $PPID; exit 8'), 8)
    assert.equal(await b.code('for n in 1 2 3 4 5; do (sleep 0 &) ; done; exit 9'), 9)
    assert.equal(outside.exitCode, null)
    assert.equal(outside.signalCode, null)
  } finally {
    outside.kill('SIGKILL')
    await b.end()
  }
})

for (const name of ['bash', 'dash', 'busybox'].filter((program) => existsSync(`/bin/${program}`))) {
  test(`lanes run where sh is ${name}`, async () => {
    const folder = mkdtempSync(join(tmpdir(), 'pitlane-sh-'))
    const shell = join(folder, 'sh')
    symlinkSync(`/bin/${name}`, shell)
    const b = await Bench.of(new ProcessExecutor({ clock: systemClock, shell }))
    try {
      assert.deepEqual(
        await Promise.all([b.code('exit 3'), b.code('kill -9 0'), b.code('sleep 0.05; false')]),
        [3, 137, 1],
      )
      const first = await b.start('until test -e go; do sleep 0.01; done')
      const second = await b.arm('exit 5', first)
      const third = await b.start('until test -e go; do sleep 0.01; done; false')
      const fourth = await b.arm('exit 5', third)
      const fifth = await b.start('until test -e go; do sleep 0.01; done')
      const sixth = await b.arm('touch ran', fifth)
      assert.equal(await b.executor.disarm(sixth), 'held')
      b.make('go')
      assert.deepEqual(await b.executor.wait(second), { kind: 'exited', code: 5 })
      assert.deepEqual(await b.executor.wait(fourth), { kind: 'lost' })
      assert.deepEqual(await b.executor.wait(fifth), { kind: 'exited', code: 0 })
      assert.ok(!b.has('ran'))
      const seconds = uniqueSleep()
      const step = await b.start(`setsid sleep ${seconds} & sleep ${seconds}`)
      await until('both run', () => sleepers(seconds).length === 2)
      await b.executor.kill(step)
      assert.deepEqual(sleepers(seconds), [])
      assert.equal(await b.executor.attach({ attempt: b.attempt, index: 99 }), 'lost')
    } finally {
      await b.end()
      rmSync(folder, { recursive: true })
    }
  })
}

test('without a shell nothing starts, and the hint says what to install', async () => {
  const b = await Bench.of(new ProcessExecutor({ clock: systemClock, shell: '/nonexistent/sh' }))
  assert.equal(await b.executor.isolation(), 'process-group')
  await assert.rejects(
    b.start('true'),
    (error) =>
      error instanceof PitlaneError && error.code === 'EXECUTOR_FAILED' && /POSIX shell/.test(error.hint ?? ''),
  )
  assert.equal(await b.executor.attach({ attempt: b.attempt, index: 0 }), 'lost')
  await b.end()
})

const UNPRIVILEGED = ['--reuid=65534', '--regid=65534', '--clear-groups']
const setpriv = spawnSync('setpriv', ['--version']).status === 0
/** A checkout below a folder of root's own, such as one that `mktemp -d` made, can't be read by anybody else. */
const readable = spawnSync('setpriv', [...UNPRIVILEGED, 'test', '-r', import.meta.filename]).status === 0
test('the same without privileges', {
  skip:
    (process.getuid?.() !== 0 && 'not root: the suite above was without privileges') ||
    (!setpriv && 'no setpriv to drop privileges with') ||
    (!readable && 'only root can read this checkout') ||
    (process.env['PITLANE_TEST_NESTED'] !== undefined && 'nested'),
}, async () => {
  const env: NodeJS.ProcessEnv = { ...process.env, PITLANE_TEST_NESTED: '1' }
  delete env['NODE_TEST_CONTEXT']
  const file = join(import.meta.dirname, 'executor.test.ts')
  // What depends on being root.
  const pattern =
    'status of its shell|survive|overlap|outlives|dead engine|killed supervisor|can be repeated|reaches nothing'
  const child = spawn(
    'setpriv',
    [...UNPRIVILEGED, process.execPath, '--test-reporter=tap', `--test-name-pattern=${pattern}`, '--test', file],
    { env, stdio: ['ignore', 'pipe', 'inherit'] },
  )
  let report = ''
  child.stdout.on('data', (chunk) => (report += String(chunk)))
  const [code] = await once(child, 'close')
  assert.equal(code, 0, report)
})

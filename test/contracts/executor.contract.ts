// What every executor owes its engine. Each adapter runs this suite; what only one of them can do is tested beside it.
import assert from 'node:assert/strict'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, describe, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { PitlaneError } from '../../src/errors.ts'
import type { AttemptRef, Executor, StepExit, StepOrder, StepRef } from '../../src/executors/types.ts'

const PATH = '/usr/local/bin:/usr/bin:/bin'

/** An attempt in a folder of its own, and short ways to run steps in it. */
export class Bench {
  readonly executor: Executor
  readonly attempt: AttemptRef
  #next = 0

  private constructor(executor: Executor, attempt: AttemptRef) {
    this.executor = executor
    this.attempt = attempt
  }

  static async of(executor: Executor): Promise<Bench> {
    // A blank and a quote in the path, for whoever pastes it into a shell.
    const parent = mkdtempSync(join(tmpdir(), "pitlane executor's "))
    const attempt = { attemptId: 'attempt-1', folder: join(parent, 'attempt') }
    mkdirSync(attempt.folder)
    await executor.prepare(attempt)
    return new Bench(executor, attempt)
  }

  get workspace(): string {
    return join(this.attempt.folder, 'workspace')
  }

  async start(run: string, env: Record<string, string> = {}): Promise<StepRef> {
    const step = { attempt: this.attempt, index: this.#next++ }
    await this.executor.start({ ...step, run, env: { PATH, ...env }, cwd: this.workspace })
    return step
  }

  async arm(run: string, before: StepRef): Promise<StepRef> {
    const step = { attempt: this.attempt, index: this.#next++ }
    await this.armAgain(step, run, before)
    return step
  }

  async armAgain(step: StepRef, run: string, before: StepRef): Promise<void> {
    await this.executor.start({ ...step, run, env: { PATH }, cwd: this.workspace, after: before.index })
  }

  make(file: string): void {
    writeFileSync(join(this.workspace, file), '')
  }

  has(file: string): boolean {
    return existsSync(join(this.workspace, file))
  }

  async run(run: string, env: Record<string, string> = {}): Promise<{ exit: StepExit; output: string }> {
    const step = await this.start(run, env)
    const exit = await this.executor.wait(step)
    return { exit, output: this.output(step) }
  }

  async code(run: string): Promise<number | 'lost'> {
    const { exit } = await this.run(run)
    return exit.kind === 'exited' ? exit.code : 'lost'
  }

  output(step: StepRef): string {
    return readFileSync(this.executor.outputPath(step), 'utf8')
  }

  async end(): Promise<void> {
    await this.executor.destroy(this.attempt)
    await this.executor.close()
    rmSync(join(this.attempt.folder, '..'), { recursive: true, force: true })
  }
}

let sleeps = 0

/** A number of seconds that no other process sleeps: how processes of a step are recognised, whatever they did to hide. */
export function uniqueSleep(): string {
  sleeps++
  return `${90_000 + process.pid}.${String(Date.now()).slice(-6)}${sleeps}`
}

export function sleepers(seconds: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && commandLine(name).startsWith(`sleep\0${seconds}\0`))
    .map(Number)
}

function commandLine(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8')
  } catch {
    return ''
  }
}

export async function until(what: string, holds: () => boolean): Promise<void> {
  for (let tries = 0; !holds(); tries++) {
    assert.ok(tries < 1000, `did not happen: ${what}`)
    await delay(10)
  }
}

function failsToStart(error: unknown): boolean {
  return error instanceof PitlaneError && error.code === 'EXECUTOR_FAILED' && error.hint !== undefined
}

export function executorContract(name: string, make: () => Executor): void {
  describe(`executor contract: ${name}`, () => {
    const benches: Bench[] = []
    const bench = async () => {
      const made = await Bench.of(make())
      benches.push(made)
      return made
    }
    after(async () => {
      for (const made of benches) await made.end()
    })

    test('a step ends with the status of its shell', async () => {
      const b = await bench()
      assert.equal(await b.code('true'), 0)
      assert.equal(await b.code('exit 3'), 3)
      assert.equal(await b.code('(exit 3)\necho not reached'), 3)
      assert.equal(await b.code('false\necho not reached'), 1)
      assert.equal(await b.code('no-such-command'), 127)
      assert.equal(await b.code('kill -9 $$'), 137)
      assert.equal(await b.code('exit 255'), 255)
      assert.equal(await b.code(''), 0)
    })

    test('the environment is what was given, to the byte', async () => {
      const b = await bench()
      const given = {
        PATH,
        QUOTES: `it's "quoted" \\ \`id\` $(id) $HOME \${HOME}`,
        LINES: '\nfirst\n\nlast\n\n',
        BYTES: 'é€😀\u0001\u0081\u0088\u007f\t\r',
        EMPTY: '',
        SPACE: '  two  ',
        DASH: '-n',
        // Names that a supervising shell could be using itself.
        step: 'a',
        index: 'b',
        code: 'c',
        lane: 'd',
        _lower: 'e',
      }
      const print = `'${process.execPath}' -e 'process.stdout.write(JSON.stringify(process.env))'`
      const { output } = await b.run(print, given)
      const env: Record<string, string> = JSON.parse(output)
      assert.equal(env['PWD'], b.workspace)
      // Set by the executor or by the shell itself (some of them by some shells).
      for (const own of ['PITLANE_STEP', 'PWD', 'SHLVL', '_']) delete env[own]
      assert.deepEqual(env, given)
    })

    test('the step stands in its directory, reads nothing, and makes files others may read', async () => {
      const b = await bench()
      const { output } = await b.run('pwd -P; cat; umask; touch made')
      assert.equal(output, `${b.workspace}\n0022\n`)
      assert.ok(existsSync(join(b.workspace, 'made')))
    })

    test('standard output and error go to the file in the order they were written', async () => {
      const b = await bench()
      const { output } = await b.run('echo 1; echo 2 >&2; echo 3; printf 4')
      assert.equal(output, '1\n2\n3\n4')
    })

    test('50 MB of output arrive whole without passing through here', async () => {
      const b = await bench()
      const before = process.memoryUsage().rss
      const step = await b.start('head -c 50000000 /dev/zero')
      assert.deepEqual(await b.executor.wait(step), { kind: 'exited', code: 0 })
      assert.equal(statSync(b.executor.outputPath(step)).size, 50_000_000)
      assert.ok(process.memoryUsage().rss - before < 30_000_000)
    })

    test('shell text cannot get out of its step', async () => {
      const b = await bench()
      assert.equal((await b.run('cat <<EOF\nhere $((1 + 1))\nEOF')).output, 'here 2\n')
      assert.notEqual(await b.code("echo 'open"), 0)
      assert.notEqual(await b.code('echo "$(open'), 0)
      assert.notEqual(await b.code('cat <<EOF\nnever closed $('), 0)
      assert.notEqual(await b.code('} ; ) ; fi'), 0)
      assert.equal(await b.code('exec 0<&- 1>&- 2>&-; exit 4'), 4)
      assert.equal(await b.code("trap 'exit 5' EXIT; exit 1"), 5)
      assert.equal(await b.code('set +e; false; exec sh -c "exit 6"'), 6)
      assert.equal(await b.code('kill -TERM 0; sleep 5'), 143)
      assert.equal(await b.code('kill -9 0; sleep 5'), 137)
      assert.equal(await b.code('# only a remark'), 0)
      assert.equal((await b.run('echo still here')).output, 'still here\n')
    })

    test('a text longer than an argument can be', async () => {
      const b = await bench()
      const { exit, output } = await b.run(`${'# é long\n'.repeat(30_000)}echo end`)
      assert.deepEqual(exit, { kind: 'exited', code: 0 })
      assert.equal(output, 'end\n')
    })

    test('steps share the workspace and may overlap', async () => {
      const b = await bench()
      const waiting = await b.start('until test -e go; do sleep 0.01; done; cat go')
      const other = await b.start('echo went >go.new; mv go.new go')
      assert.deepEqual(await b.executor.wait(other), { kind: 'exited', code: 0 })
      assert.deepEqual(await b.executor.wait(waiting), { kind: 'exited', code: 0 })
      assert.equal(b.output(waiting), 'went\n')
    })

    test('many steps at once, each with its own status', async () => {
      const b = await bench()
      const codes = await Promise.all(Array.from({ length: 16 }, (_, n) => b.code(`sleep 0.05; exit ${n}`)))
      assert.deepEqual(
        codes,
        Array.from({ length: 16 }, (_, n) => n),
      )
    })

    test('nothing survives a kill', async () => {
      const b = await bench()
      const seconds = uniqueSleep()
      const step = await b.start(`
        trap '' TERM INT HUP
        sleep ${seconds} &
        setsid sleep ${seconds} &
        (setsid sh -c 'sleep ${seconds} & sleep ${seconds} & exit' &)
        (trap '' TERM; sleep ${seconds}) &
        sh -c 'while :; do sleep ${seconds} & sleep 0.01; done' &
        wait`)
      await until('processes run', () => sleepers(seconds).length >= 8)
      await b.executor.kill(step)
      assert.deepEqual(sleepers(seconds), [])
      assert.deepEqual(await b.executor.wait(step), { kind: 'exited', code: 137 })
      assert.equal(await b.executor.attach(step), 'finished')
      await b.executor.kill(step)
      assert.equal(await b.code('exit 9'), 9)
    })

    test('a wait that began before the kill ends with it', async () => {
      const b = await bench()
      const step = await b.start(`sleep ${uniqueSleep()}`)
      const waiting = b.executor.wait(step)
      await Promise.all([b.executor.kill(step), b.executor.kill(step)])
      assert.deepEqual(await waiting, { kind: 'exited', code: 137 })
    })

    test('killing a finished step does nothing to the step after it', async () => {
      const b = await bench()
      const first = await b.start('exit 1')
      await b.executor.wait(first)
      const second = await b.start('sleep 0.1; exit 2')
      await b.executor.kill(first)
      assert.deepEqual(await b.executor.wait(first), { kind: 'exited', code: 1 })
      assert.deepEqual(await b.executor.wait(second), { kind: 'exited', code: 2 })
    })

    test('a kill that races with the end of its step harms no other', async () => {
      const b = await bench()
      for (let round = 0; round < 8; round++) {
        const step = await b.start(`sleep 0.00${round}`)
        const [, next] = await Promise.all([b.executor.kill(step), b.code('exit 4')])
        assert.equal(next, 4)
        const exit = await b.executor.wait(step)
        assert.ok(exit.kind === 'exited' && [0, 137].includes(exit.code))
      }
    })

    test('a process left in the background does not hold its step, serves the next one, and ends with the attempt', async () => {
      const b = await bench()
      const seconds = uniqueSleep()
      const first = await b.start(`sleep ${seconds} & echo $! >pid; (sleep 0.1; echo late) &`)
      assert.deepEqual(await b.executor.wait(first), { kind: 'exited', code: 0 })
      assert.equal(await b.code('kill -0 "$(cat pid)"'), 0)
      await until('late output', () => b.output(first) === 'late\n')
      assert.equal(sleepers(seconds).length, 1)
      await b.executor.destroy(b.attempt)
      assert.deepEqual(sleepers(seconds), [])
    })

    test('an aborted wait leaves the step running', async () => {
      const b = await bench()
      const step = await b.start('sleep 0.2; exit 7')
      const reason = new Error('no patience')
      const abort = new AbortController()
      const waiting = b.executor.wait(step, abort.signal)
      abort.abort(reason)
      await assert.rejects(waiting, reason)
      await assert.rejects(b.executor.wait(step, abort.signal), reason)
      assert.equal(await b.executor.attach(step), 'running')
      assert.deepEqual(await b.executor.wait(step), { kind: 'exited', code: 7 })
    })

    test('a step is started once; one that was given up never', async () => {
      const b = await bench()
      const step = await b.start('exit 0')
      const again = { ...step, run: 'touch twice', env: { PATH }, cwd: b.workspace }
      await assert.rejects(b.executor.start(again), failsToStart)
      assert.deepEqual(await b.executor.wait(step), { kind: 'exited', code: 0 })
      const unknown = { attempt: b.attempt, index: 99 }
      assert.equal(await b.executor.attach(unknown), 'lost')
      assert.deepEqual(await b.executor.wait(unknown), { kind: 'lost' })
      await b.executor.kill(unknown)
      await assert.rejects(b.executor.start({ ...again, index: 99 }), failsToStart)
      assert.ok(!existsSync(join(b.workspace, 'twice')))
    })

    test('what no process can be given is refused before anything starts', async () => {
      const b = await bench()
      const fine = { attempt: b.attempt, index: 50, run: 'touch ran', env: { PATH }, cwd: b.workspace }
      const wrongs: StepOrder[] = [
        { ...fine, env: { 'A B': '1' } },
        { ...fine, env: { 'A=$(touch ran)': '1' } },
        { ...fine, env: { '': '1' } },
        { ...fine, env: { A: 'x\0y' } },
        { ...fine, run: 'touch ran\0' },
        { ...fine, cwd: 'workspace' },
        { ...fine, cwd: join(b.workspace, 'absent') },
      ]
      for (const wrong of wrongs) {
        await assert.rejects(b.executor.start(wrong), failsToStart)
      }
      assert.ok(!existsSync(join(b.workspace, 'ran')))
      await b.executor.start(fine)
      assert.deepEqual(await b.executor.wait(fine), { kind: 'exited', code: 0 })
    })

    const WAITS = 'until test -e go; do sleep 0.01; done'

    test('an armed step begins by itself when the one before it has ended with 0', async () => {
      const b = await bench()
      const first = await b.start(`${WAITS}; echo first >>log`)
      const second = await b.arm('echo second >>log; exit 3', first)
      await delay(50)
      assert.ok(!b.has('log'))
      b.make('go')
      assert.deepEqual(await b.executor.wait(second), { kind: 'exited', code: 3 })
      assert.deepEqual(await b.executor.wait(first), { kind: 'exited', code: 0 })
      assert.equal((await b.run('cat log')).output, 'first\nsecond\n')
    })

    test('a row of steps, each armed while the one before it runs', async () => {
      const b = await bench()
      let last = await b.start(WAITS)
      let next = await b.arm('echo 0', last)
      b.make('go')
      for (let n = 1; n <= 20; n++) {
        assert.deepEqual(await b.executor.wait(last), { kind: 'exited', code: 0 })
        last = next
        next = await b.arm(`sleep 0.00${n % 7}; echo ${n}`, last)
      }
      assert.deepEqual(await b.executor.wait(next), { kind: 'exited', code: 0 })
      assert.equal(b.output(last), '19\n')
      assert.equal(b.output(next), '20\n')
    })

    test('an armed step never begins behind one that fails, and the next steps run', async () => {
      const b = await bench()
      const first = await b.start(`${WAITS}; exit 5`)
      const second = await b.arm('touch ran', first)
      b.make('go')
      assert.deepEqual(await b.executor.wait(second), { kind: 'lost' })
      assert.deepEqual(await b.executor.wait(first), { kind: 'exited', code: 5 })
      assert.equal(await b.executor.attach(second), 'lost')
      assert.equal(await b.code('exit 4'), 4)
      assert.ok(!b.has('ran'))
    })

    test('a step that is armed behind one that has ended begins at once, or never', async () => {
      const b = await bench()
      const good = await b.start('true')
      await b.executor.wait(good)
      assert.deepEqual(await b.executor.wait(await b.arm('exit 6', good)), { kind: 'exited', code: 6 })
      const bad = await b.start('false')
      await b.executor.wait(bad)
      assert.deepEqual(await b.executor.wait(await b.arm('touch ran', bad)), { kind: 'lost' })
      assert.ok(!b.has('ran'))
    })

    test('a kill takes what is armed behind the step along; a kill of the armed one leaves the other', async () => {
      const b = await bench()
      const killed = await b.start(`sleep ${uniqueSleep()}`)
      const behind = await b.arm('touch ran', killed)
      await b.executor.kill(killed)
      assert.deepEqual(await b.executor.wait(killed), { kind: 'exited', code: 137 })
      assert.deepEqual(await b.executor.wait(behind), { kind: 'lost' })
      const left = await b.start(WAITS)
      const armed = await b.arm('touch ran', left)
      const waiting = b.executor.wait(armed)
      await b.executor.kill(armed)
      assert.deepEqual(await waiting, { kind: 'lost' })
      b.make('go')
      assert.deepEqual(await b.executor.wait(left), { kind: 'exited', code: 0 })
      assert.equal(await b.code('exit 4'), 4)
      await assert.rejects(b.armAgain(armed, 'touch ran', left), failsToStart)
      assert.ok(!b.has('ran'))
    })

    test('an armed step that runs can be killed', async () => {
      const b = await bench()
      const seconds = uniqueSleep()
      const first = await b.start(WAITS)
      const second = await b.arm(`setsid sleep ${seconds} & sleep ${seconds}`, first)
      b.make('go')
      await until('both run', () => sleepers(seconds).length === 2)
      await b.executor.kill(second)
      assert.deepEqual(sleepers(seconds), [])
      assert.deepEqual(await b.executor.wait(first), { kind: 'exited', code: 0 })
      assert.deepEqual(await b.executor.wait(second), { kind: 'exited', code: 137 })
    })

    test('an armed step is taken back while it has not begun, and can be started again', async () => {
      const b = await bench()
      const first = await b.start(WAITS)
      const second = await b.arm('echo ran >>ran', first)
      assert.equal(await b.executor.disarm(second), 'held')
      b.make('go')
      assert.deepEqual(await b.executor.wait(first), { kind: 'exited', code: 0 })
      await delay(50)
      assert.ok(!b.has('ran'))
      await b.armAgain(second, 'echo again >>ran; until test -e end; do sleep 0.01; done', first)
      await until('it runs', () => b.has('ran'))
      assert.equal(await b.executor.attach(second), 'running')
      b.make('end')
      assert.deepEqual(await b.executor.wait(second), { kind: 'exited', code: 0 })
      assert.equal((await b.run('cat ran')).output, 'again\n')
    })

    test('an armed step that has begun, has ended or was never handed over is not taken back', async () => {
      const b = await bench()
      const first = await b.start(WAITS)
      const second = await b.arm('touch begun; until test -e end; do sleep 0.01; done; exit 2', first)
      b.make('go')
      await until('it has begun', () => b.has('begun'))
      assert.equal(await b.executor.disarm(second), 'begun')
      const third = await b.arm('exit 3', second)
      b.make('end')
      assert.deepEqual(await b.executor.wait(second), { kind: 'exited', code: 2 })
      assert.equal(await b.executor.disarm(second), 'begun')
      assert.deepEqual(await b.executor.wait(third), { kind: 'lost' })
      const unknown = { attempt: b.attempt, index: 99 }
      assert.equal(await b.executor.disarm(unknown), 'lost')
      await assert.rejects(
        b.executor.start({ ...unknown, run: 'touch ran', env: { PATH }, cwd: b.workspace }),
        failsToStart,
      )
    })

    test('taken back at any moment: it runs, or is held, never both', async () => {
      let held = 0
      for (let round = 0; round < 40; round++) {
        const b = await bench()
        const first = await b.start('sleep 0.004')
        const second = await b.arm('touch ran', first)
        await delay(round % 10)
        const how = await b.executor.disarm(second)
        assert.deepEqual(await b.executor.wait(first), { kind: 'exited', code: 0 })
        const exit = await b.executor.wait(second)
        if (how === 'held') held++
        assert.equal(b.has('ran'), how === 'begun')
        assert.deepEqual(exit, how === 'begun' ? { kind: 'exited', code: 0 } : { kind: 'lost' })
        await b.executor.destroy(b.attempt)
      }
      assert.ok(held > 0)
    })

    test('destroy ends a step and what is armed behind it', async () => {
      const b = await bench()
      const first = await b.start(WAITS)
      const second = await b.arm('touch ../ran', first)
      const waiting = b.executor.wait(second)
      await b.executor.destroy(b.attempt)
      assert.deepEqual(await waiting, { kind: 'lost' })
      assert.ok(!existsSync(join(b.attempt.folder, 'ran')))
    })

    test('a folder in which a step closed folders is removed, and one that is gone, too', async () => {
      const b = await bench()
      const folder = join(dirname(b.attempt.folder), 'checkout')
      mkdirSync(join(folder, 'closed'), { recursive: true })
      writeFileSync(join(folder, 'closed', 'file'), '')
      chmodSync(join(folder, 'closed'), 0o555)
      await b.executor.remove(folder)
      assert.ok(!existsSync(folder))
      await b.executor.remove(folder)
    })

    test('a step that is expected runs once it is started, and one that never comes leaves nothing', async () => {
      const b = await bench()
      b.executor.expect(b.attempt)
      b.executor.expect(b.attempt)
      assert.deepEqual(await Promise.all([b.code('exit 3'), b.code('exit 4')]), [3, 4])
      const other = await bench()
      other.executor.expect(other.attempt)
      await other.executor.destroy(other.attempt)
      assert.equal(await other.executor.attach({ attempt: other.attempt, index: 0 }), 'lost')
    })

    test('prepare and destroy can be repeated; output and statuses stay', async () => {
      const b = await bench()
      await b.executor.prepare(b.attempt)
      const ended = await b.start('echo said; mkdir -p a/b; touch a/b/c; ln -s / a/root; chmod 500 a/b; chmod 0 a')
      await b.executor.wait(ended)
      const seconds = uniqueSleep()
      const running = await b.start(`sleep ${seconds}`)
      await until('the step runs', () => sleepers(seconds).length === 1)
      await b.executor.destroy(b.attempt)
      await b.executor.destroy(b.attempt)
      assert.deepEqual(sleepers(seconds), [])
      assert.ok(!existsSync(b.workspace))
      assert.equal(b.output(ended), 'said\n')
      assert.deepEqual(await b.executor.wait(ended), { kind: 'exited', code: 0 })
      assert.equal((await b.executor.wait(running)).kind, 'lost')
    })
  })
}

// Runs of the command line as a crash test needs them: in processes that die, and in processes that stay.
import assert from 'node:assert/strict'
import { type ChildProcess, fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { rolldown } from 'rolldown'
import type { Fault } from './faults.ts'
import { FAST, type World } from './worlds.ts'

export interface Request {
  readonly cwd: string
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string>>
  readonly fault: Fault | null
  /** Instead of dying at once: see `Faults`. */
  readonly mayStand: boolean
  /** What the wall clock says, milliseconds since 1970. */
  readonly now: number
}

export interface Answer {
  readonly code: number | null
  readonly signal: string | null
  /** Standard output and error together. */
  readonly output: string
  /** Whether the fault happened; not known of a process that is gone. */
  readonly struck: boolean
  readonly points: readonly string[]
}

/** 2026-03-02T00:00:00Z, some hours after the toy's commits. */
export const NOW = Date.UTC(2026, 2, 2)
const NODE = ['--disable-warning=ExperimentalWarning']
/** A run that is to die is over before optimising it pays: a fifth less time, measured. */
const SHORT = ['--no-opt', '--no-maglev', '--no-sparkplug', '--single-threaded']
/** One that stands still beside some others: it pays a little. */
const FEW = ['--no-opt', '--single-threaded']

export interface Started {
  readonly child: ChildProcess
  readonly ended: Promise<Answer>
  /** What it has printed so far. */
  readonly output: () => string
}

export interface RunOptions {
  readonly args?: readonly string[]
  readonly fault?: Fault
  readonly now?: number
}
export const RELEASE = ['release', 'v1.0.0', '--jobs', '2']

export class Runs {
  readonly #folder = mkdtempSync(join(FAST, 'pitlane-crash-'))
  readonly #idle: ChildProcess[] = []
  readonly #entry = join(this.#folder, 'dist', 'child.js')

  /** Bundles the child once: a start is three times as fast as from its sources. */
  static async open(): Promise<Runs> {
    const runs = new Runs()
    const bundle = await rolldown({
      input: fileURLToPath(new URL('child.ts', import.meta.url)),
      platform: 'node',
      transform: { target: 'node24' },
      onLog: () => undefined,
    })
    await bundle.write({ file: runs.#entry, format: 'esm', codeSplitting: false })
    await bundle.close()
    // Where `main` looks for its version.
    writeFileSync(join(runs.#folder, 'package.json'), '{"type":"module","version":"0.1.0"}')
    return runs
  }

  /** One run in a process of its own. */
  start(world: World, options: RunOptions = {}): Started {
    const given = { fault: options.fault, now: options.now ?? NOW }
    const child = spawn(process.execPath, [...NODE, ...SHORT, this.#entry, ...(options.args ?? RELEASE)], {
      cwd: world.project,
      env: {
        ...world.env,
        NODE_COMPILE_CACHE: join(this.#folder, 'cache'),
        CRASH_RUN: JSON.stringify(given),
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let output = ''
    const hear = (text: string) => {
      output += text
    }
    child.stdout.setEncoding('utf8').on('data', hear)
    child.stderr.setEncoding('utf8').on('data', hear)
    const ended = new Promise<Answer>((resolve, reject) => {
      child.once('error', reject)
      // Not `close`: what the run left running may hold its output open.
      child.once('exit', (code, signal) => {
        resolve({ code, signal, output, struck: signal === 'SIGKILL', points: [] })
      })
    })
    return { child, ended, output: () => output }
  }

  async run(world: World, options: RunOptions = {}): Promise<Answer> {
    return this.start(world, options).ended
  }

  /** One run in a process that has done others before: nothing is loaded again. */
  async warm(world: World, options: RunOptions = {}): Promise<Answer> {
    const child = this.#idle.pop() ?? this.#stay(world)
    const answer = await ask(child, requestOf(world, options))
    assert.equal(answer.signal, null, 'a run took its whole process with it')
    this.#idle.push(child)
    return answer
  }

  /** A process in which runs go to their points, to be killed together. */
  doomed(world: World): Doomed {
    return new Doomed(this.#stay(world, FEW))
  }

  #stay(world: World, options: readonly string[] = []): ChildProcess {
    return fork(this.#entry, {
      execArgv: [...NODE, ...options],
      env: { ...world.env, NODE_COMPILE_CACHE: join(this.#folder, 'cache') },
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    })
  }

  close(): void {
    for (const child of this.#idle) child.disconnect()
    rmSync(this.#folder, { recursive: true, force: true })
  }
}

/** A process that stays, with runs that stand still in it, each of them at its point. */
export class Doomed {
  readonly #child: ChildProcess
  readonly #gone: Promise<unknown>

  constructor(child: ChildProcess) {
    this.#child = child
    this.#gone = once(child, 'exit')
  }

  /** Brings a run to its point. It stands there, or the whole process was killed there at once, or (with neither) the run ended without it. */
  bring(world: World, args: readonly string[], at: string, mayStand: boolean): Promise<Answer> {
    return ask(this.#child, { ...requestOf(world, { args, fault: { at, how: 'kill' } }), mayStand })
  }

  /** `kill -9`, with everything that stands in it. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.#gone
  }
}

function requestOf(world: World, options: RunOptions): Request {
  return {
    cwd: world.project,
    args: options.args ?? RELEASE,
    env: world.env,
    fault: options.fault ?? null,
    mayStand: false,
    now: options.now ?? NOW,
  }
}

function ask(child: ChildProcess, request: Request): Promise<Answer> {
  return new Promise((resolve) => {
    const gone = (code: number | null, signal: string | null) => {
      child.off('message', answered)
      resolve({ code, signal, output: '', struck: signal === 'SIGKILL', points: [] })
    }
    const answered = (message: unknown) => {
      child.off('exit', gone)
      resolve(message as Answer)
    }
    child.once('exit', gone)
    child.once('message', answered)
    child.send(request)
  })
}

/** Does the work on every item, a few at a time; the first failure ends it. */
export async function each<T>(items: readonly T[], lanes: number, work: (item: T) => Promise<void>): Promise<void> {
  const queue = [...items]
  const lane = async () => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) {
      try {
        await work(item)
      } catch (error) {
        queue.length = 0
        throw error
      }
    }
  }
  const results = await Promise.allSettled(Array.from({ length: lanes }, lane))
  for (const result of results) if (result.status === 'rejected') throw result.reason
}

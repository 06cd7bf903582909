/** A lane: one supervisor that runs steps of one attempt, one at a time, as its living engine sees it. */
import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { PitlaneError, systemCode } from '../../errors.ts'
import type { AttemptRef } from '../types.ts'
import type { Holding } from './isolation.ts'
import { MARKER } from './order.ts'
import { RECORDER, SUPERVISOR } from './supervisor.ts'

export function lanesFolder(attempt: AttemptRef): string {
  return join(attempt.folder, 'lanes')
}

/** Also the marker of the lane's own processes. */
export function laneFolder(attempt: AttemptRef, lane: string): string {
  return join(lanesFolder(attempt), lane)
}

/** Where the lane's first process writes who it is; see `liveness.ts`. */
export function recordFile(attempt: AttemptRef, lane: string): string {
  return join(laneFolder(attempt, lane), 'process')
}

export type Answer = 'started' | 'refused' | 'gone'

/** What a lane was told to run and has not finished. */
interface Order {
  readonly index: number
  readonly answer: PromiseWithResolvers<Answer>
  readonly ended: PromiseWithResolvers<void>
}

export class Lane {
  readonly id: string
  readonly #child: ChildProcess
  readonly #errors: string
  #order: Order | undefined
  #usable = true
  #partial = ''

  private constructor(id: string, child: ChildProcess, errors: string) {
    this.id = id
    this.#child = child
    this.#errors = errors
    child.stdout?.setEncoding('latin1').on('data', (text: string) => this.#hear(text))
    // A lane that ended is noticed through `close`; writing to it meanwhile is no error of its own.
    child.stdin?.on('error', () => {})
    child.once('close', () => this.#gone())
  }

  /**
   * Resolves as soon as the lane's first process exists.
   * @throws PitlaneError `EXECUTOR_FAILED`
   */
  static async open(attempt: AttemptRef, id: string, shell: string, holding: Holding): Promise<Lane> {
    const folder = laneFolder(attempt, id)
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    const errors = join(folder, 'errors')
    const supervisor = [shell, '-c', SUPERVISOR, 'supervisor', attempt.folder, holding.isolation]
    const argv = ['-c', RECORDER, 'lane', folder, holding.isolation, ...holding.prefix, ...supervisor]
    const descriptor = openSync(errors, 'a', 0o600)
    try {
      const child = spawn(shell, argv, {
        // The marker covers what was forked and not yet given a step's own.
        env: { [MARKER]: folder },
        cwd: '/',
        detached: true,
        stdio: ['pipe', 'pipe', descriptor],
      })
      const lane = new Lane(id, child, errors)
      await new Promise<void>((resolve, reject) => {
        child.once('spawn', resolve)
        child.once('error', reject)
      })
      return lane
    } catch (error) {
      throw notSpawned(shell, error)
    } finally {
      closeSync(descriptor)
    }
  }

  /** Whether it can take an order now. */
  get idle(): boolean {
    return this.#usable && this.#order === undefined
  }

  /** Reserves the lane at once; `give` sends the order. */
  reserve(index: number): void {
    this.#order = { index, answer: Promise.withResolvers(), ended: Promise.withResolvers() }
  }

  /** `ended` resolves when the step is over or the lane gone: its files say how. */
  give(): { readonly answer: Promise<Answer>; readonly ended: Promise<void> } {
    const order = this.#order
    if (order === undefined) throw new Error('a lane has to be reserved first')
    if (this.#usable) this.#child.stdin?.write(`${order.index}\n`)
    else this.#gone()
    return { answer: order.answer.promise, ended: order.ended.promise }
  }

  /** Ends the supervisor after its current step, and stops listening. */
  release(): void {
    this.#usable = false
    this.#child.stdin?.end()
    this.#child.stdout?.destroy()
    this.#child.unref()
  }

  /** What the lane's own processes complained about, for error messages. */
  complaint(): string {
    return readFileSync(this.#errors, 'utf8').slice(-1000).trim()
  }

  #hear(text: string): void {
    const lines = (this.#partial + text).split('\n')
    this.#partial = lines.pop() ?? ''
    for (const line of lines) {
      const [word] = line.split(' ')
      if (word === 'started') this.#order?.answer.resolve('started')
      if (word === 'refused') this.#finish('refused')
      if (word === 'ended') this.#finish('started')
    }
  }

  #gone(): void {
    this.#usable = false
    this.#finish('gone')
  }

  #finish(answer: Answer): void {
    const order = this.#order
    this.#order = undefined
    order?.answer.resolve(answer)
    order?.ended.resolve()
  }
}

function notSpawned(shell: string, error: unknown): PitlaneError {
  const code = systemCode(error)
  const reason = error instanceof Error ? error.message : String(error)
  const hint =
    code === 'ENOENT' || code === 'EACCES'
      ? `Steps need a POSIX shell at ${shell}.`
      : code === 'EAGAIN' || code === 'ENOMEM' || code === 'EMFILE'
        ? 'The machine is out of processes, memory or file descriptors: raise the limit (`ulimit -u`, `ulimit -n`, TasksMax of the service) or run fewer jobs.'
        : 'Nothing was started; the same command can be tried again.'
  return new PitlaneError('EXECUTOR_FAILED', `The shell of a step could not be started: ${reason}.`, {
    hint,
    cause: error,
  })
}

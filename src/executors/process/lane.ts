/** A lane: one supervisor that runs steps of one attempt, one at a time, as its living engine sees it. */
import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, ftruncateSync, mkdirSync, openSync, readFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { PitlaneError, systemCode } from '../../errors.ts'
import type { AttemptRef } from '../types.ts'
import { withoutInherited } from './inherited.ts'
import type { Holding, Isolation } from './isolation.ts'
import { type Identity, processStatus } from './liveness.ts'
import { MARKER } from './order.ts'
import { Spare } from './spare.ts'
import { laneFolder, orderFile, orderHead, type OrderSlot, spareFile } from './step-files.ts'
import { RECORDER, SUPERVISOR } from './supervisor.ts'

/** Where the lane's first process writes who it is; see `liveness.ts`. */
export function recordFile(attempt: AttemptRef, lane: string): string {
  return join(laneFolder(attempt, lane), 'process')
}

/** What a lane was told to run and has not finished. */
interface Order {
  readonly index: number
  readonly ended: PromiseWithResolvers<number | undefined>
}

/** An order as a file: in place, because a new one costs more. */
interface OrderFile {
  readonly descriptor: number
  written: number
}

interface LanePlace {
  readonly attempt: AttemptRef
  readonly folder: string
  readonly isolation: Isolation
  readonly errors: string
  readonly spare: string
}

export class Lane {
  readonly id: string
  readonly folder: string
  readonly isolation: Isolation
  /** Its first process; undefined when that had ended at once. Known here, too, because a step can remove what it wrote down. */
  readonly first: Identity | undefined
  readonly #child: ChildProcess
  readonly #ready = Promise.withResolvers<boolean>()
  #isReady = false
  /** What becomes the next step's output. */
  readonly #spare: Spare
  readonly #place: LanePlace
  /** Opened when they are first needed. An armed order must not replace the one that may just be read. */
  readonly #orders = new Map<OrderSlot, OrderFile>()
  #slot: OrderSlot = 0
  #order: Order | undefined
  /** What it begins by itself when that ends with 0. */
  #armed: Order | undefined
  /** It has an order in its pipe that must not count: it gets no other. */
  #held = false
  #usable = true
  #partial = ''

  private constructor(id: string, child: ChildProcess, place: LanePlace, orders: number) {
    this.#place = place
    this.id = id
    this.folder = place.folder
    this.isolation = place.isolation
    this.first = child.pid === undefined ? undefined : processStatus(child.pid)
    this.#child = child
    this.#orders.set(0, { descriptor: orders, written: 0 })
    this.#spare = new Spare(place.spare)
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
    const supervisor = [shell, '-c', SUPERVISOR, 'supervisor', attempt.folder, holding.isolation, folder]
    const argv = ['-c', RECORDER, 'lane', folder, holding.isolation, ...holding.prefix, ...supervisor]
    const descriptor = openSync(errors, 'a', 0o600)
    let orders: number | null = null
    try {
      orders = openSync(orderFile(attempt, id, 0), 'wx', 0o600)
      const child = withoutInherited((behind) =>
        spawn(shell, argv, {
          // The marker covers what was forked and not yet given a step's own.
          env: { [MARKER]: folder },
          cwd: '/',
          detached: true,
          stdio: ['pipe', 'pipe', descriptor, ...behind],
        }),
      )
      const place = { attempt, folder, isolation: holding.isolation, errors, spare: spareFile(attempt, id) }
      const lane = new Lane(id, child, place, orders)
      orders = null
      lane.#spare.make()
      await new Promise<void>((resolve, reject) => {
        child.once('spawn', resolve)
        child.once('error', reject)
      })
      return lane
    } catch (error) {
      throw notSpawned(shell, error)
    } finally {
      closeSync(descriptor)
      if (orders !== null) closeSync(orders)
    }
  }

  /** Whether it can take an order now. */
  get idle(): boolean {
    return this.#usable && !this.#held && this.#order === undefined
  }

  /** Whether it was given this step, and that has not ended. */
  has(index: number): boolean {
    return this.#order?.index === index || this.#armed?.index === index
  }

  /** Whether something can be armed behind this step: the lane has it, and nothing else. */
  canArmBehind(index: number): boolean {
    return this.#order?.index === index && this.#armed === undefined && !this.#held
  }

  /** Reserves the lane at once; `give` sends the order. */
  reserve(index: number): void {
    this.#order = { index, ended: Promise.withResolvers() }
  }

  /** Whether it can begin what it is given. */
  get isReady(): boolean {
    return this.#isReady
  }

  /** False when it ended before it was ready. */
  get becomesReady(): Promise<boolean> {
    return this.#ready.promise
  }

  /**
   * Writes the order down, decides by the exclusive creation of the output that the step begins, and gives it; in this order, so that whoever
   * finds the output finds the lane by its order. Resolves with the exit code when the step is over; with nothing when the lane is gone,
   * and its files say how.
   * @throws the system's error, `EEXIST` when the step was begun or given up by others; then nothing was given, and the lane is idle again
   */
  give(text: string, output: string): Promise<number | undefined> {
    const order = this.#order
    if (order === undefined) throw new Error('a lane has to be reserved first')
    try {
      this.#hand(order.index, text, output)
    } catch (error) {
      this.#order = undefined
      throw error
    }
    return order.ended.promise
  }

  /**
   * The same for a step that begins behind the one that the lane has, see `canArmBehind`. Resolves with nothing also when it does not begin.
   * @throws as `give`; then nothing is armed
   */
  arm(index: number, after: number, text: string, output: string): Promise<number | undefined> {
    // The other one may just be read.
    this.#slot = this.#slot === 0 ? 1 : 0
    this.#hand(index, text, output, after)
    this.#armed = { index, ended: Promise.withResolvers() }
    return this.#armed.ended.promise
  }

  /** The armed step was taken back, by the file that the lane looks for. */
  hold(): void {
    this.#held = true
    this.#dropArmed()
  }

  #dropArmed(): void {
    this.#armed?.ended.resolve(undefined)
    this.#armed = undefined
  }

  #hand(index: number, text: string, output: string, after?: number): void {
    try {
      this.#write(`${orderHead(index, after)}${text}`)
      this.#spare.become(output)
    } catch (error) {
      // Nobody may take it for the lane of that step.
      this.#write('')
      throw error
    }
    this.#child.stdin?.write(after === undefined ? `${index} ${this.#slot}\n` : `${index} ${this.#slot} ${after}\n`)
    // While the step already runs: making a file can take as long as a short step.
    this.#spare.make()
  }

  /** In place: truncated to nothing first, ext4 would start writing the file out on every close (auto_da_alloc), and a new file costs more. */
  #write(text: string): void {
    if (this.#orders.size === 0) return
    const file = this.#orders.get(this.#slot) ?? this.#openOrder(this.#slot)
    const bytes = Buffer.from(text)
    for (let at = 0; at < bytes.length; ) at += writeSync(file.descriptor, bytes, at, bytes.length - at, at)
    if (bytes.length < file.written) ftruncateSync(file.descriptor, bytes.length)
    file.written = bytes.length
  }

  #openOrder(slot: OrderSlot): OrderFile {
    const file = { descriptor: openSync(orderFile(this.#place.attempt, this.id, slot), 'wx', 0o600), written: 0 }
    this.#orders.set(slot, file)
    return file
  }

  /** Ends the supervisor after its current step, and stops listening. */
  release(): void {
    this.#usable = false
    this.#closeOrders()
    this.#child.stdin?.end()
    this.#child.stdout?.destroy()
    this.#child.unref()
  }

  /** What the lane's own processes complained about, for error messages. */
  complaint(): string {
    return readFileSync(this.#place.errors, 'utf8').slice(-1000).trim()
  }

  #hear(text: string): void {
    const lines = (this.#partial + text).split('\n')
    this.#partial = lines.pop() ?? ''
    for (const line of lines) {
      const [word, index, code] = line.split(' ')
      if (word === 'ready') {
        this.#isReady = true
        this.#ready.resolve(true)
      }
      if (word === 'ended') this.#finish(Number(code))
      // Else it was dropped when the step before it ended.
      if (word === 'skipped' && this.#order?.index === Number(index)) this.#finish()
    }
  }

  #gone(): void {
    this.#usable = false
    this.#closeOrders()
    this.#ready.resolve(false)
    this.#finish()
  }

  #closeOrders(): void {
    for (const { descriptor } of this.#orders.values()) closeSync(descriptor)
    this.#orders.clear()
  }

  #finish(code?: number): void {
    const order = this.#order
    if (code !== 0) this.#dropArmed()
    this.#order = this.#armed
    this.#armed = undefined
    order?.ended.resolve(code)
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

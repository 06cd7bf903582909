/**
 * Steps as processes of this machine, without anything installed. Every attempt has lanes: a lane is one supervising shell, in a
 * PID namespace of its own where the kernel allows it, that runs one step after the other; a step that overlaps gets another lane.
 * What is known about a step is in its files (`step-folder.ts`); memory only holds pipes to the lanes this process opened.
 */
import { mkdirSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { Clock } from '../../clock.ts'
import { PitlaneError, systemCode } from '../../errors.ts'
import type { AttemptRef, Executor, StepExit, StepOrder, StepRef } from '../types.ts'
import { findHolding, type Holding, type Isolation } from './isolation.ts'
import { Lane, laneFolder, lanesFolder, recordFile } from './lane.ts'
import { isAlive, type LaneRecord, readLaneRecord } from './liveness.ts'
import { type OrderText, orderText } from './order.ts'
import * as files from './step-folder.ts'
import { endMarked, endNamespace } from './sweep.ts'
import { removeTree } from './workspace.ts'

export interface ProcessExecutorOptions {
  readonly clock: Clock
  /** Takes the weaker way without trying the other. */
  readonly isolation?: 'process-group'
  /** Runs lanes; steps always run with /bin/sh. */
  readonly shell?: string
}

/** How often a lane that belongs to a dead engine is looked at, milliseconds. */
const POLL = 50

/** What a shell says of a child that SIGKILL ended: 128 + 9. */
const KILLED = 137

interface Run {
  readonly lane: Lane
  readonly ended: Promise<void>
}

export class ProcessExecutor implements Executor {
  readonly name = 'process'
  readonly #clock: Clock
  readonly #shell: string
  readonly #forced: 'process-group' | undefined
  readonly #lanes = new Map<string, Set<Lane>>()
  /** Steps that this process started, by folder. */
  readonly #runs = new Map<string, Run>()
  readonly #kills = new Map<string, Promise<void>>()
  readonly #closed = Promise.withResolvers<'closed'>()
  #holding: Promise<Holding> | undefined

  constructor(options: ProcessExecutorOptions) {
    this.#clock = options.clock
    this.#shell = options.shell ?? '/bin/sh'
    this.#forced = options.isolation
  }

  async isolation(): Promise<Isolation> {
    return (await this.#findHolding()).isolation
  }

  async prepare(attempt: AttemptRef): Promise<void> {
    try {
      for (const folder of [this.#workspace(attempt), files.stepsFolder(attempt), lanesFolder(attempt)]) {
        mkdirSync(folder, { recursive: true, mode: 0o755 })
      }
    } catch (error) {
      throw new PitlaneError('STORAGE_FAILED', `The folder of a stage could not be made: ${messageOf(error)}.`, {
        hint: `Make ${attempt.folder} writable and see that its disk has space.`,
        cause: error,
      })
    }
  }

  async start(step: StepOrder): Promise<void> {
    const folder = files.stepFolder(step)
    const holding = await this.#findHolding()
    const text = orderText(step, folder, holding.setsid)
    this.#makeFolder(step, folder)
    try {
      const reused = this.#reserveIdle(step)
      // A lane that was idle may have ended meanwhile (killed by a person, out of memory): then nothing was lost yet.
      if (reused !== undefined && (await this.#begin(step, folder, text, reused))) return
      const fresh = await this.#openLane(step, holding)
      if (await this.#begin(step, folder, text, fresh)) return
      throw endedEarly(step, fresh)
    } catch (error) {
      // Whatever went wrong: from here on "nothing was started" is true, or it did start.
      if (this.#giveUp(step, folder) !== 'cancelled') return
      throw error instanceof PitlaneError ? error : notStarted(step, error)
    }
  }

  async attach(step: StepRef): Promise<'running' | 'finished' | 'lost'> {
    const how = await this.#look(step)
    return typeof how === 'object' ? 'finished' : how
  }

  async wait(step: StepRef, signal?: AbortSignal): Promise<StepExit> {
    signal?.throwIfAborted()
    const run = this.#runs.get(files.stepFolder(step))
    if (run !== undefined) await this.#unlessClosed(step, run.ended, signal)
    for (;;) {
      const how = await this.#look(step)
      if (how === 'lost') return { kind: 'lost' }
      if (how !== 'running') return { kind: 'exited', code: how.code }
      await this.#unlessClosed(step, this.#clock.sleep(POLL, signal), signal)
    }
  }

  async kill(step: StepRef): Promise<void> {
    const folder = files.stepFolder(step)
    const before = this.#kills.get(folder)
    if (before !== undefined) return await before
    if (files.cancel(folder) !== 'begun') return
    const run = this.#runs.get(folder)
    if (run !== undefined) {
      // Over, and the lane may already have another step: read together with the next line, before anything else can happen.
      if (run.lane.running !== step.index) return
      run.lane.retire()
      this.#lanes.get(step.attempt.folder)?.delete(run.lane)
    }
    const kill = this.#kill(step.attempt, folder)
    this.#kills.set(folder, kill)
    try {
      await kill
    } finally {
      this.#kills.delete(folder)
    }
  }

  outputPath(step: StepRef): string {
    return files.outputFile(files.stepFolder(step))
  }

  async destroy(attempt: AttemptRef): Promise<void> {
    for (const index of entries(files.stepsFolder(attempt))) {
      const folder = join(files.stepsFolder(attempt), index)
      files.cancel(folder)
      files.removeOrder(folder)
    }
    for (const lane of this.#lanes.get(attempt.folder) ?? []) lane.release()
    this.#lanes.delete(attempt.folder)
    await Promise.all(entries(lanesFolder(attempt)).map((lane) => this.#endLane(attempt, lane)))
    await endMarked((marker) => marker.startsWith(`${attempt.folder}/`), this.#clock)
    await removeTree(this.#workspace(attempt), this.#shell)
    for (const folder of this.#runs.keys()) {
      if (folder.startsWith(`${attempt.folder}/`)) this.#runs.delete(folder)
    }
  }

  async close(): Promise<void> {
    this.#closed.resolve('closed')
    for (const lane of [...this.#lanes.values()].flatMap((lanes) => [...lanes])) lane.release()
    this.#lanes.clear()
  }

  #findHolding(): Promise<Holding> {
    this.#holding ??= findHolding(this.#shell, this.#forced)
    return this.#holding
  }

  #workspace(attempt: AttemptRef): string {
    return join(attempt.folder, 'workspace')
  }

  #makeFolder(step: StepOrder, folder: string): void {
    try {
      if (!statSync(step.cwd).isDirectory()) throw new Error(`not a folder: ${step.cwd}`)
      files.makeStepFolder(folder)
    } catch (error) {
      throw notStarted(step, error)
    }
  }

  #giveUp(step: StepRef, folder: string): files.Fate {
    try {
      return files.cancel(folder)
    } catch (error) {
      throw notStarted(step, error)
    }
  }

  #reserveIdle(step: StepRef): Lane | undefined {
    const lane = [...(this.#lanes.get(step.attempt.folder) ?? [])].find((candidate) => candidate.idle)
    lane?.reserve(step.index)
    return lane
  }

  async #openLane(step: StepRef, holding: Holding): Promise<Lane> {
    const id = this.#clock.random(8).toString('hex')
    const lane = await Lane.open(step.attempt, id, this.#shell, holding)
    lane.reserve(step.index)
    const lanes = this.#lanes.get(step.attempt.folder) ?? new Set()
    this.#lanes.set(step.attempt.folder, lanes.add(lane))
    return lane
  }

  /** False when the lane ended without having begun. */
  async #begin(step: StepRef, folder: string, text: OrderText, lane: Lane): Promise<boolean> {
    files.writeOrder(folder, lane.id, text)
    const { answer, ended } = lane.give()
    this.#runs.set(folder, { lane, ended })
    switch (await answer) {
      case 'started':
        return true
      case 'refused':
        throw new PitlaneError('EXECUTOR_FAILED', 'The step was given up by another process before it began.', {
          hint: 'Another engine has taken over this attempt.',
        })
      case 'gone':
        this.#lanes.get(step.attempt.folder)?.delete(lane)
        return files.readFate(folder) !== 'absent'
    }
  }

  /** Decides by the table in `step-folder.ts`. */
  async #look(step: StepRef): Promise<{ readonly code: number } | 'running' | 'lost'> {
    const folder = files.stepFolder(step)
    const fate = files.cancel(folder)
    if (typeof fate === 'object') return fate
    if (fate === 'cancelled') return 'lost'
    const lane = files.readLane(folder)
    const record = this.#record(step.attempt, lane)
    if (record !== undefined && isAlive(record)) return 'running'
    await this.#kills.get(folder)
    // Once more: the exit status is written before the process ends.
    const last = files.readFate(folder)
    if (typeof last === 'object') return last
    await this.#endLeftovers(step.attempt, folder, lane)
    return 'lost'
  }

  /** @throws PitlaneError `INTERRUPTED` when this executor is closed first, or the signal's reason */
  async #unlessClosed(step: StepRef, event: Promise<void>, signal?: AbortSignal): Promise<void> {
    const how = await firstOf([event.then(() => 'happened' as const), this.#closed.promise], signal)
    if (how === 'happened') return
    throw new PitlaneError('INTERRUPTED', `Step ${step.index} is no longer waited for; it runs on.`)
  }

  async #kill(attempt: AttemptRef, folder: string): Promise<void> {
    const lane = files.readLane(folder)
    if (lane !== undefined) await this.#endLane(attempt, lane)
    await this.#endLeftovers(attempt, folder, lane)
    if (files.readFate(folder) === 'begun') files.writeExit(folder, KILLED)
  }

  async #endLane(attempt: AttemptRef, lane: string): Promise<void> {
    const record = this.#record(attempt, lane)
    if (record === undefined || !isAlive(record)) return
    if (record.isolation === 'pid-namespace') await endNamespace(record, this.#clock)
    else await endMarked((marker) => marker === laneFolder(attempt, lane), this.#clock, record)
  }

  async #endLeftovers(attempt: AttemptRef, folder: string, lane: string | undefined): Promise<void> {
    const own = lane === undefined ? undefined : laneFolder(attempt, lane)
    await endMarked((marker) => marker === folder || marker === own, this.#clock)
  }

  #record(attempt: AttemptRef, lane: string | undefined): LaneRecord | undefined {
    return lane === undefined ? undefined : readLaneRecord(recordFile(attempt, lane))
  }
}

/** The first to settle; an aborted signal rejects with its reason. Leaves no listener behind. */
async function firstOf<T>(promises: readonly Promise<T>[], signal?: AbortSignal): Promise<T> {
  if (signal === undefined) return await Promise.race(promises)
  const aborted = Promise.withResolvers<never>()
  const abort = () => aborted.reject(signal.reason)
  signal.addEventListener('abort', abort, { once: true })
  try {
    return await Promise.race([...promises, aborted.promise])
  } finally {
    signal.removeEventListener('abort', abort)
  }
}

function entries(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return []
    throw error
  }
}

function notStarted(step: StepRef, error: unknown): PitlaneError {
  const code = systemCode(error)
  const hint =
    code === 'EEXIST'
      ? 'It was started or given up before: attach to it, or make a new attempt.'
      : code === 'ENOSPC' || code === 'EDQUOT'
        ? `Make space on the disk of ${step.attempt.folder}.`
        : 'Nothing was started; the same command can be tried again.'
  return new PitlaneError('EXECUTOR_FAILED', `Step ${step.index} could not be started: ${messageOf(error)}.`, {
    hint,
    cause: error,
  })
}

function endedEarly(step: StepRef, lane: Lane): PitlaneError {
  const complaint = lane.complaint() || 'it said nothing'
  return new PitlaneError('EXECUTOR_FAILED', `The supervisor of a step ended early: ${complaint}.`, {
    hint: `Its folder is ${laneFolder(step.attempt, lane.id)}. Often the machine is out of processes, memory or disk.`,
  })
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

/**
 * Steps as processes of this machine, without anything installed. Every attempt has lanes: a lane is one supervising shell, in a
 * PID namespace of its own where the kernel allows it, that runs one step after the other; a step that overlaps gets another lane.
 * What is known about a step is in its files (`step-folder.ts`); memory only holds pipes to the lanes this process opened.
 */
import { mkdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { Clock } from '../../clock.ts'
import { PitlaneError } from '../../errors.ts'
import type { AttemptRef, Executor, StepExit, StepOrder, StepRef } from '../types.ts'
import { abortable } from './abortable.ts'
import { endAttempt, endLane, endLeftovers, isLaneAlive } from './ending.ts'
import { endedEarly, messageOf, notStarted } from './failures.ts'
import { findHolding, type Holding, type Isolation } from './isolation.ts'
import { Lane, lanesFolder } from './lane.ts'
import { type OrderText, orderText } from './order.ts'
import * as files from './step-folder.ts'
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
  readonly #closing = new AbortController()
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
    // Found out while the caller fills the workspace.
    this.#findHolding().catch(() => undefined)
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
    const stop = signal === undefined ? this.#closing.signal : AbortSignal.any([signal, this.#closing.signal])
    const run = this.#runs.get(files.stepFolder(step))
    if (run !== undefined) await abortable(run.ended, stop)
    for (;;) {
      const how = await this.#look(step)
      if (how === 'lost') return { kind: 'lost' }
      if (how !== 'running') return { kind: 'exited', code: how.code }
      await abortable(this.#clock.sleep(POLL), stop)
    }
  }

  async kill(step: StepRef): Promise<void> {
    const folder = files.stepFolder(step)
    const before = this.#kills.get(folder)
    if (before !== undefined) return await before
    if (files.cancel(folder) !== 'begun') return
    // Begun and not over, so its lane has nothing else; nor may it get anything from here on.
    const run = this.#runs.get(folder)
    if (run !== undefined) this.#lanes.get(step.attempt.folder)?.delete(run.lane)
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
    for (const folder of files.stepFolders(attempt)) {
      files.cancel(folder)
      files.removeOrder(folder)
    }
    for (const lane of this.#lanes.get(attempt.folder) ?? []) lane.release()
    this.#lanes.delete(attempt.folder)
    await endAttempt(attempt, this.#clock)
    await removeTree(this.#workspace(attempt), this.#shell)
    for (const folder of this.#runs.keys()) {
      if (folder.startsWith(`${attempt.folder}/`)) this.#runs.delete(folder)
    }
  }

  async remove(folder: string): Promise<void> {
    await removeTree(folder, this.#shell)
  }

  async close(): Promise<void> {
    this.#closing.abort(
      new PitlaneError('INTERRUPTED', 'Steps are no longer waited for; those that run go on.', {
        hint: 'The same command attaches to them again.',
      }),
    )
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
    if (lane !== undefined && isLaneAlive(step.attempt, lane)) return 'running'
    await this.#kills.get(folder)
    // Once more: the exit status is written before the process ends.
    const last = files.readFate(folder)
    if (typeof last === 'object') return last
    await endLeftovers(step.attempt, folder, lane, this.#clock)
    return 'lost'
  }

  async #kill(attempt: AttemptRef, folder: string): Promise<void> {
    const lane = files.readLane(folder)
    if (lane !== undefined) await endLane(attempt, lane, this.#clock)
    await endLeftovers(attempt, folder, lane, this.#clock)
    if (files.readFate(folder) === 'begun') files.writeExit(folder, KILLED)
  }
}

/**
 * Steps as processes of this machine, without anything installed. Every attempt has lanes: a lane is one supervising shell, in a
 * PID namespace of its own where the kernel allows it, that runs one step after the other; a step that overlaps gets another lane.
 * What is known about a step is in files (`step-files.ts`); memory only holds pipes to the lanes this process opened.
 */
import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Clock } from '../../clock.ts'
import { PitlaneError, systemCode } from '../../errors.ts'
import type { AttemptRef, Executor, StepExit, StepOrder, StepRef } from '../types.ts'
import { abortable } from './abortable.ts'
import { endAttempt, endLane, endLeftovers, endOpenLane, isLaneAlive } from './ending.ts'
import { endedEarly, giveUp, messageOf, mustHaveFolder, notStarted, startedBefore } from './failures.ts'
import { findHolding, type Holding, type Isolation } from './isolation.ts'
import { Lane } from './lane.ts'
import { orderText } from './order.ts'
import * as files from './step-files.ts'
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
  readonly ended: Promise<number | undefined>
}

export class ProcessExecutor implements Executor {
  readonly name = 'process'
  readonly #clock: Clock
  readonly #shell: string
  readonly #forced: 'process-group' | undefined
  readonly #lanes = new Map<string, Set<Lane>>()
  /** Steps that this process started, by name. */
  readonly #runs = new Map<string, Run>()
  readonly #kills = new Map<string, Promise<void>>()
  /** Lanes that are opened before anything asks for them, by attempt folder. */
  readonly #opening = new Map<string, Promise<void>>()
  readonly #closing = new AbortController()
  /** Working folders that were there, by attempt folder. */
  readonly #folders = new Map<string, string>()
  #holding: Promise<Holding> | undefined
  /** What came of `#holding`. */
  #held: Holding | undefined

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
      for (const folder of [this.#workspace(attempt), files.stepsFolder(attempt), files.lanesFolder(attempt)]) {
        mkdirSync(folder, { recursive: true, mode: 0o755 })
      }
    } catch (error) {
      throw new PitlaneError('STORAGE_FAILED', `The folder of a stage could not be made: ${messageOf(error)}.`, {
        hint: `Make ${attempt.folder} writable and see that its disk has space.`,
        cause: error,
      })
    }
  }

  expect(attempt: AttemptRef): void {
    const { folder } = attempt
    if (this.#opening.has(folder) || (this.#lanes.get(folder)?.size ?? 0) > 0) return
    const opening = this.#findHolding()
      .then((holding) => this.#openLane(attempt, holding))
      // Then `start` tries it again, and says what is wrong.
      .then(
        () => undefined,
        () => undefined,
      )
      .finally(() => this.#opening.delete(folder))
    this.#opening.set(folder, opening)
  }

  async start(step: StepOrder): Promise<void> {
    const name = files.stepName(step)
    // Nothing is awaited that is there already: a step that can begin has begun when the call returns.
    const holding = this.#held ?? (await this.#findHolding())
    const opening = this.#opening.get(step.attempt.folder)
    if (opening !== undefined) await opening
    const text = orderText(step, name, holding.setsid)
    this.#mustHaveFolder(step)
    if (this.#runs.has(name)) throw startedBefore(step)
    try {
      if (text.script !== undefined) files.writeScript(name, text.script)
      if (step.after !== undefined && this.#arm(step, step.after, text.order)) return
      const idle = this.#reserveIdle(step)
      const reused = idle !== undefined && (idle.isReady || (await idle.becomesReady))
      const lane = reused ? idle : await this.#openLane(step.attempt, holding, step.index)
      if (!lane.isReady && !(await lane.becomesReady)) throw endedEarly(step, lane)
      this.#runs.set(name, { lane, ended: lane.give(text.order, files.outputFile(name)) })
    } catch (error) {
      if (systemCode(error) === 'EEXIST') throw startedBefore(step)
      // From here on "nothing was started" is true.
      giveUp(step)
      throw error instanceof PitlaneError ? error : notStarted(step, error)
    }
  }

  async disarm(step: StepRef): Promise<'held' | 'begun' | 'lost'> {
    const fate = files.cancel(step)
    if (fate !== 'begun') return fate === 'cancelled' ? 'lost' : 'begun'
    for (;;) {
      const how = this.#hold(step)
      if (how !== 'undecided') return how
      await this.#clock.sleep(1)
    }
  }

  async attach(step: StepRef): Promise<'running' | 'finished' | 'lost'> {
    const how = await this.#look(step)
    return typeof how === 'object' ? 'finished' : how
  }

  async wait(step: StepRef, signal?: AbortSignal): Promise<StepExit> {
    const signals = signal === undefined ? [this.#closing.signal] : [signal, this.#closing.signal]
    const run = this.#runs.get(files.stepName(step))
    if (run !== undefined) {
      const code = await abortable(run.ended, signals)
      if (code !== undefined) return { kind: 'exited', code }
    }
    for (;;) {
      const how = await this.#look(step)
      if (how === 'lost') return { kind: 'lost' }
      if (how !== 'running') return { kind: 'exited', code: how.code }
      await abortable(this.#clock.sleep(POLL), signals)
    }
  }

  async kill(step: StepRef): Promise<void> {
    const name = files.stepName(step)
    const before = this.#kills.get(name)
    if (before !== undefined) return await before
    if (files.cancel(step) !== 'begun') return
    if (this.#hold(step) === 'held') return void files.cancel(step)
    // Begun and not over, so its lane has nothing else; nor may it get anything from here on.
    const run = this.#runs.get(name)
    if (run !== undefined) this.#lanes.get(step.attempt.folder)?.delete(run.lane)
    const kill = this.#kill(step)
    this.#kills.set(name, kill)
    try {
      await kill
    } finally {
      this.#kills.delete(name)
    }
  }

  outputPath(step: StepRef): string {
    return files.outputFile(files.stepName(step))
  }

  async destroy(attempt: AttemptRef): Promise<void> {
    await this.#opening.get(attempt.folder)
    for (const lane of files.lanesOf(attempt)) {
      for (const { index } of files.orderedSteps(attempt, lane)) files.cancel({ attempt, index })
    }
    const open = [...(this.#lanes.get(attempt.folder) ?? [])]
    for (const lane of open) lane.release()
    this.#lanes.delete(attempt.folder)
    this.#folders.delete(attempt.folder)
    await endAttempt(attempt, this.#clock)
    for (const lane of open) await endOpenLane(lane, this.#clock)
    // Until here an order tells which lane has the step.
    for (const lane of files.lanesOf(attempt)) files.clearLane(attempt, lane)
    await removeTree(this.#workspace(attempt), this.#shell)
    for (const name of this.#runs.keys()) {
      if (name.startsWith(`${attempt.folder}/`)) this.#runs.delete(name)
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
    await Promise.all(this.#opening.values())
    const open = [...this.#lanes.values()].flatMap((lanes) => [...lanes])
    for (const lane of open) lane.release()
    this.#lanes.clear()
    // Nobody could find these again.
    for (const lane of open) if (!existsSync(lane.folder)) await endOpenLane(lane, this.#clock)
  }

  #findHolding(): Promise<Holding> {
    this.#holding ??= findHolding(this.#shell, this.#forced).then((holding) => (this.#held = holding))
    return this.#holding
  }

  /** Once for an attempt: what a step does to its folder later is found by the shell of the next one. */
  #mustHaveFolder(step: StepOrder): void {
    const { folder } = step.attempt
    if (this.#folders.get(folder) === step.cwd) return
    mustHaveFolder(step)
    this.#folders.set(folder, step.cwd)
  }

  #workspace(attempt: AttemptRef): string {
    return join(attempt.folder, 'workspace')
  }

  #reserveIdle(step: StepRef): Lane | undefined {
    const lane = [...(this.#lanes.get(step.attempt.folder) ?? [])].find((candidate) => candidate.idle)
    lane?.reserve(step.index)
    return lane
  }

  /** Whether there is nothing left to do: the step begins behind the other one, or never. Else that one has ended with 0. */
  #arm(step: StepOrder, after: number, text: string): boolean {
    const before = { attempt: step.attempt, index: after }
    const lane = this.#runs.get(files.stepName(before))?.lane
    if (lane?.canArmBehind(after) === true) {
      const name = files.stepName(step)
      this.#runs.set(name, { lane, ended: lane.arm(step.index, after, text, files.outputFile(name)) })
      return true
    }
    const fate = files.readFate(before)
    return typeof fate !== 'object' || fate.code !== 0
  }

  /** Sees to it that a step that is armed does not begin. `undecided`: its lane says in a moment, whether it has. */
  #hold(step: StepRef): 'held' | 'begun' | 'undecided' {
    let answer: 'begun' | 'undecided' = 'begun'
    for (const lane of files.lanesOf(step.attempt)) {
      const how = files.hold(step, lane)
      if (how === 'held') {
        const name = files.stepName(step)
        this.#runs.get(name)?.lane.hold()
        this.#runs.delete(name)
        return how
      }
      if (how === 'undecided' && isLaneAlive(step.attempt, lane)) answer = how
    }
    return answer
  }

  /** @param index of the step that it is reserved for, before another one can take it */
  async #openLane(attempt: AttemptRef, holding: Holding, index?: number): Promise<Lane> {
    const id = this.#clock.random(8).toString('hex')
    const lane = await Lane.open(attempt, id, this.#shell, holding)
    if (index !== undefined) lane.reserve(index)
    const lanes = this.#lanes.get(attempt.folder) ?? new Set()
    this.#lanes.set(attempt.folder, lanes.add(lane))
    return lane
  }

  /** Decides by the table in `step-files.ts`. */
  async #look(step: StepRef): Promise<{ readonly code: number } | 'running' | 'lost'> {
    const fate = files.cancel(step)
    if (typeof fate === 'object') return fate
    if (fate === 'cancelled') return 'lost'
    const lanes = files.lanesWith(step)
    if (lanes.some((lane) => isLaneAlive(step.attempt, lane))) return 'running'
    await this.#kills.get(files.stepName(step))
    // Once more: the end is written before the process ends, and before the lane gets another order.
    const last = files.readFate(step)
    if (typeof last === 'object') return last
    await endLeftovers(step, lanes, this.#clock)
    return 'lost'
  }

  async #kill(step: StepRef): Promise<void> {
    const lanes = files.lanesWith(step)
    for (const lane of lanes) await endLane(step.attempt, lane, this.#clock)
    // A step may have removed what tells which lane has it.
    const open = this.#runs.get(files.stepName(step))?.lane
    if (open?.has(step.index)) await endOpenLane(open, this.#clock)
    await endLeftovers(step, lanes, this.#clock)
    const [lane] = lanes
    if (lane !== undefined && files.readFate(step) === 'begun') files.writeEnd(step, lane, KILLED)
  }
}

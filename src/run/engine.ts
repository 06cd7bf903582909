/**
 * Carries one build out: asks the reducer, writes its answer down, then does what it ordered. Holds nothing that the rows and the
 * executor can't give back: a new engine on the same rows goes on where this one stopped, wherever that was.
 */
import { stat } from 'node:fs/promises'
import type { Clock } from '../clock.ts'
import { type BuildRow, finishBuild, loadState, saveState, staleAttempts } from '../database/queries/builds.ts'
import type { Writer } from '../database/writer.ts'
import { PitlaneError, systemCode } from '../errors.ts'
import type { AttemptRef, Executor, StepRef } from '../executors/types.ts'
import type { Plan, PlannedStage } from '../plan/plan.ts'
import { type StagePlaces, stagePlaces } from './places.ts'
import type { Report } from './progress.ts'
import { type Fact, type Limits, type Order, reduce } from './reducer.ts'
import { type BuildState, outcomeOf, type StageRun } from './state.ts'

/** What the rooms after this one do around a stage's steps. Every method may be called again after a crash, and then does the same. */
export interface StageWork {
  /** Makes the workspace ready. `fresh`: fill it anew; else keep what is there. Tells why, when the stage can't run on this machine. */
  prepare(context: StageContext, fresh: boolean): Promise<{ readonly unrunnable: string } | undefined>
  /** Where and with which variables the stage's steps run. */
  environment(context: StageContext): Promise<{ readonly env: Readonly<Record<string, string>>; readonly cwd: string }>
  /** Takes over what the steps left. Throws a `target` error when a declared output is missing or unfit. */
  collect(context: StageContext): Promise<void>
  /** What is no longer as these green stages of the build left it, in words; null when all of it is. */
  lostOutputs(build: BuildRow, stages: readonly PlannedStage[]): Promise<string | null>
}

export interface StageContext {
  readonly build: BuildRow
  readonly plan: Plan
  readonly stage: PlannedStage
  readonly attempt: number
  /** Absolute; shared by the attempts of the stage. */
  readonly workspace: string
  /** Absolute; kept when the workspace is removed. */
  readonly folder: string
}

export interface EngineParts {
  readonly writer: Writer
  readonly executor: Executor
  readonly work: StageWork
  readonly clock: Clock
  readonly report: Report
  /** Identifies the time since the machine was started: `/proc/sys/kernel/random/boot_id`. */
  readonly bootId: string
  /** `.pitlane/builds` */
  readonly folder: string
  readonly limits: Limits
}

export interface StopSignals {
  /** Start nothing more, let what runs finish. */
  readonly drain: AbortSignal
  /** End what runs. */
  readonly interrupt: AbortSignal
}

/** Drives the build to its end; `stopped` when a signal ended it early, in which case the same call goes on later. */
export async function runBuild(
  parts: EngineParts,
  build: BuildRow,
  plan: Plan,
  stop: StopSignals,
): Promise<'succeeded' | 'failed' | 'stopped'> {
  const run = new BuildRun(parts, build, plan)
  const drain = () => run.tell({ kind: 'drain' })
  const interrupt = () => run.tell({ kind: 'interrupt' })
  stop.drain.addEventListener('abort', drain)
  stop.interrupt.addEventListener('abort', interrupt)
  try {
    if (stop.interrupt.aborted) interrupt()
    else if (stop.drain.aborted) drain()
    return await run.toEnd()
  } finally {
    stop.drain.removeEventListener('abort', drain)
    stop.interrupt.removeEventListener('abort', interrupt)
    await run.letGo()
  }
}

/** Made once: an error with its stack for every step that ended in time would cost more than the step's row. */
const NO_LONGER = new PitlaneError('INTERRUPTED', 'no longer waited for')

/** Bytes: 4 GiB. A log of that size is read by nobody, and one without a limit fills the disk. */
const OUTPUT_LIMIT = 4 * 1024 ** 3
/** Milliseconds between two looks at how much a step has written. */
const OUTPUT_POLL = 2000

class BuildRun {
  readonly #parts: EngineParts
  readonly #build: BuildRow
  readonly #plan: Plan
  #state: BuildState = { stages: [], draining: false }
  #startedAt = new Map<string, number>()
  readonly #seenStart = new Map<string, number>()
  readonly #facts: Fact[] = []
  readonly #watched = new Set<string>()
  readonly #deadlines = new Set<AbortController>()
  /** Starts under way: a kill waits for them, so that it finds what it has to end. */
  readonly #starting = new Map<string, Promise<void>>()
  readonly #environments = new Map<string, ReturnType<StageWork['environment']>>()
  readonly #underWay = new Set<Promise<void>>()
  #failure: { readonly error: unknown } | null = null
  #wake: () => void = () => {}
  readonly #released = new AbortController()

  constructor(parts: EngineParts, build: BuildRow, plan: Plan) {
    this.#parts = parts
    this.#build = build
    this.#plan = plan
  }

  tell(fact: Fact): void {
    this.#facts.push(fact)
    this.#wake()
  }

  /** Waits for no step any more, and for every order under way: whoever takes over next must not meet a checkout that is still being written. */
  async letGo(): Promise<void> {
    this.#released.abort(NO_LONGER)
    for (const deadline of this.#deadlines) deadline.abort(NO_LONGER)
    await Promise.all(this.#underWay)
  }

  async toEnd(): Promise<'succeeded' | 'failed' | 'stopped'> {
    const loaded = await loadState(this.#parts.writer.db, this.#build, this.#plan)
    this.#state = loaded.state
    this.#startedAt = loaded.startedAt
    // First what the restart undid, then the orders of what is left.
    for (const { stage_id: stage, number: attempt } of await staleAttempts(
      this.#parts.writer.db,
      this.#build,
      this.#parts.bootId,
    )) {
      this.#facts.unshift({ kind: 'restarted', stage, attempt })
    }
    this.#facts.push({ kind: 'resumed' })
    for (;;) {
      if (this.#failure !== null) throw this.#failure.error
      if (this.#facts.length > 0) {
        await this.#turn()
        continue
      }
      if (this.#underWay.size === 0) {
        const outcome = outcomeOf(this.#state)
        if (outcome !== null) return outcome
        if (this.#state.draining) return 'stopped'
        throw new PitlaneError('INTERNAL', `build ${this.#build.number} has nothing running and nothing that may start`)
      }
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }

  /** One turn: all waiting facts, one transaction, then the orders. */
  async #turn(): Promise<void> {
    const before = this.#state
    let after = before
    const orders: Order[] = []
    for (const fact of this.#facts.splice(0)) {
      const turn = reduce(after, fact, this.#parts.limits)
      after = turn.state
      orders.push(...turn.orders)
    }
    if (after !== before) await this.#save(before, after)
    this.#state = after
    for (const order of orders) {
      const work = this.#carryOut(order)
      this.#underWay.add(work)
      // Its facts are told by then: a turn that finds nothing under way has heard of all of it.
      void work.finally(() => {
        this.#underWay.delete(work)
        this.#wake()
      })
    }
  }

  async #save(before: BuildState, after: BuildState): Promise<void> {
    const now = this.#parts.clock.now()
    const outcome = outcomeOf(after)
    const changed = after.stages.some((stage, index) => stage !== before.stages[index])
    if (!changed) return
    await this.#parts.writer.write(async (trx) => {
      await saveState(trx, this.#build, before, after, { now, bootId: this.#parts.bootId })
      if (outcome !== null && outcomeOf(before) === null) await finishBuild(trx, this.#build, outcome, now)
    })
    this.#reportChanges(before, after, now)
  }

  #reportChanges(before: BuildState, after: BuildState, now: number): void {
    const build = this.#build.number
    for (const [index, stage] of after.stages.entries()) {
      const old = before.stages[index]
      if (old === stage || old === undefined) continue
      for (const [position, step] of stage.steps.entries()) {
        if (old.steps[position]?.state === step.state) continue
        const monotonic = this.#parts.clock.monotonic()
        if (step.state === 'running') {
          this.#startedAt.set(step.plan.id, now)
          this.#seenStart.set(step.plan.id, monotonic)
        }
        const seen = this.#seenStart.get(step.plan.id)
        this.#parts.report({
          event: 'step',
          build,
          stage: stage.plan.id,
          step: step.plan.name,
          state: step.state,
          exitCode: step.exitCode,
          output: this.#parts.executor.outputPath(this.#stepRef(stage, step.plan.id)),
          duration: seen === undefined ? null : Math.round(monotonic - seen),
        })
      }
      if (old.state !== stage.state || old.attempt !== stage.attempt) {
        const { attempt, note } = stage
        this.#parts.report({ event: 'stage', build, stage: stage.plan.id, state: stage.state, attempt, note })
      }
    }
  }

  async #carryOut(order: Order): Promise<void> {
    try {
      const stage = this.#state.stages.find((candidate) => candidate.plan.id === order.stage)
      if (stage === undefined) return
      const at = { stage: order.stage, attempt: order.attempt }
      switch (order.kind) {
        case 'prepare':
          return await this.#prepare(stage, order.attempt, order.fresh)
        case 'start': {
          const step = stage.plan.steps.find((candidate) => candidate.id === order.step)
          if (step === undefined) return
          const { env, cwd } = await this.#environment(stage)
          const ref = this.#stepRef(stage, step.id)
          const starting = this.#parts.executor.start({ ...ref, run: step.run, env: { ...env, ...step.env }, cwd })
          this.#starting.set(step.id, starting)
          await starting
          return await this.#watch(stage, step.id)
        }
        case 'attach': {
          const found = await this.#parts.executor.attach(this.#stepRef(stage, order.step))
          if (found === 'lost') return this.tell({ kind: 'lost', ...at, step: order.step })
          return await this.#watch(stage, order.step)
        }
        case 'kill': {
          await this.#starting.get(order.step)
          await this.#parts.executor.kill(this.#stepRef(stage, order.step))
          if (!this.#watched.has(order.step)) await this.#awaitEnd(stage, order.step)
          return
        }
        case 'collect':
          // Nothing may go on writing to what is collected.
          await this.#parts.executor.destroy(this.#attemptRef(stage, order.attempt))
          await this.#parts.work.collect(this.#context(stage, order.attempt))
          return this.tell({ kind: 'collected', ...at })
        case 'destroy':
          await this.#parts.executor.destroy(this.#attemptRef(stage, order.attempt))
          return await this.#parts.executor.remove(this.#context(stage, order.attempt).workspace)
      }
    } catch (error) {
      this.#onFailure(order, error)
    }
  }

  /** What the project did wrong ends the stage; what the machine did wrong ends this engine, and the next one tries again. */
  #onFailure(order: Order, error: unknown): void {
    const projects = error instanceof PitlaneError && error.fault !== 'infrastructure' && error.code !== 'FENCED'
    if (projects && (order.kind === 'prepare' || order.kind === 'collect')) {
      this.tell({
        kind: 'unfit',
        stage: order.stage,
        attempt: order.attempt,
        error: error.code,
        // The row has one text: what to do belongs to it.
        message: error.hint === undefined ? error.message : `${error.message}. ${error.hint}`,
      })
    } else if (!this.#released.signal.aborted) {
      this.#failure ??= { error }
    }
  }

  async #prepare(stage: StageRun, attempt: number, fresh: boolean): Promise<void> {
    const context = this.#context(stage, attempt)
    if (fresh) await this.#parts.executor.remove(context.workspace)
    await this.#parts.executor.prepare(this.#attemptRef(stage, attempt))
    const answer = await this.#parts.work.prepare(context, fresh)
    const at = { stage: stage.plan.id, attempt }
    this.tell(
      answer === undefined ? { kind: 'prepared', ...at } : { kind: 'unrunnable', ...at, reason: answer.unrunnable },
    )
  }

  /** Waits for the step's end, or for its time to run out. */
  async #watch(stage: StageRun, stepId: string): Promise<void> {
    const step = stage.plan.steps.find((candidate) => candidate.id === stepId)
    if (step === undefined) return
    this.#watched.add(stepId)
    const over = new AbortController()
    this.#deadlines.add(over)
    const started = this.#startedAt.get(stepId) ?? this.#parts.clock.now()
    // The wall clock may have jumped since: the time left is never more than the whole timeout.
    const elapsed = Math.min(Math.max(this.#parts.clock.now() - started, 0), step.timeout)
    const timer = this.#parts.clock.sleep(step.timeout - elapsed, over.signal).then(
      () => this.tell({ kind: 'overdue', stage: stage.plan.id, attempt: stage.attempt, step: stepId }),
      () => undefined,
    )
    const guard = this.#watchOutput(stage, stepId, over.signal)
    try {
      await this.#awaitEnd(stage, stepId)
    } finally {
      over.abort(NO_LONGER)
      await timer
      this.#deadlines.delete(over)
      await guard
      this.#watched.delete(stepId)
    }
  }

  /** Looks from time to time, until the signal: the step writes to its file itself. */
  async #watchOutput(stage: StageRun, stepId: string, over: AbortSignal): Promise<void> {
    try {
      do await this.#parts.clock.sleep(OUTPUT_POLL, over)
      while (!(await this.#checkOutput(stage, stepId)))
    } catch (error) {
      if (over.aborted) return
      this.#failure ??= { error }
      this.#wake()
    }
  }

  /** True when the step has written too much, and was told of. */
  async #checkOutput(stage: StageRun, stepId: string): Promise<boolean> {
    const bytes = this.#parts.limits.output ?? OUTPUT_LIMIT
    const written = await sizeOf(this.#parts.executor.outputPath(this.#stepRef(stage, stepId)))
    if (written <= bytes) return false
    this.tell({ kind: 'flooding', stage: stage.plan.id, attempt: stage.attempt, step: stepId, bytes })
    return true
  }

  async #awaitEnd(stage: StageRun, stepId: string): Promise<void> {
    const exit = await this.#parts.executor.wait(this.#stepRef(stage, stepId), this.#released.signal)
    const at = { stage: stage.plan.id, attempt: stage.attempt, step: stepId }
    if (exit.kind === 'exited') await this.#checkOutput(stage, stepId)
    this.tell(exit.kind === 'lost' ? { kind: 'lost', ...at } : { kind: 'ended', ...at, code: exit.code })
  }

  #environment(stage: StageRun): ReturnType<StageWork['environment']> {
    // Another attempt may find another way to run a program.
    const key = `${stage.plan.id} ${stage.attempt}`
    const known = this.#environments.get(key)
    if (known !== undefined) return known
    const made = this.#parts.work.environment(this.#context(stage, stage.attempt))
    this.#environments.set(key, made)
    return made
  }

  #context(stage: StageRun, attempt: number): StageContext {
    const { folder, workspace } = this.#places(stage)
    return { build: this.#build, plan: this.#plan, stage: stage.plan, attempt, workspace, folder }
  }

  #attemptRef(stage: StageRun, attempt: number): AttemptRef {
    return this.#places(stage).attempt(attempt)
  }

  #places(stage: StageRun): StagePlaces {
    return stagePlaces(this.#parts.folder, this.#build, stage.plan.id)
  }

  #stepRef(stage: StageRun, stepId: string): StepRef {
    const index = stage.plan.steps.findIndex((step) => step.id === stepId)
    const attempt = stage.steps[index]?.attempt || stage.attempt
    return { attempt: this.#attemptRef(stage, attempt), index }
  }
}

async function sizeOf(file: string): Promise<number> {
  try {
    return (await stat(file)).size
  } catch (error) {
    // Where the step's folder is gone, something else says so.
    if (systemCode(error) === 'ENOENT') return 0
    throw error
  }
}

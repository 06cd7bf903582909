/** Carries the reducer's orders out, and tells what came of them. */
import type { BuildRow } from '../database/queries/builds.ts'
import { PitlaneError } from '../errors.ts'
import type { Plan } from '../plan/plan.ts'
import type { EngineParts, StageContext, StageWork } from './parts.ts'
import type { BuildPlaces } from './places.ts'
import type { Recorder } from './record.ts'
import type { Fact, Order } from './reducer.ts'
import type { StageRun } from './state.ts'
import { Watch } from './watch.ts'

/** Made once: an error with its stack for every step that is let go would cost more than the step's row. */
const NO_LONGER = new PitlaneError('INTERRUPTED', 'no longer waited for')

type StepEnvironment = Awaited<ReturnType<StageWork['environment']>>

export interface OrderParts {
  readonly engine: EngineParts
  readonly build: BuildRow
  readonly plan: Plan
  readonly places: BuildPlaces
  readonly recorder: Recorder
  readonly tell: (fact: Fact) => void
  /** Ends this engine. */
  readonly fail: (error: unknown) => void
}

export class Orders {
  readonly #parts: OrderParts
  readonly #watch: Watch
  readonly #watched = new Set<string>()
  /** Starts under way: a kill waits for them, so that it finds what it has to end. */
  readonly #starting = new Map<string, Promise<void>>()
  readonly #environments = new Map<string, StepEnvironment>()
  readonly #released = new AbortController()

  constructor(parts: OrderParts) {
    this.#parts = parts
    const { clock, limits } = parts.engine
    this.#watch = new Watch({ clock, output: limits.output, tell: parts.tell, fail: (error) => this.#fail(error) })
  }

  /** Waits for no step any more. */
  async letGo(): Promise<void> {
    this.#released.abort(NO_LONGER)
    await this.#watch.close()
  }

  /** Never rejects: what fails is told, or ends the engine. */
  async carryOut(stage: StageRun, order: Order): Promise<void> {
    try {
      await this.#carryOut(stage, order)
    } catch (error) {
      this.#onFailure(order, error)
    }
  }

  async #carryOut(stage: StageRun, order: Order): Promise<void> {
    const { executor, work } = this.#parts.engine
    const { tell, places } = this.#parts
    const at = { stage: order.stage, attempt: order.attempt }
    switch (order.kind) {
      case 'prepare':
        return await this.#prepare(stage, order.attempt, order.fresh)
      case 'start':
        await this.#start(stage, order.step)
        return await this.#awaitWatched(stage, order.step)
      case 'arm':
        return await this.#start(stage, order.step, order.after)
      case 'disarm': {
        await this.#starting.get(order.step)
        return tell({ kind: await executor.disarm(places.step(stage, order.step)), ...at, step: order.step })
      }
      case 'attach': {
        const starting = this.#starting.get(order.step)
        if (starting !== undefined) await starting
        else if ((await executor.attach(places.step(stage, order.step))) === 'lost')
          return tell({ kind: 'lost', ...at, step: order.step })
        return await this.#awaitWatched(stage, order.step)
      }
      case 'kill':
        await this.#starting.get(order.step)
        await executor.kill(places.step(stage, order.step))
        if (!this.#watched.has(order.step)) await this.#awaitEnd(stage, order.step)
        return
      case 'collect':
        // Nothing may go on writing to what is collected.
        await executor.destroy(places.attempt(order.stage, order.attempt))
        await work.collect(this.#context(stage, order.attempt))
        return tell({ kind: 'collected', ...at })
      case 'destroy':
        await executor.destroy(places.attempt(order.stage, order.attempt))
        return await executor.remove(places.stage(order.stage).workspace)
    }
  }

  /** What the project did wrong ends the stage; what the machine did wrong ends this engine, and the next one tries again. */
  #onFailure(order: Order, error: unknown): void {
    const projects = error instanceof PitlaneError && error.fault !== 'infrastructure' && error.code !== 'FENCED'
    if (projects && (order.kind === 'prepare' || order.kind === 'collect')) {
      this.#parts.tell({
        kind: 'unfit',
        stage: order.stage,
        attempt: order.attempt,
        error: error.code,
        // The row has one text: what to do belongs to it.
        message: error.hint === undefined ? error.message : `${error.message}. ${error.hint}`,
      })
    } else this.#fail(error)
  }

  #fail(error: unknown): void {
    if (!this.#released.signal.aborted) this.#parts.fail(error)
  }

  async #prepare(stage: StageRun, attempt: number, fresh: boolean): Promise<void> {
    const { executor, work } = this.#parts.engine
    const context = this.#context(stage, attempt)
    if (fresh) await executor.remove(context.workspace)
    const ref = this.#parts.places.attempt(stage.plan.id, attempt)
    await executor.prepare(ref)
    executor.expect(ref)
    const answer = await work.prepare(context, fresh)
    const at = { stage: stage.plan.id, attempt }
    this.#parts.tell(
      answer === undefined ? { kind: 'prepared', ...at } : { kind: 'unrunnable', ...at, reason: answer.unrunnable },
    )
  }

  #start(stage: StageRun, stepId: string, after?: string): Promise<void> {
    const starting = this.#startNow(stage, stepId, after)
    this.#starting.set(stepId, starting)
    return starting
  }

  async #startNow(stage: StageRun, stepId: string, after?: string): Promise<void> {
    const { executor } = this.#parts.engine
    const { places } = this.#parts
    const { run, env: own } = planned(stage, stepId)
    const { env, cwd } = this.#environments.get(attemptKey(stage)) ?? (await this.#findEnvironment(stage))
    const order = { ...places.step(stage, stepId), run, env: { ...env, ...own }, cwd }
    if (after === undefined) return await executor.start(order)
    await this.#starting.get(after)
    await executor.start({ ...order, after: places.step(stage, after).index })
  }

  /** Waits for the step's end, while it is watched. */
  async #awaitWatched(stage: StageRun, stepId: string): Promise<void> {
    const { recorder, places, engine } = this.#parts
    const unwatch = this.#watch.add({
      at: { stage: stage.plan.id, attempt: stage.attempt, step: stepId },
      output: engine.executor.outputPath(places.step(stage, stepId)),
      left: recorder.timeLeft(planned(stage, stepId)),
    })
    this.#watched.add(stepId)
    try {
      await this.#awaitEnd(stage, stepId, unwatch)
    } finally {
      unwatch(false)
      this.#watched.delete(stepId)
    }
  }

  async #awaitEnd(stage: StageRun, stepId: string, unwatch?: (exited: boolean) => void): Promise<void> {
    const { places, engine, tell } = this.#parts
    const exit = await engine.executor.wait(places.step(stage, stepId), this.#released.signal)
    const at = { stage: stage.plan.id, attempt: stage.attempt, step: stepId }
    unwatch?.(exit.kind === 'exited')
    tell(exit.kind === 'lost' ? { kind: 'lost', ...at } : { kind: 'ended', ...at, code: exit.code })
  }

  /** Another attempt may find another way to run a program. */
  async #findEnvironment(stage: StageRun): Promise<StepEnvironment> {
    const made = await this.#parts.engine.work.environment(this.#context(stage, stage.attempt))
    this.#environments.set(attemptKey(stage), made)
    return made
  }

  #context(stage: StageRun, attempt: number): StageContext {
    const { build, plan, places } = this.#parts
    const { folder, workspace } = places.stage(stage.plan.id)
    return { build, plan, stage: stage.plan, attempt, workspace, folder }
  }
}

function attemptKey(stage: StageRun): string {
  return `${stage.plan.id} ${stage.attempt}`
}

function planned(stage: StageRun, stepId: string): StageRun['plan']['steps'][number] {
  const step = stage.plan.steps.find((candidate) => candidate.id === stepId)
  if (step === undefined) throw new PitlaneError('INTERNAL', `stage ${stage.plan.id} has no step ${stepId}`)
  return step
}

/**
 * Carries one build out: asks the reducer, writes its answer down, then does what it ordered. Holds nothing that the rows and the
 * executor can't give back: a new engine on the same rows goes on where this one stopped, wherever that was.
 */
import type { BuildRow } from '../database/queries/builds.ts'
import { PitlaneError } from '../errors.ts'
import type { Plan } from '../plan/plan.ts'
import { Orders } from './orders.ts'
import type { EngineParts, StopSignals } from './parts.ts'
import { BuildPlaces } from './places.ts'
import { Recorder } from './record.ts'
import { type Fact, type Limits, type Order, reduce } from './reducer.ts'
import { type BuildState, outcomeOf } from './state.ts'

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

class BuildRun {
  readonly #build: BuildRow
  readonly #plan: Plan
  readonly #limits: Limits
  readonly #recorder: Recorder
  readonly #orders: Orders
  #state: BuildState = { stages: [], draining: false, inherited: new Set() }
  readonly #facts: Fact[] = []
  readonly #underWay = new Set<Promise<void>>()
  #failure: { readonly error: unknown } | null = null
  #wake: () => void = () => {}

  constructor(parts: EngineParts, build: BuildRow, plan: Plan) {
    this.#build = build
    this.#plan = plan
    this.#limits = parts.limits
    const places = new BuildPlaces(parts.folder, build)
    this.#recorder = new Recorder(parts, build, places)
    this.#orders = new Orders({
      engine: parts,
      build,
      plan,
      places,
      recorder: this.#recorder,
      tell: (fact) => this.tell(fact),
      fail: (error) => {
        this.#failure ??= { error }
        this.#wake()
      },
    })
  }

  tell(fact: Fact): void {
    this.#facts.push(fact)
    this.#wake()
  }

  /** Waits for no step any more, and for every order under way: whoever takes over next must not meet a checkout that is still being written. */
  async letGo(): Promise<void> {
    await this.#orders.letGo()
    await Promise.all(this.#underWay)
  }

  async toEnd(): Promise<'succeeded' | 'failed' | 'stopped'> {
    const { state, undone } = await this.#recorder.load(this.#plan)
    this.#state = state
    // Then what a signal has told meanwhile, then the orders of what is left.
    this.#facts.unshift(...undone)
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

  /** One turn: all waiting facts, one transaction, then the orders, then the reports. */
  async #turn(): Promise<void> {
    const before = this.#state
    let after = before
    const orders: Order[] = []
    for (const fact of this.#facts.splice(0)) {
      const turn = reduce(after, fact, this.#limits)
      after = turn.state
      orders.push(...turn.orders)
    }
    await this.#recorder.save(before, after)
    this.#state = after
    for (const order of orders) {
      const stage = after.stages.find((candidate) => candidate.plan.id === order.stage)
      if (stage === undefined) continue
      const work = this.#orders.carryOut(stage, order)
      this.#underWay.add(work)
      // Its facts are told by then: a turn that finds nothing under way has heard of all of it.
      void work.finally(() => {
        this.#underWay.delete(work)
        this.#wake()
      })
    }
    // Steps run by now, while people are told.
    this.#recorder.report(before, after)
  }
}

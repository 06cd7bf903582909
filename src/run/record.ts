/** Turns what the reducer decided into rows, and rows that are written into reports. */
import { type BuildRow, finishBuild, loadState, saveState, staleAttempts } from '../database/queries/builds.ts'
import type { Plan } from '../plan/plan.ts'
import type { EngineParts } from './parts.ts'
import type { BuildPlaces } from './places.ts'
import type { Fact } from './facts.ts'
import { type BuildState, outcomeOf, type StageRun, type StepRun } from './state.ts'

export class Recorder {
  readonly #parts: EngineParts
  readonly #build: BuildRow
  readonly #places: BuildPlaces
  /** Milliseconds since 1970, by step. */
  #startedAt = new Map<string, number>()
  /** On the monotonic clock, by step: only of those that this process started. */
  readonly #seenStart = new Map<string, number>()

  constructor(parts: EngineParts, build: BuildRow, places: BuildPlaces) {
    this.#parts = parts
    this.#build = build
    this.#places = places
  }

  /** The build as it is written down, and what a restart of the machine undid of it. */
  async load(plan: Plan): Promise<{ readonly state: BuildState; readonly undone: readonly Fact[] }> {
    const { db } = this.#parts.writer
    const { state, startedAt } = await loadState(db, this.#build, plan)
    this.#startedAt = startedAt
    const stale = await staleAttempts(db, this.#build, this.#parts.bootId)
    return { state, undone: stale.map((row) => ({ kind: 'restarted', stage: row.stage_id, attempt: row.number })) }
  }

  /** Milliseconds that a step which was started may still run. */
  timeLeft(step: { readonly id: string; readonly timeout: number }): number {
    const now = this.#parts.clock.now()
    const started = this.#startedAt.get(step.id) ?? now
    // The wall clock may have jumped since: the time left is never more than the whole timeout.
    return step.timeout - Math.min(Math.max(now - started, 0), step.timeout)
  }

  /**
   * One transaction for all that changed. Where only steps moved it is not forced to disk: after a restart of the machine every step of a stage
   * that had not ended is begun again (`restarted`), whatever its row says.
   */
  async save(before: BuildState, after: BuildState): Promise<void> {
    if (after.stages.every((stage, index) => stage === before.stages[index])) return
    const now = this.#parts.clock.now()
    const outcome = outcomeOf(after)
    const forced = !after.stages.every((stage, index) => isSameButForSteps(stage, before.stages[index]))
    await this.#parts.writer.write(
      async (trx) => {
        await saveState(trx, this.#build, before, after, { now, bootId: this.#parts.bootId })
        if (outcome !== null && outcomeOf(before) === null) await finishBuild(trx, this.#build, outcome, now)
      },
      { forced },
    )
    const monotonic = this.#parts.clock.monotonic()
    for (const [index, stage] of after.stages.entries()) {
      for (const { plan, state } of movedSteps(before.stages[index], stage)) {
        if (state !== 'running') continue
        this.#startedAt.set(plan.id, now)
        this.#seenStart.set(plan.id, monotonic)
      }
    }
  }

  /** Of what `save` has written. */
  report(before: BuildState, after: BuildState): void {
    for (const [index, stage] of after.stages.entries()) {
      const old = before.stages[index]
      if (old !== undefined && old !== stage) this.#reportStage(old, stage)
    }
  }

  #reportStage(old: StageRun, stage: StageRun): void {
    const { report, clock, executor } = this.#parts
    const at = { build: this.#build.number, stage: stage.plan.id }
    for (const { plan, state, exitCode } of movedSteps(old, stage)) {
      const before = old.steps.find((step) => step.plan === plan)
      if (state === 'armed' || (before?.state === 'armed' && !isToldOfArmed(state))) continue
      const seen = this.#seenStart.get(plan.id)
      report({
        event: 'step',
        ...at,
        step: plan.name,
        state,
        exitCode,
        output: executor.outputPath(this.#places.step(stage, plan.id)),
        duration: seen === undefined ? null : Math.round(clock.monotonic() - seen),
      })
    }
    if (old.state !== stage.state || old.attempt !== stage.attempt) {
      report({ event: 'stage', ...at, state: stage.state, attempt: stage.attempt, note: stage.note })
    }
  }
}

function isSameButForSteps(stage: StageRun, old: StageRun | undefined): boolean {
  return (
    old !== undefined &&
    stage.state === old.state &&
    stage.attempt === old.attempt &&
    stage.lost === old.lost &&
    stage.note === old.note &&
    stage.error === old.error
  )
}

/** To people an armed step is waiting: that it goes back to that, or is taken back, is nothing new to them. */
function isToldOfArmed(state: StepRun['state']): boolean {
  return state === 'running' || state === 'skipped'
}

function movedSteps(old: StageRun | undefined, stage: StageRun): readonly StepRun[] {
  if (old === stage) return []
  return stage.steps.filter((step, position) => old?.steps[position]?.state !== step.state)
}

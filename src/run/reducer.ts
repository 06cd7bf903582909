/**
 * Scheduling as a pure function: state + fact → state + orders. The engine writes the new state down, then carries the orders out, and
 * tells what came of them as the next facts. Every order is implied by a state, so that after a crash `resumed` gives them again.
 */
import type { ErrorCode } from '../errors.ts'
import { armable, armedBehind, due, needsFailed } from './arming.ts'
import type { Fact, Limits, Order, StageFact, StepFact, Turn } from './facts.ts'
import {
  type BuildState,
  isFresh,
  lostInThisAttempt,
  type StageRun,
  type StepRun,
  stageEnded,
  stepActive,
  stepEnded,
} from './state.ts'

/** What a shell reports of a child that SIGKILL ended: 128 + 9. */
const KILLED = 137

export function reduce(state: BuildState, fact: Fact, limits: Limits): Turn {
  const orders: Order[] = []
  let next = apply(state, fact, limits, orders)
  next = settle(next, orders)
  // After a restart of the machine `resumed` follows: what begins here would be ordered twice.
  if (!next.draining && fact.kind !== 'restarted') next = start(next, limits, orders)
  for (const [index, stage] of next.stages.entries()) {
    const before = state.stages[index]
    if (before === undefined || stageEnded(before) || !stageEnded(stage) || stage.attempt === 0) continue
    orders.push({ kind: 'destroy', stage: stage.plan.id, attempt: stage.attempt })
  }
  return { state: next, orders }
}

function apply(state: BuildState, fact: Fact, limits: Limits, orders: Order[]): BuildState {
  switch (fact.kind) {
    case 'resumed':
      for (const stage of state.stages) orders.push(...resumeOrders(stage))
      return { ...state, inherited: inheritedSteps(state) }
    case 'drain':
      for (const stage of state.draining ? [] : state.stages) {
        for (const step of stage.steps) if (step.state === 'armed') orders.push(stepOrder('disarm', stage, step))
      }
      return { ...state, draining: true }
    case 'interrupt':
      return {
        ...state,
        draining: true,
        stages: state.stages.map((stage) =>
          mapSteps(stage, (step) => {
            if (step.state !== 'running' && step.state !== 'armed') return step
            orders.push(stepOrder('kill', stage, step))
            return { ...step, state: 'interrupting' }
          }),
        ),
      }
    case 'restarted':
      return onStage(state, fact, ['preparing', 'running', 'collecting'], (stage) => beginAgain(stage, limits))
    case 'prepared':
      return onStage(state, fact, ['preparing'], (stage) => ({
        ...stage,
        state: 'running',
        note: stage.error === null ? null : stage.note,
      }))
    case 'unrunnable':
      return onStage(state, fact, ['preparing'], (stage) => ({
        ...end(
          stage,
          stage.plan.required ? 'failed' : 'not-run',
          fact.reason,
          stage.plan.required ? 'TEST_NOT_RUN' : null,
        ),
        steps: stage.steps.map((step) => ({ ...step, state: 'skipped' })),
      }))
    case 'collected':
      return onStage(state, fact, ['collecting'], (stage) => end(stage, 'succeeded', null, null))
    case 'unfit':
      return onStage(state, fact, ['preparing', 'collecting'], (stage) => ({
        ...endFailed(willFail(stage, fact.message, fact.error)),
        steps: stage.steps.map((step) => (step.state === 'waiting' ? { ...step, state: 'skipped' } : step)),
      }))
    case 'ended':
      return onStep(state, fact, (stage, step) => {
        if (step.state === 'timing-out') return replaceStep(stage, { ...step, state: 'timed-out' })
        if (step.state === 'cutting-off') return replaceStep(stage, { ...step, state: 'failed', exitCode: fact.code })
        // It began by itself in the moment in which what it needs was found to have failed: it does not count, and will be skipped.
        if (step.state === 'interrupting' && needsFailed(stage, step)) return tryAgain(stage, step)
        // Whatever else it ended with, it ended by itself before the kill reached it.
        if (step.state === 'interrupting' && fact.code === KILLED) return tryAgain(stage, step)
        return replaceStep(stage, { ...step, state: fact.code === 0 ? 'succeeded' : 'failed', exitCode: fact.code })
      })
    case 'overdue':
      return onStep(state, fact, (stage, step) => {
        if (step.state !== 'running') return stage
        return condemn(stage, { ...step, state: 'timing-out' }, orders)
      })
    case 'flooding':
      return onStep(state, fact, (stage, step) => {
        if (step.state !== 'running') return stage
        const cutOff = condemn(stage, { ...step, state: 'cutting-off' }, orders)
        const note = `step ${step.plan.name} wrote more than ${fact.bytes} bytes of output`
        return willFail(cutOff, note, 'STEP_OUTPUT_LIMIT')
      })
    case 'lost':
      return onStep(state, fact, (stage, step) => {
        if (step.state === 'timing-out') return replaceStep(stage, { ...step, state: 'timed-out' })
        if (step.state === 'cutting-off') return replaceStep(stage, { ...step, state: 'failed' })
        if (step.state !== 'running') return tryAgain(stage, step)
        return loseStep(countLoss(stage), step, limits)
      })
    case 'held':
      return onStep(state, fact, (stage, step) =>
        step.state === 'armed' ? replaceStep(stage, { ...step, state: 'waiting', attempt: 0 }) : stage,
      )
    case 'begun':
      return onStep(state, fact, (stage, step) => (step.state === 'armed' ? beginArmed(stage, step, orders) : stage))
  }
}

function stepOrder(kind: 'start' | 'attach' | 'kill' | 'disarm', stage: StageRun, step: StepRun): Order {
  return { kind, stage: stage.plan.id, attempt: stage.attempt, step: step.plan.id }
}

function inheritedSteps(state: BuildState): ReadonlySet<string> {
  const steps = state.stages.flatMap((stage) => stage.steps)
  return new Set(steps.filter((step) => stepActive(step) || step.state === 'armed').map((step) => step.plan.id))
}

/** The step is to be ended, and what is armed behind it must not count, even if it has just begun. */
function condemn(stage: StageRun, step: StepRun, orders: Order[]): StageRun {
  orders.push(stepOrder('kill', stage, step))
  const behind = armedBehind(stage, step)
  const condemned = replaceStep(stage, step)
  if (behind === undefined) return condemned
  orders.push(stepOrder('kill', stage, behind))
  return replaceStep(condemned, { ...behind, state: 'interrupting' })
}

/** Its lane has begun it, or will at once. */
function beginArmed(stage: StageRun, step: StepRun, orders: Order[]): StageRun {
  orders.push(stepOrder('attach', stage, step))
  return replaceStep(stage, { ...step, state: 'running' })
}

/** Orders that the current state of a stage implies; asked for after a crash. */
function resumeOrders(stage: StageRun): Order[] {
  const at = { stage: stage.plan.id, attempt: stage.attempt }
  switch (stage.state) {
    case 'preparing':
      return [{ kind: 'prepare', ...at, fresh: isFresh(stage) }]
    case 'collecting':
      return [{ kind: 'collect', ...at }]
    case 'running':
      return stage.steps
        .filter(stepActive)
        .map((step) => ({ kind: step.state === 'running' ? 'attach' : 'kill', ...at, step: step.plan.id }))
    default:
      return []
  }
}

/** An attempt is lost once, however many of its steps are. */
function countLoss(stage: StageRun): StageRun {
  return stage.lost.includes(stage.attempt) ? stage : { ...stage, lost: [...stage.lost, stage.attempt] }
}

function loseStep(stage: StageRun, step: StepRun, limits: Limits): StageRun {
  if (stage.lost.length < limits.attempts) return tryAgain(stage, step)
  const note = `${stage.lost.length} attempts were lost, the last one in step ${step.plan.name}: its processes were ended from outside, or its disk is full`
  return willFail(replaceStep(stage, { ...step, state: 'failed' }), note, 'EXECUTOR_FAILED')
}

/** Once its other steps have ended. The first cause is the one that is told. */
function willFail(stage: StageRun, note: string, error: ErrorCode): StageRun {
  return stage.error === null ? { ...stage, note, error } : stage
}

/** What the machine took with it. Of a stage that a person had stopped nothing was at work any more. */
function atWork(stage: StageRun): boolean {
  return stage.state !== 'running' || stage.steps.some((step) => stepActive(step) && step.state !== 'interrupting')
}

/** Every step of the stage again, in a clean checkout, as soon as a job is free: nothing of the old attempt is left to trust or to end. */
function beginAgain(before: StageRun, limits: Limits): StageRun {
  const stage = atWork(before) ? countLoss(before) : before
  if (stage.lost.length >= limits.attempts) {
    const steps = stage.steps.map((step): StepRun => (stepEnded(step) ? step : { ...step, state: 'skipped' }))
    const note = `${stage.lost.length} attempts were lost, the last one when the machine was restarted`
    return { ...end(stage, 'failed', note, 'EXECUTOR_FAILED'), steps }
  }
  return {
    ...stage,
    state: 'waiting',
    note: 'waits for a free job, because the machine was restarted',
    error: null,
    steps: stage.steps.map((step) => ({ ...step, state: 'waiting', exitCode: null })),
  }
}

/**
 * The step goes back to waiting, and so does what is armed behind it: marked by the attempt that lost them. `renew` makes the next attempt when nothing
 * else of the stage runs.
 */
function tryAgain(stage: StageRun, lost: StepRun): StageRun {
  const behind = armedBehind(stage, lost)
  const without = behind === undefined ? stage : replaceStep(stage, { ...behind, state: 'waiting' })
  return replaceStep(without, { ...lost, state: 'waiting' })
}

/**
 * A lost step makes a new attempt of its stage. Steps that finished are inherited; where none did, the new attempt starts from a clean
 * checkout. Another step that still runs belongs to the old attempt, so the stage waits for its end.
 */
function renew(stage: StageRun, orders: Order[]): StageRun {
  const lost = stage.steps.find((step) => lostInThisAttempt(stage, step))
  if (lost === undefined || stage.steps.some(stepActive)) return stage
  const attempt = stage.attempt + 1
  orders.push({ kind: 'prepare', stage: stage.plan.id, attempt, fresh: isFresh(stage) })
  return {
    ...stage,
    state: 'preparing',
    attempt,
    reason: `step ${lost.plan.name} was lost or stopped in attempt ${stage.attempt}`,
  }
}

/** Follows the consequences of what has ended until nothing changes: skips, stage results, collections. */
function settle(state: BuildState, orders: Order[]): BuildState {
  const byId = new Map(state.stages.map((stage) => [stage.plan.id, stage]))
  for (const planned of state.stages) {
    let stage = byId.get(planned.plan.id) ?? planned
    if (stage.state === 'waiting') {
      const blocked = stage.plan.needs.find((id) => {
        const needed = byId.get(id)
        return needed !== undefined && stageEnded(needed) && needed.state !== 'succeeded'
      })
      if (blocked !== undefined) {
        stage = {
          ...end(stage, 'skipped', `${blocked} did not succeed`, null),
          steps: stage.steps.map((step) => ({ ...step, state: 'skipped' })),
        }
      }
    } else if (stage.state === 'running') {
      stage = settleSteps(stage, orders)
    }
    byId.set(stage.plan.id, stage)
  }
  return { ...state, stages: state.stages.map((stage) => byId.get(stage.plan.id) ?? stage) }
}

function settleSteps(stage: StageRun, orders: Order[]): StageRun {
  const failed = stage.steps.some((step) => stepEnded(step) && step.state !== 'succeeded')
  // The usual turn: nothing to skip, and something left to do.
  if (!failed && !stage.steps.every(stepEnded)) return stage
  // Declared order has every step after those it needs (the plan checks that), so one pass follows chains of skips.
  const done = new Map<string, StepRun>()
  for (const step of stage.steps) {
    const blocked = step.plan.needs.some((id) => {
      const needed = done.get(id)
      return needed !== undefined && stepEnded(needed) && needed.state !== 'succeeded'
    })
    const idle = step.state === 'waiting' || step.state === 'armed'
    done.set(step.plan.id, idle && blocked ? { ...step, state: 'skipped' } : step)
  }
  const settled = { ...stage, steps: stage.steps.map((step) => done.get(step.plan.id) ?? step) }
  if (!settled.steps.every(stepEnded)) return settled
  if (settled.steps.every((step) => step.state === 'succeeded')) {
    orders.push({ kind: 'collect', stage: stage.plan.id, attempt: stage.attempt })
    return { ...settled, state: 'collecting' }
  }
  const bad = settled.steps.find((step) => step.state === 'failed' || step.state === 'timed-out')
  const name = bad?.plan.name ?? ''
  if (stage.error !== null) return endFailed(settled)
  return bad?.state === 'timed-out'
    ? end(settled, 'failed', `step ${name} ran longer than ${(bad.plan.timeout / 1000).toFixed(0)} s`, 'STEP_TIMEOUT')
    : end(settled, 'failed', `step ${name} ended with exit code ${bad?.exitCode ?? '?'}`, 'STEP_FAILED')
}

/** Starts what may start, in the plan's order, while there are free jobs; and arms what may start after that. */
function start(before: BuildState, limits: Limits, orders: Order[]): BuildState {
  const state = { ...before, stages: before.stages.map((stage) => goOn(stage, orders)) }
  const succeeded = new Set(state.stages.filter((stage) => stage.state === 'succeeded').map((stage) => stage.plan.id))
  let free = limits.jobs - state.stages.reduce((sum, stage) => sum + busyJobs(stage), 0)
  const stages = state.stages.map((planned) => {
    let stage = planned
    if (stage.state === 'waiting' && free > 0 && stage.plan.needs.every((id) => succeeded.has(id))) {
      free -= 1
      const reason = stage.attempt === 0 ? stage.reason : 'the machine was restarted'
      stage = { ...stage, state: 'preparing', attempt: stage.attempt + 1, reason, note: null }
      orders.push({ kind: 'prepare', stage: stage.plan.id, attempt: stage.attempt, fresh: true })
      return stage
    }
    if (stage.state !== 'running') return stage
    if (stage.steps.some((step) => lostInThisAttempt(planned, step))) {
      if (free > 0) stage = renew(stage, orders)
      if (stage !== planned) free -= 1
      return stage
    }
    if (free <= 0) return stage
    const done = new Set<string>()
    for (const step of stage.steps) if (step.state === 'succeeded') done.add(step.plan.id)
    const steps = [...stage.steps]
    for (const [index, step] of stage.steps.entries()) {
      if (free <= 0) break
      if (step.state !== 'waiting' || !step.plan.needs.every((id) => done.has(id))) continue
      free -= 1
      orders.push({ kind: 'start', stage: stage.plan.id, attempt: stage.attempt, step: step.plan.id })
      steps[index] = { ...step, state: 'running', attempt: stage.attempt }
    }
    return { ...stage, steps }
  })
  return { ...state, stages: stages.map((stage) => arm(stage, state.inherited, orders)) }
}

/** What was armed behind a step that has succeeded runs by now, with the job of that one. */
function goOn(stage: StageRun, orders: Order[]): StageRun {
  return due(stage).reduce((went, step) => beginArmed(went, step, orders), stage)
}

function arm(stage: StageRun, inherited: ReadonlySet<string>, orders: Order[]): StageRun {
  if (stage.state !== 'running' || stage.steps.some((step) => lostInThisAttempt(stage, step))) return stage
  return armable(stage, inherited).reduce((armed, { step, after }) => {
    orders.push({ kind: 'arm', stage: stage.plan.id, attempt: stage.attempt, step: step.plan.id, after })
    return replaceStep(armed, { ...step, state: 'armed', attempt: stage.attempt })
  }, stage)
}

function busyJobs(stage: StageRun): number {
  if (stage.state === 'preparing' || stage.state === 'collecting') return 1
  return stage.steps.filter(stepActive).length
}

function endFailed(stage: StageRun): StageRun {
  return end(stage, 'failed', stage.note, stage.error)
}

function end(
  stage: StageRun,
  state: 'succeeded' | 'failed' | 'skipped' | 'not-run',
  note: string | null,
  error: ErrorCode | null,
): StageRun {
  return { ...stage, state, note, error }
}

function mapSteps(stage: StageRun, change: (step: StepRun) => StepRun): StageRun {
  return { ...stage, steps: stage.steps.map(change) }
}

function replaceStep(stage: StageRun, step: StepRun): StageRun {
  const index = stage.steps.findIndex((other) => other.plan.id === step.plan.id)
  return { ...stage, steps: stage.steps.with(index, step) }
}

/** Facts of an older attempt, or about a stage that has moved on, change nothing. */
function onStage(
  state: BuildState,
  fact: StageFact,
  expected: readonly StageRun['state'][],
  change: (stage: StageRun) => StageRun,
): BuildState {
  return {
    ...state,
    stages: state.stages.map((stage) => {
      if (stage.plan.id !== fact.stage || stage.attempt !== fact.attempt || stageEnded(stage)) return stage
      if (!expected.includes(stage.state)) return stage
      return change(stage)
    }),
  }
}

function onStep(state: BuildState, fact: StepFact, change: (stage: StageRun, step: StepRun) => StageRun): BuildState {
  return onStage(state, fact, ['running'], (stage) => {
    const step = stage.steps.find((candidate) => candidate.plan.id === fact.step)
    if (step === undefined || step.attempt !== fact.attempt) return stage
    return stepActive(step) || step.state === 'armed' ? change(stage, step) : stage
  })
}

/**
 * Which steps can be handed to a lane before their turn: a lane that has the next step begins it directly behind the one before, and nobody waits for
 * an engine in between. Only questions to a stage; the reducer draws the conclusions.
 */
import type { StageRun, StepRun, StepState } from './state.ts'

export interface Armable {
  readonly step: StepRun
  /** Id of the step that runs, and that nothing is armed behind yet. */
  readonly after: string
}

/** Waiting steps that need nothing else any more than one step that runs: at most one behind each. */
export function armable(stage: StageRun, inherited: ReadonlySet<string>): readonly Armable[] {
  const states = new Map(stage.steps.map((step) => [step.plan.id, step.state]))
  const taken = new Set(stage.steps.filter((step) => step.state === 'armed').flatMap((step) => step.plan.needs))
  const found: Armable[] = []
  for (const step of stage.steps) {
    if (step.state !== 'waiting') continue
    const open = step.plan.needs.filter((id) => states.get(id) !== 'succeeded')
    const [after] = open
    if (after === undefined || open.length > 1 || states.get(after) !== 'running') continue
    if (taken.has(after) || inherited.has(after)) continue
    taken.add(after)
    found.push({ step, after })
  }
  return found
}

export function armedBehind(stage: StageRun, step: StepRun): StepRun | undefined {
  return stage.steps.find((other) => other.state === 'armed' && other.plan.needs.includes(step.plan.id))
}

/** Armed steps whose turn has come: their lanes have begun them, or do so at once. */
export function due(stage: StageRun): readonly StepRun[] {
  return stage.steps.filter(
    (step) => step.state === 'armed' && step.plan.needs.every((id) => hasNeed(stage, id, SUCCEEDED)),
  )
}

/** Whether a step that this one needs has failed, or is being ended for that. */
export function needsFailed(stage: StageRun, step: StepRun): boolean {
  return step.plan.needs.some((id) => hasNeed(stage, id, FAILING))
}

const SUCCEEDED: ReadonlySet<StepState> = new Set(['succeeded'])
const FAILING: ReadonlySet<StepState> = new Set(['timing-out', 'cutting-off', 'timed-out', 'failed', 'skipped'])

function hasNeed(stage: StageRun, id: string, states: ReadonlySet<StepState>): boolean {
  return stage.steps.some((step) => step.plan.id === id && states.has(step.state))
}

/** Words that stand in rows, checked when they are read: a state that was written by something else is said, never guessed. */
import { ERRORS, type ErrorCode, PitlaneError } from '../../errors.ts'
import { type StageState, STAGE_STATES, type StepState, STEP_STATES } from '../../run/state.ts'

export function readStageState(word: string): StageState {
  return oneOf(STAGE_STATES, word, 'the state of a stage')
}

export function readStepState(word: string): StepState {
  return oneOf(STEP_STATES, word, 'the state of a step')
}

export function readErrorCode(word: string | null): ErrorCode | null {
  return word === null ? null : oneOf(CODES, word, 'an error')
}

const CODES = new Set(Object.keys(ERRORS) as ErrorCode[])

/** @throws PitlaneError `PLAN_CONTRADICTION` */
function oneOf<Word extends string>(words: ReadonlySet<Word>, word: string, what: string): Word {
  for (const known of words) if (known === word) return known
  throw new PitlaneError('PLAN_CONTRADICTION', `the state has ${JSON.stringify(word)} as ${what}`, {
    hint: 'Another version of Pitlane or another program wrote it. Use that version, or move the folder .pitlane away to begin anew; what is published stays.',
  })
}

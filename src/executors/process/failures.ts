/** Why a step could not be started, and what to do about it. */
import { statSync } from 'node:fs'
import { machineHint, PitlaneError } from '../../errors.ts'
import type { StepOrder, StepRef } from '../types.ts'
import type { Lane } from './lane.ts'
import * as files from './step-files.ts'

export function notStarted(step: StepRef, error: unknown): PitlaneError {
  const refused = machineHint(error)
  return new PitlaneError('EXECUTOR_FAILED', `Step ${step.index} could not be started: ${messageOf(error)}.`, {
    hint:
      refused === undefined
        ? 'Nothing was started; the same command can be tried again.'
        : `${refused} The step's folder is ${step.attempt.folder}.`,
    cause: error,
  })
}

export function startedBefore(step: StepRef): PitlaneError {
  return new PitlaneError('EXECUTOR_FAILED', `Step ${step.index} was started or given up before.`, {
    hint: 'Attach to it, or make a new attempt.',
  })
}

export function endedEarly(step: StepRef, lane: Lane): PitlaneError {
  const complaint = lane.complaint() || 'it said nothing'
  return new PitlaneError('EXECUTOR_FAILED', `The supervisor of a step ended early: ${complaint}.`, {
    hint: `Its folder is ${files.laneFolder(step.attempt, lane.id)}. Often the machine is out of processes, memory or disk.`,
  })
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

/** @throws PitlaneError `EXECUTOR_FAILED` when it has no directory to stand in */
export function mustHaveFolder(step: StepOrder): void {
  try {
    if (!statSync(step.cwd).isDirectory()) throw new Error(`not a folder: ${step.cwd}`)
  } catch (error) {
    throw notStarted(step, error)
  }
}

/** Sees to it that the step is not begun any more; says what has become of it. */
export function giveUp(step: StepRef): files.Fate {
  try {
    return files.cancel(step)
  } catch (error) {
    throw notStarted(step, error)
  }
}

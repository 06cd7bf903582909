/** Ends what a lane holds: by its namespace where it has one, else by what marks its processes. */
import type { Clock } from '../../clock.ts'
import type { AttemptRef, StepRef } from '../types.ts'
import { type Lane, recordFile } from './lane.ts'
import { type Identity, isAlive, isRunning, readLaneRecord } from './liveness.ts'
import type { Isolation } from './isolation.ts'
import { laneFolder, lanesOf, stepName } from './step-files.ts'
import { endMarked, endNamespace } from './sweep.ts'

export function isLaneAlive(attempt: AttemptRef, lane: string): boolean {
  const record = readLaneRecord(recordFile(attempt, lane))
  return record !== undefined && isAlive(record)
}

export async function endLane(attempt: AttemptRef, lane: string, clock: Clock): Promise<void> {
  const record = readLaneRecord(recordFile(attempt, lane))
  if (record === undefined || !isAlive(record)) return
  await endHeld(record, record.isolation, laneFolder(attempt, lane), clock)
}

/** A lane that this process opened, also when a step has removed the lane's files. */
export async function endOpenLane({ first, isolation, folder }: Lane, clock: Clock): Promise<void> {
  if (first !== undefined && isRunning(first)) await endHeld(first, isolation, folder, clock)
}

async function endHeld(first: Identity, isolation: Isolation, folder: string, clock: Clock): Promise<void> {
  if (isolation === 'pid-namespace') await endNamespace(first, clock)
  else await endMarked((marker) => marker === folder, clock, first)
}

/** Of a step whose lanes are gone. */
export async function endLeftovers(step: StepRef, lanes: readonly string[], clock: Clock): Promise<void> {
  const markers = new Set([stepName(step), ...lanes.map((lane) => laneFolder(step.attempt, lane))])
  await endMarked((marker) => markers.has(marker), clock)
}

export async function endAttempt(attempt: AttemptRef, clock: Clock): Promise<void> {
  const lanes = lanesOf(attempt)
  await Promise.all(lanes.map((lane) => endLane(attempt, lane, clock)))
  // A namespace leaves nothing. Elsewhere, or where a lane died before it said what it is, its processes are looked for.
  if (lanes.every((lane) => readLaneRecord(recordFile(attempt, lane))?.isolation === 'pid-namespace')) return
  await endMarked((marker) => marker.startsWith(`${attempt.folder}/`), clock)
}

/** Ends what a lane holds: by its namespace where it has one, else by what marks its processes. */
import type { Clock } from '../../clock.ts'
import type { AttemptRef, StepRef } from '../types.ts'
import { recordFile } from './lane.ts'
import { isAlive, readLaneRecord } from './liveness.ts'
import { laneFolder, lanesOf, stepName } from './step-files.ts'
import { endMarked, endNamespace } from './sweep.ts'

export function isLaneAlive(attempt: AttemptRef, lane: string): boolean {
  const record = readLaneRecord(recordFile(attempt, lane))
  return record !== undefined && isAlive(record)
}

export async function endLane(attempt: AttemptRef, lane: string, clock: Clock): Promise<void> {
  const record = readLaneRecord(recordFile(attempt, lane))
  if (record === undefined || !isAlive(record)) return
  if (record.isolation === 'pid-namespace') await endNamespace(record, clock)
  else await endMarked((marker) => marker === laneFolder(attempt, lane), clock, record)
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

/** Ends what a lane holds: by its namespace where it has one, else by what marks its processes. */
import { readdirSync } from 'node:fs'
import type { Clock } from '../../clock.ts'
import { systemCode } from '../../errors.ts'
import type { AttemptRef } from '../types.ts'
import { laneFolder, lanesFolder, recordFile } from './lane.ts'
import { isAlive, readLaneRecord } from './liveness.ts'
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

/** Of a step whose lane is gone. */
export async function endLeftovers(
  attempt: AttemptRef,
  stepFolder: string,
  lane: string | undefined,
  clock: Clock,
): Promise<void> {
  const own = lane === undefined ? undefined : laneFolder(attempt, lane)
  await endMarked((marker) => marker === stepFolder || marker === own, clock)
}

export async function endAttempt(attempt: AttemptRef, clock: Clock): Promise<void> {
  const lanes = lanesOf(attempt)
  await Promise.all(lanes.map((lane) => endLane(attempt, lane, clock)))
  // A namespace leaves nothing. Elsewhere, or where a lane died before it said what it is, its processes are looked for.
  if (lanes.every((lane) => readLaneRecord(recordFile(attempt, lane))?.isolation === 'pid-namespace')) return
  await endMarked((marker) => marker.startsWith(`${attempt.folder}/`), clock)
}

function lanesOf(attempt: AttemptRef): string[] {
  try {
    return readdirSync(lanesFolder(attempt))
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return []
    throw error
  }
}

/**
 * What is written about the steps of an attempt: all that survives an engine. One file is made for a step, because every new file makes
 * the next commit of the state slower; the rest is the lane's.
 *
 * | file                | written by | when and what                                                                       |
 * |---------------------|------------|-------------------------------------------------------------------------------------|
 * | `lanes/<id>/order-0`| engine     | before it is given: step, directory, environment, text (0600, removed by `destroy`); |
 * | `lanes/<id>/order-1`|            | replaced after the step has ended, as an armed order goes into the other file than  |
 * |                     |            | the order of the step before it                                                     |
 * | `steps/<n>.output`  | one winner | created exclusively, which decides for good: by the engine that starts the step, as |
 * |                     |            | a file, between writing the order and giving it; or by someone who gives the step   |
 * |                     |            | up, as a folder                                                                     |
 * |                     | the step   | standard output and error, appended                                                 |
 * | `lanes/<id>/ended`  | supervisor | after the step: a line `<step> <code>`; without the newline it counts for nothing   |
 * |                     |            | before an armed step: a line `<step> begun`, or `<step> skipped` in its place       |
 * |                     | `kill`     | 137, when no process is left                                                        |
 * |                     |            | in front of it, when the step failed, a blank line of 4 KiB: shows that there is room |
 * | `lanes/<id>/room-<n>`| supervisor | nothing: shows that there is room for a file when the step failed (removed by       |
 * |                     |            | `destroy`)                                                                          |
 * | `lanes/<id>/hold-<n>`| `disarm`, | nothing: the lane does not begin this step when it is armed (removed by `destroy`,  |
 * |                     | `kill`     | and where it turns out that the step has begun)                                     |
 * | `lanes/<id>/next`   | engine     | nothing: becomes the output of the lane's next step (removed by `destroy`)          |
 * | `steps/<n>.script`  | engine     | with the order, only when the text is too long for it                               |
 *
 * What `attach` says, first row that fits:
 *
 * | `ended` of a lane | output   | its lane's process | answer                                                           |
 * |-------------------|----------|--------------------|------------------------------------------------------------------|
 * | has the step      | any      | any                | finished                                                         |
 * | has not           | absent   | any                | makes the folder; or loses the race, and the next rows fit       |
 * | has not           | a folder | any                | lost: an engine that starts it later cannot create the output    |
 * | has not           | a file   | alive              | running, or read by its lane any moment, or armed                |
 * | has not           | a file   | gone               | looks at `ended` once more, ends leftovers: lost                 |
 *
 * The lane of a step that was begun and has not ended is the one that has an order for it and has not skipped it. Whose engine dies before it gives
 * the order ends by itself: nothing else writes to its pipe.
 *
 * An armed step is taken back by the file `hold-<n>`, its own: what is done about the step before it must not let it go. The lane looks for it after it has written down the end of the step before; so where that is not written
 * down after the file was made, the step is held. Else the lane's next line tells. Only who knows that the step is held removes its output, and makes
 * its order one that fails.
 */
import { closeSync, constants, lstatSync, mkdirSync, openSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { systemCode } from '../../errors.ts'
import type { AttemptRef, StepRef } from '../types.ts'
import { readPlain } from './plain-file.ts'

/** Bytes that are read of a file: ten thousand steps take a few hundred kilobytes to write down. */
const READ = 4 * 2 ** 20
const HOLD = 'hold-'
const ROOM = 'room-'
/** Should a lane ever read it, its step has not succeeded. */
const HELD_ORDER = 'exit 125\n'

/** What has become of a step; `absent`: nobody has decided yet. */
export type Fate = 'absent' | 'begun' | 'cancelled' | { readonly code: number }

export function stepsFolder(attempt: AttemptRef): string {
  return join(attempt.folder, 'steps')
}

export function lanesFolder(attempt: AttemptRef): string {
  return join(attempt.folder, 'lanes')
}

/** Also the marker of the lane's own processes. */
export function laneFolder(attempt: AttemptRef, lane: string): string {
  return join(lanesFolder(attempt), lane)
}

/** What marks the processes of a step, and what the names of its files begin with. */
export function stepName(step: StepRef): string {
  return `${step.attempt.folder}/steps/${step.index}`
}

export function outputFile(name: string): string {
  return `${name}.output`
}

export function scriptFile(name: string): string {
  return `${name}.script`
}

/** Which of a lane's two files an order is in. */
export type OrderSlot = 0 | 1
const SLOTS: readonly OrderSlot[] = [0, 1]

export function orderFile(attempt: AttemptRef, lane: string, slot: OrderSlot): string {
  return join(laneFolder(attempt, lane), `order-${slot}`)
}

export function spareFile(attempt: AttemptRef, lane: string): string {
  return join(laneFolder(attempt, lane), 'next')
}

/** First line of an order, a remark for the shell that reads it. */
export function orderHead(index: number, after?: number): string {
  return after === undefined ? `# step ${index}\n` : `# step ${index} after ${after}\n`
}

interface Ordered {
  readonly slot: OrderSlot
  readonly index: number
  /** The step that it is armed behind. */
  readonly after: number | undefined
}

/** Lanes of the attempt, also those of engines that died. */
export function lanesOf(attempt: AttemptRef): string[] {
  try {
    return readdirSync(lanesFolder(attempt))
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return []
    throw error
  }
}

/** Lanes that have an order for the step, and have not skipped it. */
export function lanesWith(step: StepRef): string[] {
  return lanesOf(step.attempt).filter((lane) => orderOf(step, lane) !== undefined && readMark(step, lane) !== 'skipped')
}

/** The steps that a lane has orders for: the last ones it was given. */
export function orderedSteps(attempt: AttemptRef, lane: string): readonly Ordered[] {
  return SLOTS.flatMap((slot) => {
    const head = /^# step (\d+)(?: after (\d+))?\n/.exec(readIfThere(orderFile(attempt, lane, slot)) ?? '')
    if (head === null) return []
    return [{ slot, index: Number(head[1]), after: head[2] === undefined ? undefined : Number(head[2]) }]
  })
}

function orderOf(step: StepRef, lane: string): Ordered | undefined {
  return orderedSteps(step.attempt, lane).find((order) => order.index === step.index)
}

/** What only a running lane needs. Orders hold the environment, which may hold secrets. */
export function clearLane(attempt: AttemptRef, lane: string): void {
  const orders = SLOTS.map((slot) => orderFile(attempt, lane, slot))
  const folder = laneFolder(attempt, lane)
  const marks = readdirSync(folder).filter((name) => name.startsWith(HOLD) || name.startsWith(ROOM))
  for (const file of [...orders, spareFile(attempt, lane), ...marks.map((name) => join(folder, name))])
    rmSync(file, { force: true, recursive: true })
}

/**
 * Holds the lane up before the armed step, if it has not begun it yet. `undecided`: the lane stands between the step before and this one, and
 * writes at once which it is.
 */
export function hold(step: StepRef, lane: string): 'held' | 'begun' | 'undecided' {
  const order = orderOf(step, lane)
  if (order?.after === undefined) return 'begun'
  try {
    closeSync(openForWriting(holdFile(step, lane), constants.O_CREAT))
  } catch {
    // A full disk, or the step has removed the folder: nothing holds the lane up, and its end will tell.
    return 'begun'
  }
  // After the file was made, see above.
  const mark = readMark(step, lane)
  if (mark === 'begun') {
    rmSync(holdFile(step, lane), { force: true })
    return 'begun'
  }
  if (mark !== 'skipped' && readEnd({ attempt: step.attempt, index: order.after }) === 0) return 'undecided'
  // Whoever dies before the next line leaves a step that is lost: the lane has not begun it, and ends.
  const descriptor = openForWriting(orderFile(step.attempt, lane, order.slot), constants.O_TRUNC)
  try {
    writeFileSync(descriptor, HELD_ORDER)
  } finally {
    closeSync(descriptor)
  }
  rmSync(outputFile(stepName(step)), { force: true })
  return 'held'
}

function holdFile({ attempt, index }: StepRef, lane: string): string {
  return join(laneFolder(attempt, lane), `${HOLD}${index}`)
}

/** What a lane has written down about an armed step whose turn it was. */
function readMark(step: StepRef, lane: string): 'begun' | 'skipped' | undefined {
  const line = new RegExp(`^${step.index} (begun|skipped)\n`, 'm')
  const word = line.exec(readIfThere(endedFile(step.attempt, lane)) ?? '')?.[1]
  return word === 'begun' || word === 'skipped' ? word : undefined
}

export function writeScript(name: string, text: string): void {
  writeFileSync(scriptFile(name), text, { mode: 0o600 })
}

export function readFate(step: StepRef): Fate {
  const code = readEnd(step)
  if (code !== undefined) return { code }
  const decided = lstatSync(outputFile(stepName(step)), { throwIfNoEntry: false })
  if (decided === undefined) return 'absent'
  return decided.isDirectory() ? 'cancelled' : 'begun'
}

/** Sees to it that no lane begins the step from now on, also one that nobody has written yet, and says what has become of it. */
export function cancel(step: StepRef): Exclude<Fate, 'absent'> {
  const fate = readFate(step)
  if (fate !== 'absent') return fate
  mkdirSync(stepsFolder(step.attempt), { recursive: true, mode: 0o755 })
  try {
    mkdirSync(outputFile(stepName(step)))
    return 'cancelled'
  } catch (error) {
    if (systemCode(error) !== 'EEXIST') throw error
    const decided = readFate(step)
    return decided === 'absent' ? 'begun' : decided
  }
}

/** Only when no supervisor is left that could write it. */
export function writeEnd(step: StepRef, lane: string, code: number): void {
  const file = endedFile(step.attempt, lane)
  const before = readIfThere(file) ?? ''
  // What a full disk has torn must not become whole by what comes after it.
  const close = before === '' || before.endsWith('\n') ? '' : ' torn\n'
  const descriptor = openForWriting(file, constants.O_APPEND | constants.O_CREAT)
  try {
    writeFileSync(descriptor, `${close}${step.index} ${code}\n`)
  } finally {
    closeSync(descriptor)
  }
}

function readEnd(step: StepRef): number | undefined {
  const line = new RegExp(`^${step.index} (\\d{1,3})\n`, 'm')
  for (const lane of lanesOf(step.attempt)) {
    const match = line.exec(readIfThere(endedFile(step.attempt, lane)) ?? '')
    if (match !== null) return Number(match[1])
  }
  return undefined
}

function endedFile(attempt: AttemptRef, lane: string): string {
  return join(laneFolder(attempt, lane), 'ended')
}

/** Should a step have put a pipe there, opening it must not wait for a reader. */
function openForWriting(path: string, flags: number): number {
  return openSync(path, constants.O_WRONLY | constants.O_NONBLOCK | flags, 0o600)
}

function readIfThere(path: string): string | undefined {
  return readPlain(path, READ)
}

/**
 * The files of one step, `<attempt>/steps/<index>/`: all that survives an engine.
 *
 * | file     | written by | when and what                                                                            |
 * |----------|------------|------------------------------------------------------------------------------------------|
 * | `order`  | engine     | before it is given: lane, directory, environment, text (0600, removed by `destroy`)      |
 * | `script` | engine     | with the order, only when the text is too long for it                                    |
 * | `output` | the step   | standard output and error, appended                                                      |
 * | `exit`   | one winner | created exclusively, which decides for good: by the supervisor, empty, right before it   |
 * |          |            | runs the step; or by someone who gives the step up, `cancelled`                          |
 * |          | supervisor | after the step: `<code>\n`; without the newline it counts as empty                       |
 * |          | `kill`     | 137, when no process is left                                                             |
 *
 * What `attach` says, first row that fits:
 *
 * | exit        | the lane's process | answer                                                                      |
 * |-------------|--------------------|-----------------------------------------------------------------------------|
 * | `<code>`    | any                | finished                                                                    |
 * | absent      | any                | creates it: `cancelled`; or loses the race, and the next rows fit           |
 * | `cancelled` | any                | lost: a supervisor that reads the order later refuses it                    |
 * | empty       | alive              | running                                                                     |
 * | empty       | gone               | looks at `exit` once more, ends leftovers: lost                             |
 *
 * A `cancelled` torn by a crash or a full disk reads as empty, too; then the lane refuses the order, ends with its engine, and the
 * answer becomes lost through the last row.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { systemCode } from '../../errors.ts'
import type { AttemptRef, StepRef } from '../types.ts'
import type { OrderText } from './order.ts'

/** What the file `exit` says; `absent`: nobody has decided yet. */
export type Fate = 'absent' | 'begun' | 'cancelled' | { readonly code: number }

export function stepsFolder(attempt: AttemptRef): string {
  return join(attempt.folder, 'steps')
}

export function stepFolder(step: StepRef): string {
  return join(stepsFolder(step.attempt), String(step.index))
}

/** Folders of the steps that were started or given up. */
export function stepFolders(attempt: AttemptRef): string[] {
  try {
    return readdirSync(stepsFolder(attempt)).map((index) => join(stepsFolder(attempt), index))
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return []
    throw error
  }
}

export function outputFile(folder: string): string {
  return join(folder, 'output')
}

/** @throws the system's error; `EEXIST` when the step has been started or given up before */
export function makeStepFolder(folder: string): void {
  mkdirSync(folder, { mode: 0o700 })
  // Before the step could fail to open it.
  writeFileSync(outputFile(folder), '', { mode: 0o644, flag: 'wx' })
}

/** Before the order is given to the lane; again when it is given to another one. */
export function writeOrder(folder: string, lane: string, text: OrderText): void {
  if (text.script !== undefined) writeFileSync(join(folder, 'script'), text.script, { mode: 0o600 })
  writeFileSync(join(folder, 'order'), `# lane ${lane}\n${text.order}`, { mode: 0o600 })
}

/** Orders hold the environment, which may hold secrets. */
export function removeOrder(folder: string): void {
  // Not rmSync, which does much more for each of what can be thousands.
  const order = join(folder, 'order')
  if (existsSync(order)) unlinkSync(order)
}

/** Id of the lane that got the order, undefined when none did. */
export function readLane(folder: string): string | undefined {
  return /^# lane ([0-9a-f]+)\n/.exec(readIfThere(join(folder, 'order')) ?? '')?.[1]
}

export function readFate(folder: string): Fate {
  const text = readIfThere(exitFile(folder))
  if (text === undefined) return 'absent'
  if (text === 'cancelled\n') return 'cancelled'
  return /^\d{1,3}\n$/.test(text) ? { code: Number(text) } : 'begun'
}

/** Sees to it that no lane begins the step from now on, also one that nobody has written yet, and says what has become of it. */
export function cancel(folder: string): Exclude<Fate, 'absent'> {
  const fate = readFate(folder)
  if (fate !== 'absent') return fate
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  try {
    writeFileSync(exitFile(folder), 'cancelled\n', { flag: 'wx' })
    return 'cancelled'
  } catch (error) {
    if (systemCode(error) !== 'EEXIST') throw error
    const decided = readFate(folder)
    return decided === 'absent' ? 'begun' : decided
  }
}

/** Only when no supervisor is left that could write it. */
export function writeExit(folder: string, code: number): void {
  const temporary = join(folder, 'exit.new')
  writeFileSync(temporary, `${code}\n`)
  renameSync(temporary, exitFile(folder))
}

function exitFile(folder: string): string {
  return join(folder, 'exit')
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined
    throw error
  }
}

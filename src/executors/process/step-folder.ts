/**
 * The files of one step, `<attempt>/steps/<index>/`: all that survives an engine.
 *
 * | file      | written by | when and what                                                                         |
 * |-----------|------------|---------------------------------------------------------------------------------------|
 * | `script`  | engine     | before the order: the step's text                                                     |
 * | `prelude` | engine     | before the order: directory and environment (0600; removed by `destroy`)              |
 * | `output`  | the step   | standard output and error, appended                                                   |
 * | `lane`    | engine     | before the order: id of the lane that gets it                                         |
 * | `claim`   | one winner | exclusive create decides for good: empty = the lane's, it runs; `cancelled` = never runs |
 * | `exit`    | supervisor | after the step: `<code>\n`; without the newline it counts as absent. By `kill`: 137   |
 *
 * What `attach` says, first row that fits:
 *
 * | exit  | claim                       | the lane's process | answer                                                    |
 * |-------|-----------------------------|--------------------|-----------------------------------------------------------|
 * | whole | any                         | any                | finished                                                  |
 * | –     | absent                      | any                | takes the claim and asks again: `cancelled`, or it lost the race |
 * | –     | `cancelled`                 | any                | lost: a supervisor that reads the order later refuses it  |
 * | –     | empty                       | alive              | running                                                   |
 * | –     | empty                       | gone               | looks for `exit` once more, ends leftovers: lost          |
 *
 * A claim torn by a crash of the one who cancelled is empty, too; then the lane refuses the order, ends with its engine, and the
 * answer becomes lost through the last row.
 */
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { systemCode } from '../../errors.ts'
import type { AttemptRef, StepRef } from '../types.ts'

export function stepsFolder(attempt: AttemptRef): string {
  return join(attempt.folder, 'steps')
}

export function stepFolder(step: StepRef): string {
  return join(stepsFolder(step.attempt), String(step.index))
}

export function outputFile(folder: string): string {
  return join(folder, 'output')
}

/** @throws the system's error; `EEXIST` when the step has been started or given up before */
export function writeStep(folder: string, script: string, prelude: string): void {
  mkdirSync(folder, { mode: 0o700 })
  writeFileSync(join(folder, 'script'), script, { mode: 0o600, flag: 'wx' })
  writeFileSync(join(folder, 'prelude'), prelude, { mode: 0o600, flag: 'wx' })
  writeFileSync(outputFile(folder), '', { mode: 0o644, flag: 'wx' })
}

export function writeLane(folder: string, lane: string): void {
  writeFileSync(join(folder, 'lane'), `${lane}\n`)
}

/** Id of the lane that got the order, undefined when none did. */
export function readLane(folder: string): string | undefined {
  const text = readIfThere(join(folder, 'lane'))
  return text?.endsWith('\n') ? text.slice(0, -1) : undefined
}

/** Takes the claim so that no lane ever runs the step. Also for a step that nobody has written yet. */
export function cancel(folder: string): 'cancelled' | 'claimed-by-lane' {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const claim = join(folder, 'claim')
  try {
    writeFileSync(claim, 'cancelled\n', { flag: 'wx' })
    return 'cancelled'
  } catch (error) {
    if (systemCode(error) !== 'EEXIST') throw error
    return readFileSync(claim, 'utf8') === '' ? 'claimed-by-lane' : 'cancelled'
  }
}

/** Whether somebody has decided; a lane that ended can have begun only if so. */
export function isClaimed(folder: string): boolean {
  return existsSync(join(folder, 'claim'))
}

/** The exit status, undefined when none was written whole. */
export function readExit(folder: string): number | undefined {
  const text = readIfThere(join(folder, 'exit'))
  return text !== undefined && /^\d{1,3}\n$/.test(text) ? Number(text) : undefined
}

/** Only when no supervisor is left that could write it. */
export function writeExit(folder: string, code: number): void {
  const temporary = join(folder, 'exit.new')
  writeFileSync(temporary, `${code}\n`)
  renameSync(temporary, join(folder, 'exit'))
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined
    throw error
  }
}

/** What is set before a step's text runs: its directory and its whole environment, as shell text. Pure. */
import { PitlaneError } from '../../errors.ts'
import type { StepOrder } from '../types.ts'

/** Names the step's folder in the environment of all its processes: how they are found where no namespace holds them. */
export const MARKER = 'PITLANE_STEP'

const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/

/**
 * Shell text that changes to the step's directory and exports its variables, marker last.
 * @throws PitlaneError `EXECUTOR_FAILED` when a name, a value or the directory cannot be given to a process
 */
export function preludeOf(order: Pick<StepOrder, 'cwd' | 'env' | 'run'>, marker: string): string {
  if (!order.cwd.startsWith('/')) throw unfit(`the working directory is not absolute: ${order.cwd}`)
  for (const [what, text] of [
    ['the working directory', order.cwd],
    ['the text of the step', order.run],
  ] as const) {
    if (text.includes('\0')) throw unfit(`${what} contains a NUL character`)
  }
  const exports = Object.entries(order.env).map(([name, value]) => {
    if (!NAME.test(name)) throw unfit(`${JSON.stringify(name)} cannot be the name of an environment variable`)
    if (value.includes('\0')) throw unfit(`the value of ${name} contains a NUL character`)
    return `export ${name}=${quoted(value)}`
  })
  return [
    `cd ${quoted(order.cwd)} || exit 126`,
    // Set by cd; the folder we came from is none of the step's business.
    'unset OLDPWD',
    ...exports,
    `export ${MARKER}=${quoted(marker)}`,
    '',
  ].join('\n')
}

/** A word that a POSIX shell reads back as exactly this text. */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`
}

function unfit(message: string): PitlaneError {
  return new PitlaneError('EXECUTOR_FAILED', `The step cannot be started: ${message}.`, {
    hint: 'Variable names are letters, digits and underscores; neither values nor commands may contain NUL characters.',
  })
}

/** What a supervisor reads to run one step: its directory, its whole environment, its text; as shell text. Pure. */
import { PitlaneError } from '../../errors.ts'
import { shellQuoted } from '../../words/shell-word.ts'
import type { StepOrder } from '../types.ts'
import { scriptFile } from './step-files.ts'

/** Names the step in the environment of all its processes: how they are found where no namespace holds them. */
export const MARKER = 'PITLANE_STEP'

const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/

/** One argument holds at most 128 KiB (MAX_ARG_STRLEN, execve(2)); a longer text has to be read from a file. */
const ARGUMENT = 120_000

export interface OrderText {
  /** Ends in `exec`: whoever sources it becomes the step. */
  readonly order: string
  /** For the step's own file `script`; undefined when the order holds the step's text itself. */
  readonly script: string | undefined
}

/**
 * @param stepName the step's, an absolute path: the marker, and what the file of a long text is named by
 * @param setsid path of the program that gives the step a session of its own; empty for none
 * @throws PitlaneError `EXECUTOR_FAILED` when a name, a value, the directory or the text cannot be given to a process
 */
export function orderText(step: Pick<StepOrder, 'cwd' | 'env' | 'run'>, stepName: string, setsid: string): OrderText {
  if (!step.cwd.startsWith('/')) throw unfit(`the working directory is not absolute: ${step.cwd}`)
  if (step.cwd.includes('\0')) throw unfit('the working directory contains a NUL character')
  if (step.run.includes('\0')) throw unfit('the text of the step contains a NUL character')
  const exports = Object.entries(step.env).map(([name, value]) => {
    if (!NAME.test(name)) throw unfit(`${JSON.stringify(name)} cannot be the name of an environment variable`)
    if (value.includes('\0')) throw unfit(`the value of ${name} contains a NUL character`)
    return `export ${name}=${shellQuoted(value)}`
  })
  const shell = setsid === '' ? 'exec /bin/sh -e' : `exec ${shellQuoted(setsid)} /bin/sh -e`
  const script = Buffer.byteLength(step.run) > ARGUMENT ? step.run : undefined
  const order = [
    `cd ${shellQuoted(step.cwd)} || exit 126`,
    // Set by cd; the folder we came from is none of the step's business.
    'unset OLDPWD',
    ...exports,
    `export ${MARKER}=${shellQuoted(stepName)}`,
    // As an argument the text costs no file, and the shell becomes its last command instead of waiting for it.
    script === undefined ? `${shell} -c ${shellQuoted(step.run)} sh` : `${shell} ${shellQuoted(scriptFile(stepName))}`,
    '',
  ].join('\n')
  return { order, script }
}

function unfit(message: string): PitlaneError {
  return new PitlaneError('EXECUTOR_FAILED', `The step cannot be started: ${message}.`, {
    hint: 'Variable names are letters, digits and underscores; neither values nor commands may contain NUL characters.',
  })
}

/** Other people's programs, run to their end without stopping this process: a server in it can go on answering them. */
import { spawn } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'

export interface Outcome {
  /** Null when it was ended by a signal. */
  readonly status: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface ProgramOptions {
  readonly cwd?: string
  /** The whole environment; by default that of this process. */
  readonly env?: NodeJS.ProcessEnv
  readonly input?: string
  /** Milliseconds. */
  readonly timeout?: number
}

export function runProgram(command: string, args: readonly string[], options: ProgramOptions = {}): Promise<Outcome> {
  const { input = '', timeout = 120_000, ...rest } = options
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { ...rest, timeout, killSignal: 'SIGKILL' })
    let [stdout, stderr] = ['', '']
    child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()))
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()))
    // A program that needs no input may close it early.
    child.stdin.on('error', () => {})
    child.on('error', reject)
    child.on('close', (status) => resolve({ status, stdout, stderr }))
    child.stdin.end(input)
  })
}

/** What the program wrote to standard output. Throws with everything it said when it did not end with 0. */
export async function succeed(command: string, args: readonly string[], options: ProgramOptions = {}): Promise<string> {
  const { status, stdout, stderr } = await runProgram(command, args, options)
  if (status !== 0) throw new Error(`${[command, ...args].join(' ')} ended with ${status}\n${stdout}${stderr}`)
  return stdout
}

/** Those of the programs that are not on PATH. */
export function absentPrograms(...names: readonly string[]): readonly string[] {
  return names.filter((name) => programOnPath(name) === null)
}

/** Its path; null when it is not there. */
export function programOnPath(name: string): string | null {
  const folders = (process.env['PATH'] ?? '').split(delimiter)
  return folders.map((folder) => join(folder, name)).find(isExecutable) ?? null
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

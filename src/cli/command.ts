/** What commands share: reporting in the form that was asked for, errors as a person should meet them, the state opened and let go. */
import { isAbsolute, relative, resolve } from 'node:path'
import { removeOldBuilds } from '../artifact/old-builds.ts'
import { stageWork } from '../artifact/stage-work.ts'
import { LOCAL } from '../database/queries/open-build.ts'
import { exitCodeOf, PitlaneError, presentable } from '../errors.ts'
import type { EngineParts } from '../run/parts.ts'
import { removeLeftovers } from '../run/leftovers.ts'
import type { Report } from '../run/progress.ts'
import { wait } from '../run/waiting.ts'
import type { Context, Project, State } from './context.ts'
import { describeError, errorDocument, jsonReport, textReport } from './output.ts'
import { terminalReport } from './progress-text.ts'

/** Runs a command's work; what it throws is printed, and becomes the exit code. */
export async function guard(context: Context, json: boolean, work: () => Promise<void>): Promise<void> {
  try {
    await work()
  } catch (thrown) {
    const error = presentable(thrown)
    context.exitCode = exitCodeOf(error)
    if (json) context.process.stdout.write(`${JSON.stringify(errorDocument(error))}\n`)
    context.process.stderr.write(`${describeError(error)}\n`)
  }
}

/** One for a command: what servers ask for is told there, too. */
export function reporter(context: Context, json: boolean): Report {
  const { process, statusLine } = context
  const text = () => (statusLine === null ? textReport(process) : terminalReport(statusLine, textReport(process)))
  const report = json ? jsonReport(process) : text()
  context.onSlowed = (host, duration) =>
    report({ event: 'waiting', state: 'started', on: 'server', for: `${host}, which asks to slow down`, duration })
  return report
}

export function printJson(context: Context, value: unknown): void {
  context.process.stdout.write(`${JSON.stringify(value, null, 2)}\n`)
}

export interface StateFlags {
  readonly noWait: boolean
  readonly jobs?: number
}

/** Milliseconds, an hour: long enough for another release, short enough to notice that something hangs. */
export const WAIT = 3_600_000

export async function withState(
  context: Context,
  project: Project,
  flags: StateFlags,
  command: string,
  report: Report,
  work: (state: State, engine: EngineParts) => Promise<void>,
): Promise<void> {
  const waiting = wait({ clock: context.clock, report }, 'command')
  const onWait = (holder: string) => waiting.begin(`${holder} to end`)
  const state = await context
    .openState(project, { command, wait: flags.noWait ? 0 : WAIT, onWait })
    .finally(() => waiting.end())
  try {
    const { executor, content, writer } = state
    const { clock } = context
    const engine: EngineParts = {
      repository: LOCAL,
      writer,
      executor,
      clock,
      report,
      bootId: context.bootId,
      folder: state.folder.builds,
      limits: { jobs: flags.jobs ?? context.processors, attempts: 3 },
      work: stageWork({
        repository: project.repository,
        executor,
        content,
        writer,
        clock,
        report,
        env: context.env,
        machine: context.machine,
      }),
    }
    await removeLeftovers(engine)
    await content.removeLeftovers()
    await work(state, engine)
  } finally {
    await state.release()
  }
}

/** At the end of a command that went well. What can't be removed is said, and changes nothing of that. */
export async function tidyUp(state: State, engine: EngineParts): Promise<void> {
  try {
    await removeOldBuilds({ ...engine, content: state.content })
  } catch (error) {
    if (!(error instanceof PitlaneError)) throw error
    engine.report({ event: 'note', message: `old builds could not be removed: ${error.message}` })
  }
}

/** How `to` is reached from the folder `from`, for a document that is read elsewhere. */
export function relativeFolder(from: string, to: string, base: string): string {
  return relative(absolute(from, base), absolute(to, base)) || '.'
}

export function absolute(path: string, base: string): string {
  return isAbsolute(path) ? path : resolve(base, path)
}

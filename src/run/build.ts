/** One build from its row to its outcome. */
import type { BuildRow } from '../database/queries/builds.ts'
import { failedStages, failedStep, wasTried } from '../database/queries/find-builds.ts'
import { openBuild } from '../database/queries/open-build.ts'
import type { Event } from '../event/event.ts'
import type { Plan } from '../plan/plan.ts'
import { PitlaneError } from '../errors.ts'
import type { Transaction } from 'kysely'
import type { Database } from '../database/schema.ts'
import { runBuild } from './engine.ts'
import { giveUp, lostWork } from './give-up.ts'
import type { EngineParts, StopSignals } from './parts.ts'
import { buildFolders, stagePlaces } from './places.ts'

export interface BuildRequest {
  readonly kind: BuildRow['kind']
  readonly plan: Plan
  readonly checksDigest: string
  readonly event: Event
  /** Written in the same transaction as the build. */
  readonly also?: (trx: Transaction<Database>, build: BuildRow) => Promise<void>
}

/**
 * Opens the build (or takes up the one for the same thing that has not ended) and carries it out.
 * @returns the build with its final state
 * @throws PitlaneError `INTERRUPTED` when it was stopped before its end; the same call goes on later
 */
export async function carryOutBuild(parts: EngineParts, request: BuildRequest, stop: StopSignals): Promise<BuildRow> {
  const open = async () => {
    const numbersUsed = Math.max(0, ...(await buildFolders(parts.folder)))
    return parts.writer.write(async (trx) => {
      const row = await openBuild(trx, { ...request, repository: parts.repository, numbersUsed })
      await request.also?.(trx, row)
      return row
    })
  }
  let build = await open()
  let resumed = await wasTried(parts.writer.db, build)
  const lost = resumed ? await lostWork(parts, build, request.plan) : null
  if (lost !== null) {
    await giveUp(parts, build, request.plan, { error: 'STORAGE_FAILED', note: lost })
    parts.report({ event: 'note', message: `build ${build.number} can't go on, and a new one begins: ${lost}` })
    build = await open()
    resumed = false
  }
  const about = {
    event: 'build',
    number: build.number,
    kind: build.kind,
    version: request.plan.version,
    commit: build.commit_id,
  } as const
  parts.report({ ...about, state: resumed ? 'resumed' : 'started' })
  const outcome = await runBuild(parts, build, request.plan, stop)
  if (outcome === 'stopped') {
    throw new PitlaneError('INTERRUPTED', `build ${build.number} was stopped before its end`, {
      hint: 'Run the same command again: it goes on where it was.',
    })
  }
  parts.report({ ...about, state: outcome })
  return { ...build, state: outcome }
}

type FailureParts = Pick<EngineParts, 'writer' | 'executor' | 'folder'>

/** The error that a failed build ends a command with: the first stage's own, as the rows have it. */
export async function buildFailure(parts: FailureParts, build: BuildRow): Promise<PitlaneError> {
  const failed = await failedStages(parts.writer.db, build)
  const [first] = failed
  if (first === undefined) return new PitlaneError('INTERNAL', `build ${build.number} failed without a failed stage`)
  const more = failed.length > 1 ? ` (and ${failed.length - 1} more)` : ''
  const code = first.error ?? 'INTERNAL'
  const output = await failedOutput(parts, build, first.id)
  const where = `The output is ${output === undefined ? 'below' : 'in'} ${output ?? `.pitlane/builds/${build.number}/`}.`
  const hint = code === 'TEST_NOT_RUN' ? RUNNABLE : build.kind === 'release' ? `Nothing was published. ${where}` : where
  return new PitlaneError(code, `${first.id}: ${first.note ?? 'failed'}${more}`, { hint, output })
}

/** The file that the stage's failed step wrote to; undefined when none failed: then it was what came out that did not fit. */
async function failedOutput(parts: FailureParts, build: BuildRow, stage: string): Promise<string | undefined> {
  const failed = await failedStep(parts.writer.db, build, stage)
  if (failed === undefined) return undefined
  const attempt = stagePlaces(parts.folder, build, stage).attempt(failed.attempt)
  return parts.executor.outputPath({ attempt, index: failed.position })
}

const RUNNABLE =
  'Install it (on Debian: qemu-user-static), or take the target out of `release.test.targets`: then the release says that it was not tested.'

/** Checks of a made-up commit, carried out by engines with real processes, in a folder that is removed after the test. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { systemClock } from '../../src/clock.ts'
import { openSqlite } from '../../src/database/sqlite.ts'
import { takeOver } from '../../src/database/writer.ts'
import { ProcessExecutor } from '../../src/executors/process/executor.ts'
import { makePlan } from '../../src/plan/make-plan.ts'
import { carryOutBuild } from '../../src/run/build.ts'
import type { EngineParts } from '../../src/run/parts.ts'

const SOURCE = {
  commit: '5c11de2744bdbaac5fd67f5f5faa70ad9f1c9d12',
  tree: '0123456789abcdef0123456789abcdef01234567',
  tag: null,
  commitTime: 1_749_830_817,
  subject: 'A subject',
  tagMessage: null,
}
const never = new AbortController().signal

/** @param checks as in `pitlane.yaml`: name → what it runs */
export async function checksWorld(t: TestContext, checks: Readonly<Record<string, string>>) {
  const folder = mkdtempSync(join(tmpdir(), 'pitlane-checks-'))
  const db = await openSqlite(join(folder, 'state.sqlite'))
  const executors: ProcessExecutor[] = []
  t.after(async () => {
    for (const executor of executors) await executor.close()
    await db.destroy()
    rmSync(folder, { recursive: true, force: true })
  })
  const listed = Object.entries(checks).map(([name, run]) => `{ name: ${name}, run: ${JSON.stringify(run)} }`)
  const text = Buffer.from(`name: t\nchecks: [${listed.join(', ')}]\n`)
  const plan = makePlan({ source: SOURCE, configuration: { file: 'pitlane.yaml', text }, changelog: null })
  const event = { kind: 'manual', revision: 'HEAD', actor: 'Toy', at: 0 } as const
  return {
    folder,
    db,
    attempt: join(folder, 'builds/1/checks/attempt-1'),
    /** An engine of its own, with parts that a test changes. */
    async engine(change: Partial<EngineParts> = {}) {
      const executor = new ProcessExecutor({ clock: systemClock })
      executors.push(executor)
      const parts: EngineParts = {
        repository: 'local',
        writer: change.writer ?? (await takeOver(db)),
        executor,
        clock: systemClock,
        report: () => {},
        folder: join(folder, 'builds'),
        bootId: 'this start',
        limits: { jobs: 1, attempts: 3 },
        work: {
          prepare: async ({ workspace }) => void mkdirSync(workspace, { recursive: true }),
          environment: async ({ workspace }) => ({
            env: { PATH: process.env['PATH'] ?? '', FOLDER: folder },
            cwd: workspace,
          }),
          collect: async () => {},
          lostOutputs: async () => null,
        },
        ...change,
      }
      return {
        parts,
        carryOut: (stop: { readonly drain?: AbortSignal; readonly interrupt?: AbortSignal } = {}) =>
          carryOutBuild(
            parts,
            { kind: 'checks', plan, checksDigest: 'x', event },
            { drain: stop.drain ?? never, interrupt: stop.interrupt ?? never },
          ),
      }
    },
  }
}

import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { systemClock } from '../clock.ts'
import { openSqlite } from '../database/sqlite.ts'
import { takeOver } from '../database/writer.ts'
import { ProcessExecutor } from '../executors/process/executor.ts'
import { makePlan } from '../plan/make-plan.ts'
import { buildFailure, carryOutBuild } from './build.ts'
import type { EngineParts } from './parts.ts'

const plan = (run: string) =>
  makePlan({
    source: {
      commit: '5c11de2744bdbaac5fd67f5f5faa70ad9f1c9d12',
      tree: '0123456789abcdef0123456789abcdef01234567',
      tag: null,
      commitTime: 1_749_830_817,
      subject: 'A subject',
      tagMessage: null,
    },
    configuration: { file: 'pitlane.yaml', text: Buffer.from(`name: t\nchecks: [{ name: noise, run: ${run} }]\n`) },
    changelog: null,
  })

async function outcomeOf(run: string): Promise<{ message: string; written: number }> {
  const folder = mkdtempSync(join(tmpdir(), 'pitlane-output-'))
  const db = await openSqlite(join(folder, 'state.sqlite'))
  const executor = new ProcessExecutor({ clock: systemClock })
  try {
    const parts: EngineParts = {
      writer: await takeOver(db),
      executor,
      clock: { ...systemClock, sleep: (time, signal) => systemClock.sleep(Math.min(time, 20_000) / 20, signal) },
      report: () => {},
      folder: join(folder, 'builds'),
      bootId: 'this start',
      limits: { jobs: 1, attempts: 3, output: 100_000 },
      work: {
        prepare: async ({ workspace }) => void mkdirSync(workspace, { recursive: true }),
        environment: async ({ workspace }) => ({ env: { PATH: process.env['PATH'] ?? '' }, cwd: workspace }),
        collect: async () => {},
        lostOutputs: async () => null,
      },
    }
    const never = new AbortController().signal
    const event = { kind: 'manual', revision: 'HEAD', actor: 'Toy', at: 0 } as const
    const request = { kind: 'checks', plan: plan(run), checksDigest: 'x', event } as const
    const build = await carryOutBuild(parts, request, { drain: never, interrupt: never })
    const { size } = statSync(join(folder, 'builds/1/checks/attempt-1/steps/0.output'))
    if (build.state === 'succeeded') return { message: 'succeeded', written: size }
    const { code, message } = await buildFailure(parts, build)
    return { message: `${code}: ${message}`, written: size }
  } finally {
    await executor.close()
    await db.destroy()
    rmSync(folder, { recursive: true, force: true })
  }
}

test('a step that goes on writing is killed', async () => {
  const { message, written } = await outcomeOf('while :; do echo noise; done')
  assert.equal(message, 'STEP_OUTPUT_LIMIT: checks: step noise wrote more than 100000 bytes of output')
  assert.ok(written > 100_000)
})

test('a step that wrote too much fails also when it is over before anybody looked', async () => {
  const { message } = await outcomeOf('head -c 100001 /dev/zero')
  assert.equal(message, 'STEP_OUTPUT_LIMIT: checks: step noise wrote more than 100000 bytes of output')
})

test('as much as it may is no failure', async () => {
  assert.deepEqual(await outcomeOf('head -c 100000 /dev/zero'), { message: 'succeeded', written: 100_000 })
})

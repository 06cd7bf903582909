import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { systemClock } from '../clock.ts'
import { openSqlite } from '../database/sqlite.ts'
import { takeOver, type Writer } from '../database/writer.ts'
import { ProcessExecutor } from '../executors/process/executor.ts'
import { makePlan } from '../plan/make-plan.ts'
import { carryOutBuild } from './build.ts'
import type { Progress } from './progress.ts'

const PLAN = makePlan({
  source: {
    commit: '5c11de2744bdbaac5fd67f5f5faa70ad9f1c9d12',
    tree: '0123456789abcdef0123456789abcdef01234567',
    tag: null,
    commitTime: 1_749_830_817,
    subject: 'A subject',
    tagMessage: null,
  },
  configuration: {
    file: 'pitlane.yaml',
    text: Buffer.from(`name: t\nchecks: [{ name: a, run: ':' }, { name: b, run: ':' }, { name: c, run: ':' }]\n`),
  },
  changelog: null,
})

test('what a restart of the machine undoes is not forced to disk, everything else is, and both are told in order', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'pitlane-record-'))
  const db = await openSqlite(join(folder, 'state.sqlite'))
  const executor = new ProcessExecutor({ clock: systemClock })
  t.after(async () => {
    await executor.close()
    await db.destroy()
    rmSync(folder, { recursive: true, force: true })
  })
  const writer = await takeOver(db)
  /** A line for each transaction, with what was told after it. */
  const told: string[][] = []
  const watched: Writer = {
    db,
    async write(work, options = { forced: true }) {
      const result = await writer.write(work, options)
      told.push([options.forced ? 'forced' : 'not forced'])
      return result
    },
  }
  const report = (progress: Progress) => {
    if (progress.event === 'step' || progress.event === 'stage') {
      told.at(-1)?.push(`${progress.event === 'step' ? progress.step : 'stage'} ${progress.state}`)
    }
  }
  const never = new AbortController().signal
  await carryOutBuild(
    {
      writer: watched,
      executor,
      clock: systemClock,
      report,
      folder: join(folder, 'builds'),
      bootId: 'this start',
      limits: { jobs: 1, attempts: 3 },
      work: {
        prepare: async ({ workspace }) => void mkdirSync(workspace, { recursive: true }),
        environment: async ({ workspace }) => ({ env: { PATH: process.env['PATH'] ?? '' }, cwd: workspace }),
        collect: async () => {},
        lostOutputs: async () => null,
      },
    },
    {
      kind: 'checks',
      plan: PLAN,
      checksDigest: 'x',
      event: { kind: 'manual', revision: 'HEAD', actor: 'Toy', at: 0 },
    },
    { drain: never, interrupt: never },
  )
  assert.deepEqual(told, [
    ['forced'],
    ['forced', 'stage preparing'],
    ['forced', 'a running', 'stage running'],
    ['not forced', 'a succeeded', 'b running'],
    ['not forced', 'b succeeded', 'c running'],
    ['forced', 'c succeeded', 'stage collecting'],
    ['forced', 'stage succeeded'],
  ])
})

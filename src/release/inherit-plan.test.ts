import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { finishBuild } from '../database/queries/builds.ts'
import { openBuild } from '../database/queries/open-build.ts'
import { openSqlite } from '../database/sqlite.ts'
import { takeOver } from '../database/writer.ts'
import { planId } from '../plan/plan-id.ts'
import type { Plan } from '../plan/plan.ts'
import { inheritPlan } from './inherit-plan.ts'

function planned(notes: string): Plan {
  const hex = 'a'.repeat(40)
  const content = {
    format: 1,
    project: 'toy',
    source: { commit: hex, tree: hex, tag: 'v1.1.0', commitTime: 0, subject: 'Toy', tagMessage: notes },
    version: 'v1.1.0',
    channel: 'stable',
    configuration: { file: 'pitlane.yaml', sha256: 'b'.repeat(64) },
    notes,
    stages: [],
    release: null,
  } as const
  return { ...content, id: planId(content) }
}

test('notes are those of the tag as it is now, until a release build has begun with them', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'pitlane-inherit-'))
  const db = await openSqlite(join(folder, 's'))
  t.after(async () => {
    await db.destroy()
    rmSync(folder, { recursive: true, force: true })
  })
  const writer = await takeOver(db)
  const [old, now] = [planned('old'), planned('new')]
  const build = (kind: 'checks' | 'release', plan: Plan) =>
    writer.write((trx) =>
      openBuild(trx, {
        kind,
        plan,
        checksDigest: 'c',
        event: { kind: 'manual', revision: 'v1.1.0', actor: 'Toy', at: 0 },
        repository: 'local',
        numbersUsed: 0,
      }),
    )
  const checks = await build('checks', old)
  assert.deepEqual(await inheritPlan(db, now), now)
  await writer.write((trx) => finishBuild(trx, checks, 'succeeded', 0))
  assert.deepEqual(await inheritPlan(db, now), now)

  const release = await build('release', old)
  assert.deepEqual(await inheritPlan(db, now), old)
  const other = { ...now, configuration: { ...now.configuration, sha256: 'd'.repeat(64) } }
  assert.deepEqual(await inheritPlan(db, other), other)
  await writer.write((trx) => finishBuild(trx, release, 'failed', 0))
  assert.deepEqual(await inheritPlan(db, now), now)
})

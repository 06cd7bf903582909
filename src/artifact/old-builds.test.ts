import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import type { Insertable } from 'kysely'
import { systemClock } from '../clock.ts'
import type { BuildsTable } from '../database/schema.ts'
import { openSqlite } from '../database/sqlite.ts'
import { takeOver } from '../database/writer.ts'
import { ProcessExecutor } from '../executors/process/executor.ts'
import { contentStore } from './content.ts'
import { removeOldBuilds } from './old-builds.ts'

interface Given {
  readonly state: BuildsTable['state']
  readonly kind?: BuildsTable['kind']
  readonly plan?: string
  readonly publication?: 'prepared' | 'published'
}

/** A state with these builds, from number 1 on. Each has logs, and each release build an artifact and a layer of its own. */
async function worldOf(t: TestContext, builds: readonly Given[]) {
  const root = mkdtempSync(join(tmpdir(), 'pitlane-old-'))
  t.after(() => rmSync(root, { recursive: true, force: true }))
  const world = await openWorld(root)
  mkdirSync(join(root, 'artifacts'))
  const names = new Map<string, string>()
  for (const [index, { state, kind = 'release', plan = `plan ${index}`, publication }] of builds.entries()) {
    const number = index + 1
    const id = `build-${number}`
    const steps = join(root, 'builds', String(number), 'build/triple/attempt-1/steps/0')
    mkdirSync(steps, { recursive: true })
    writeFileSync(join(steps, 'output'), 'log')
    // A log that its step has made hard to remove.
    chmodSync(steps, 0o555)
    const stored: string[] = []
    for (const what of kind === 'release' ? ['binary', 'layer'] : []) {
      writeFileSync(join(root, 'source'), `${what} of ${id}`)
      const { sha256 } = await world.content.put(join(root, 'source'))
      names.set(sha256, `${what} ${number}`)
      stored.push(sha256)
    }
    const row: Insertable<BuildsTable> = {
      id,
      number,
      kind,
      plan_id: plan,
      checks_digest: '',
      commit_id: '',
      version: plan,
      repository_id: 'local',
      event: 'manual',
      revision: '',
      actor: '',
      state,
      created_at: 0,
      finished_at: null,
    }
    await world.writer.write(async (trx) => {
      const planRow = { id: plan, document: '', created_at: 0 }
      await trx
        .insertInto('plans')
        .values(planRow)
        .onConflict((c) => c.doNothing())
        .execute()
      await trx.insertInto('builds').values(row).execute()
      const [sha256, layer] = stored
      if (sha256 !== undefined && layer !== undefined) {
        const artifact = { build_id: id, output_id: 'o', target: 't', name: 'n', sha256, blake2b512: '', size: 1 }
        await trx
          .insertInto('artifacts')
          .values({ ...artifact, evidence: '', created_at: 0 })
          .execute()
        const digest = `sha256:${layer}`
        await trx.insertInto('layers').values({ build_id: id, target: 't', digest, size: 1, diff_id: '' }).execute()
      }
      if (publication !== undefined) {
        const about = { version: plan, release_build_id: id, plan_id: plan, state: publication }
        await trx
          .insertInto('publications')
          .values({ ...about, published_at: 0, fixed: '{}' })
          .execute()
      }
    })
  }
  const left = () => ({
    logs: readdirSync(join(root, 'builds'))
      .map(Number)
      .toSorted((a, b) => a - b),
    contents: readdirSync(join(root, 'artifacts'))
      .map((sha256) => names.get(sha256) ?? sha256)
      .toSorted(),
  })
  return { root, ...world, left }
}

async function openWorld(root: string) {
  const db = await openSqlite(join(root, 'state.sqlite'))
  const executor = new ProcessExecutor({ clock: systemClock })
  const writer = await takeOver(db)
  return {
    repository: 'local',
    db,
    writer,
    executor,
    folder: join(root, 'builds'),
    content: contentStore(join(root, 'artifacts'), systemClock),
  }
}

const FILLING: readonly Given[] = Array.from({ length: 20 }, () => ({ state: 'succeeded', kind: 'checks' }))

test('of old builds stays what runs, is being published, or is the next to be released', async (t) => {
  const world = await worldOf(t, [
    { state: 'failed' },
    { state: 'running' },
    { state: 'succeeded', publication: 'published' },
    { state: 'succeeded', publication: 'prepared' },
    { state: 'succeeded', plan: 'twice' },
    { state: 'succeeded', plan: 'twice' },
    { state: 'succeeded', plan: 'begun', publication: 'prepared' },
    { state: 'succeeded', plan: 'begun' },
    { state: 'succeeded', kind: 'checks' },
    ...FILLING,
  ])
  await removeOldBuilds(world)
  const kept = [2, 4, 6, 7, 8]
  assert.deepEqual(world.left(), {
    logs: [...kept, ...FILLING.map((_, index) => index + 10)],
    contents: [...kept.map((number) => `binary ${number}`), ...kept.map((number) => `layer ${number}`)],
  })
  await world.db.destroy()
})

test('of the newest builds stay the logs, and what is not published; a refused file is in no row and goes', async (t) => {
  const world = await worldOf(t, [{ state: 'failed' }, { state: 'succeeded', publication: 'published' }])
  writeFileSync(join(world.root, 'source'), 'refused')
  await world.content.put(join(world.root, 'source'))
  await removeOldBuilds(world)
  assert.deepEqual(world.left(), { logs: [1, 2], contents: ['binary 1', 'layer 1'] })
  await world.db.destroy()
})

test('folders of a state that was lost are as old as their numbers', async (t) => {
  const world = await worldOf(t, [{ state: 'failed', kind: 'checks' }])
  for (let number = 30; number <= 50; number += 1) mkdirSync(join(world.folder, String(number)))
  mkdirSync(join(world.folder, 'of a person'))
  await removeOldBuilds(world)
  rmSync(join(world.folder, 'of a person'), { recursive: true })
  assert.deepEqual(
    world.left().logs,
    Array.from({ length: 20 }, (_, index) => 31 + index),
  )
  await world.db.destroy()
})

test('killed in the middle of a removal, the next one goes on and takes nothing else', async (t) => {
  const given: Given[] = [
    ...Array.from({ length: 3 }, (): Given => ({ state: 'failed' })),
    { state: 'running' },
    ...FILLING,
  ]
  // Of six contents and three folders; a folder is half removed by then.
  for (const at of [1, 6, 7, 9]) {
    const world = await worldOf(t, given)
    await world.db.destroy()
    const { signal, stderr } = spawnSync(
      process.execPath,
      ['--disable-warning=ExperimentalWarning', '--input-type=module', '-e', KILLED],
      {
        env: { ...process.env, ROOT: world.root, AT: String(at), SOURCES: new URL('..', import.meta.url).href },
        encoding: 'utf8',
      },
    )
    assert.equal(signal, 'SIGKILL', stderr)
    const again = await openWorld(world.root)
    await removeOldBuilds(again)
    assert.deepEqual(world.left(), {
      logs: [4, ...FILLING.map((_, index) => index + 5)],
      contents: ['binary 4', 'layer 4'],
    })
    assert.ok(existsSync(join(world.folder, '4/build/triple/attempt-1/steps/0/output')))
    await again.db.destroy()
  }
})

const KILLED = `
const from = (path) => import(process.env.SOURCES + path)
const { rmSync } = await import('node:fs')
const { join } = await import('node:path')
const { systemClock } = await from('clock.ts')
const { openSqlite } = await from('database/sqlite.ts')
const { takeOver } = await from('database/writer.ts')
const { ProcessExecutor } = await from('executors/process/executor.ts')
const { contentStore } = await from('artifact/content.ts')
const { removeOldBuilds } = await from('artifact/old-builds.ts')
const root = process.env.ROOT
let left = Number(process.env.AT)
const die = () => { process.kill(process.pid, 'SIGKILL'); for (;;); }
const content = contentStore(join(root, 'artifacts'), systemClock)
const executor = new ProcessExecutor({ clock: systemClock })
await removeOldBuilds({
  repository: 'local',
  writer: await takeOver(await openSqlite(join(root, 'state.sqlite'))),
  folder: join(root, 'builds'),
  content: { ...content, remove: async (sha256) => { left -= 1; if (left === 0) die(); await content.remove(sha256) } },
  executor: { remove: async (folder) => {
    left -= 1
    if (left > 0) return executor.remove(folder)
    await executor.remove(join(folder, 'build/triple/attempt-1'))
    die()
  } },
})
`

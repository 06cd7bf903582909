// What an older version has begun, this one finishes: with the plan, the numbers and the bytes that were written down then.
import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { KEYS } from '../../src/plan/keys.ts'
import { BuiltDocument } from '../../src/release/document.ts'
import { PUBLIC_KEY } from '../world/toy.ts'
import { type Begun, recordBegun, restoreBegun } from './begun.ts'
import { look } from './readers.ts'
import { NOW, Runs } from './runs.ts'
import * as worlds from './worlds.ts'

const FIXTURES = fileURLToPath(new URL('fixtures/', import.meta.url))
const RECORDED = fixtures()

/** Moments that are worth keeping: a step that was about to start, a publication half out, lists half new. */
const MOMENTS = {
  building: 'executor.start build-2/build/i686-unknown-linux-musl/1/0 #1 before',
  publishing: `bucket.put ${KEYS.document('v1.0.0')}.minisig #1 after`,
  listing: `bucket.put ${KEYS.page} #1 after`,
}

let runs: Runs
let fresh: worlds.World

before(async () => {
  runs = await Runs.open()
  fresh = worlds.freshWorld()
})

after(() => {
  worlds.removeWorld(fresh)
  runs.close()
})

function fixtures(): string[] {
  return readdirSync(FIXTURES, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.json'))
}

const recording = process.env['PITLANE_RECORD_BEGUN'] === '1'
if (recording) test('records what this version begins', record)

async function record(): Promise<void> {
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
    version: string
  }
  const folder = join(FIXTURES, `begun-${version.replace(/\.\d+$/, '')}`)
  mkdirSync(folder, { recursive: true })
  for (const [name, at] of Object.entries(MOMENTS)) {
    const world = worlds.copyOf(fresh)
    const args = ['release', 'v1.0.0', '--jobs', '1']
    const { signal, output } = await runs.run(world, { args, fault: { at, how: 'kill' } })
    assert.equal(signal, 'SIGKILL', output)
    const begun = recordBegun(world, version, `${args.join(' ')}: ${at}`)
    writeFileSync(join(folder, `${name}.json`), `${JSON.stringify(begun, null, 2)}\n`)
    worlds.removeWorld(world)
  }
}

test('there are recorded releases', () => {
  for (const moment of Object.keys(MOMENTS)) assert.ok(RECORDED.includes(join('begun-0.1', `${moment}.json`)), moment)
})

for (const name of RECORDED) {
  test(`${name} is finished`, async () => {
    const begun = JSON.parse(readFileSync(join(FIXTURES, name), 'utf8')) as Begun
    const world = restoreBegun(begun, fresh)
    const out = worlds.published(world)
    assert.deepEqual(look(world).problems, [])

    const { code, output } = await runs.warm(world, { now: NOW + 86_400_000 })
    assert.equal(code, 0, output)
    worlds.assertRowsAreWhole(world)
    await worlds.assertNothingRuns(world)
    assert.deepEqual(look(world).problems, [])
    const args = ['verify', 'v1.0.0', '--from', world.bucket, '--key', PUBLIC_KEY]
    const verified = await runs.warm(world, { args, now: NOW + 86_400_000 })
    assert.equal(verified.code, 0, verified.output)

    // What was out keeps its bytes, and what was written down of the rest holds; lists are always today's.
    const now = worlds.published(world)
    for (const [path, sha256] of Object.entries(out)) {
      if (/^bucket\/_releases\/v1\.0\.0\/|^images\/blobs\//.test(path)) assert.equal(now[path], sha256, path)
    }
    for (const operation of begun.rows['operations'] ?? []) {
      const key = `bucket/${operation['destination'] as string}`
      if (operation['entry'] !== 'lists' && key in now) assert.equal(now[key], operation['sha256'], key)
    }
    const text = readFileSync(join(world.bucket, KEYS.document('v1.0.0')), 'utf8')
    const document = BuiltDocument.parse(JSON.parse(text))
    assert.equal(document.plan, begun.rows['builds']?.at(-1)?.['plan_id'])
    const [publication] = begun.rows['publications'] ?? []
    if (publication !== undefined) assert.equal(Date.parse(document.publishedAt), publication['published_at'])
    // A step that had succeeded is not run again.
    const done = (begun.rows['steps'] ?? [])
      .filter((row) => row['state'] === 'succeeded')
      .map((row) => row['id'] as string)
    const again = worlds.stepLines(world).filter((line) => line.startsWith('begin '))
    assert.equal(again.length, (begun.rows['steps'] ?? []).length - done.length, again.join(', '))
    worlds.removeWorld(world)
  })
}

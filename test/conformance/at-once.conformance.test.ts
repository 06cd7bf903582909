// Two commands at once on a real S3 server and a real registry, each from a machine of its own: one waits for the other or is told that it is busy, and both effects are there in the end.
import assert from 'node:assert/strict'
import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { after, before, test } from 'node:test'
import { EXIT } from '../../src/errors.ts'
import { KEYS } from '../../src/plan/keys.ts'
import { parseSiteIndex } from '../../src/release/lists/site-index.ts'
import { PUBLIC_KEY } from '../world/toy.ts'
import { type Kept, Killing } from './killing.ts'
import { distribution } from './peers/distribution.ts'
import { versitygw } from './peers/versitygw.ts'

const DAY = 86_400_000
const NOW = Date.now()
const X86 = 'x86_64-unknown-linux-musl'
const OLD = ['v0.7.0', 'v0.8.0', 'v0.9.0']

const s3Program = versitygw()
const registryProgram = distribution()
const skip = 'absent' in s3Program ? s3Program.absent : 'absent' in registryProgram ? registryProgram.absent : false

let on: Killing
/** v1.0.0 is published, v1.0.1 is tagged, and older binaries lie there. */
let filled: Kept
/** v1.0.0 and v1.0.1 are published, v1.0.0 is off the lists, v1.0.2 is tagged. */
let retired: Kept

before(async () => {
  if ('absent' in s3Program || 'absent' in registryProgram) return
  on = await Killing.open(s3Program.program, registryProgram.program)
  await on.done({ args: ['release', 'v1.0.0'], now: NOW })
  appendFileSync(join(on.world.project, 'pitlane.yaml'), 'retention: { stable: { keep: 1 } }\n')
  on.world.commit('Keep one')
  on.world.git('tag', 'v1.0.1')
  const begun = on.keep()
  for (const version of OLD) {
    const file = join(on.s3.folder('releases'), KEYS.binary(version, X86, 'toy'))
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, `toy ${version}`)
  }
  filled = on.keep()
  on.restore(begun)
  await on.done({ args: ['release', 'v1.0.1'], now: NOW })
  await on.done({ args: ['retention', 'apply'], now: NOW + DAY })
  on.world.git('tag', 'v1.0.2')
  retired = on.keep()
})

after(async () => {
  if (skip === false) await on.stop()
})

/** Runs both at the same time, the second one from a clone; readers look meanwhile. */
async function both(from: Kept, one: readonly string[], other: readonly string[], now: number) {
  on.restore(from)
  const clone = on.elsewhere()
  const over = new AbortController()
  const holes: string[] = []
  const looking = (async () => {
    // One look takes a moment, in which what it has seen named may have gone: a hole is there at the next one, too.
    for (let last: readonly string[] = []; !over.signal.aborted; ) {
      const seen = await on.holes()
      holes.push(...seen.filter((hole) => last.includes(hole)))
      last = seen
    }
  })()
  const outcomes = await Promise.all([
    on.run({ args: one, now }),
    on.run({ args: other, now }, { project: clone.project }),
  ]).finally(() => over.abort())
  await looking
  clone.remove()
  for (const { code, output } of outcomes) assert.equal(code, 0, output)
  return { outputs: outcomes.map(({ output }) => output), holes }
}

function versions(): readonly string[] {
  const file = join(on.s3.folder('releases'), KEYS.index)
  return parseSiteIndex(readFileSync(file), KEYS.index)
    .releases.map(({ version }) => version)
    .toSorted()
}

async function assertWhole(now: number, named: readonly string[]): Promise<void> {
  assert.deepEqual(versions(), named)
  assert.deepEqual(await on.holes(), [])
  const { code, output } = await on.run({ args: ['audit', '--digest'], now })
  assert.deepEqual([code, output], [0, ''])
  for (const version of named.filter((name) => !OLD.includes(name)))
    await on.done({ args: ['verify', version, '--from', on.web.url, '--key', PUBLIC_KEY], now })
}

const SLOW = { skip, timeout: 300_000 }
const ADOPT = ['adopt', '--yes', '--digest']

test('two that adopt', SLOW, async () => {
  const { outputs, holes } = await both(filled, ADOPT, ADOPT, NOW + DAY)
  assert.equal(outputs.join('\n').match(/^adopted  v/gm)?.length, OLD.length)
  assert.deepEqual(holes, [])
  await assertWhole(NOW + DAY, [...OLD, 'v1.0.0'])
})

test('one that adopts, and one that releases', SLOW, async () => {
  const { holes } = await both(filled, ADOPT, ['release', 'v1.0.1'], NOW + DAY)
  assert.deepEqual(holes, [])
  await assertWhole(NOW + DAY, [...OLD, 'v1.0.0', 'v1.0.1'])
})

test('one that removes what is retired, and one that releases another version', SLOW, async () => {
  const now = NOW + 9 * DAY
  const { holes } = await both(retired, ['retention', 'apply'], ['release', 'v1.0.2'], now)
  assert.deepEqual(holes, [])
  // Whichever came first: the next one finds the rest.
  await on.done({ args: ['retention', 'apply'], now })
  await assertWhole(now, ['v1.0.2'])
  assert.equal(Object.keys(await on.published()).filter((name) => name.includes('v1.0.0')).length, 0)
})

test('who must not wait is told who is busy, and has changed nothing', SLOW, async () => {
  on.restore(filled)
  // As if it still were at it: on another machine nobody can know that it is dead.
  const pick = (_: number, asked: string) => /^PUT .*release\.json$/.test(asked)
  const dead = await on.run({ args: ADOPT, now: NOW + DAY }, { kill: { request: { pick, when: 'after' } } })
  assert.equal(dead.signal, 'SIGKILL', dead.output)
  const there = await on.published()
  const clone = on.elsewhere()
  for (const args of [ADOPT, ['retention', 'apply'], ['release', 'v1.0.1']]) {
    const { code, output } = await on.run({ args: [...args, '--no-wait'], now: NOW + DAY }, { project: clone.project })
    assert.equal(code, EXIT.busy, output)
    assert.match(output, /BUSY: process \d+ on \S+ is publishing into s3:/)
    assert.deepEqual(await on.published(), there)
  }
  clone.remove()
  await on.done({ args: ADOPT, now: NOW + DAY })
  await assertWhole(NOW + DAY, [...OLD, 'v1.0.0'])
})

// A store that answers listings as they were a while ago: nothing that a pointer, a list or a pin names is removed, and what is signed stays signed.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { after, before, test } from 'node:test'
import { KEYS } from '../../src/plan/keys.ts'
import { PUBLIC_KEY } from '../world/toy.ts'
import { type Kept, Killing } from './killing.ts'
import { distribution, type RegistryServer, startDistribution } from './peers/distribution.ts'
import { type FolderS3Server, startVersitygw, versitygw } from './peers/versitygw.ts'

const DAY = 86_400_000
const NOW = Date.now()
const LISTING = /[?&]list-type=2|\/tags\/list/
/** Those of what is retired are newer. */
const NOT_MARKS = /^(?!.*_retired)/

const s3Program = versitygw()
const registryProgram = distribution()
const skip = 'absent' in s3Program ? s3Program.absent : 'absent' in registryProgram ? registryProgram.absent : false

let on: Killing
/** The same servers, as they were. */
let oldS3: FolderS3Server
let oldRegistry: RegistryServer
/** Which listings are answered by them. */
let stale: RegExp | null = null
const fronts: ReturnType<typeof createServer>[] = []
/** v1.0.0; then v1.0.1 beside it, of which one is to be kept; then without v1.0.0 in the lists. */
let [first, both, retired]: Kept[] = []

async function inFront(peer: string): Promise<string> {
  const isS3 = fronts.length === 0
  const server = createServer((asked, answer) => {
    const url = asked.url ?? ''
    const isOld = stale !== null && LISTING.test(url) && stale.test(url)
    const to = isOld ? (isS3 ? oldS3.url : oldRegistry.url) : peer
    const onward = request(new URL(url, to), { method: asked.method, headers: asked.headers, agent: false }, (got) =>
      got.pipe(answer.writeHead(got.statusCode ?? 502, got.headers)),
    )
    onward.on('error', () => asked.destroy())
    asked.pipe(onward)
  })
  fronts.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

before(async () => {
  if ('absent' in s3Program || 'absent' in registryProgram) return
  on = await Killing.open(s3Program.program, registryProgram.program, inFront)
  oldS3 = await startVersitygw(s3Program.program)
  oldRegistry = await startDistribution(registryProgram.program)
  await oldS3.makeBucket('releases')
  // A tag that moves on would name the image of the newest release in every listing.
  const file = join(on.world.project, 'pitlane.yaml')
  writeFileSync(file, readFileSync(file, 'utf8').replace(/^ *floating: .*\n/m, ''))
  on.world.commit('No floating tags')
  on.world.git('tag', '--force', 'v1.0.0')
  await on.done({ args: ['release', 'v1.0.0'], now: NOW })
  first = on.keep()
  configure('retention: { stable: { keep: 1 } }')
  on.world.git('tag', 'v1.0.1')
  await on.done({ args: ['release', 'v1.0.1'], now: NOW })
  both = on.keep()
  await apply(DAY)
  retired = on.keep()
})

after(async () => {
  if (skip !== false) return
  for (const server of fronts) {
    server.closeAllConnections()
    server.close()
  }
  await on.stop()
  await oldS3.stop()
  await oldRegistry.stop()
})

function configure(retention: string): void {
  const file = join(on.world.project, 'pitlane.yaml')
  writeFileSync(file, `${readFileSync(file, 'utf8').replace(/^retention: .*\n/m, '')}${retention}\n`)
  on.world.commit('Keep less')
}

const apply = (later: number) => on.run({ args: ['retention', 'apply'], now: NOW + later })

/** Listings that match are from then on as they were when that was kept. */
function listAs(kept: Kept | undefined, which = LISTING): void {
  for (const [name, to] of [
    ['bucket', oldS3.folder('releases')],
    ['registry', oldRegistry.data],
  ] as const) {
    rmSync(to, { recursive: true, force: true })
    const from = join(kept?.folder ?? '', name)
    assert.equal(spawnSync('cp', ['-a', from, to]).status, 0)
  }
  stale = which
}

function restore(kept: Kept | undefined): void {
  stale = null
  assert.ok(kept)
  on.restore(kept)
}

async function assertWhole(now: number): Promise<void> {
  stale = null
  assert.deepEqual(await on.holes(), [])
  await on.done({ args: ['pages', 'rebuild'], now: NOW + now })
  const audited = await on.run({ args: ['audit'], now: NOW + now })
  assert.deepEqual([audited.code, audited.output], [0, ''])
}

const there = (version: string) => existsSync(join(on.s3.folder('releases'), KEYS.document(version)))
const SLOW = { skip, timeout: 300_000 }

test('the newest release is not in the listing', SLOW, async () => {
  for (const [later, from, which] of [
    [DAY, both, LISTING],
    [9 * DAY, retired, LISTING],
    [9 * DAY, retired, NOT_MARKS],
  ] as const) {
    restore(from)
    listAs(first, which)
    const { output } = await apply(later)
    assert.ok(there('v1.0.1'), output)
    assert.equal(there('v1.0.0'), which !== NOT_MARKS, output)
    await assertWhole(later)
    const verify = ['verify', 'v1.0.1', '--from', on.web.url, '--key', PUBLIC_KEY]
    await on.done({ args: verify, now: NOW + later })
  }
})

test('the mark of a version that has left the lists is not in the listing', SLOW, async () => {
  for (const later of [2 * DAY, 9 * DAY]) {
    restore(retired)
    listAs(both)
    const { output } = await apply(later)
    assert.ok(there('v1.0.0') && there('v1.0.1'), output)
    stale = null
    // Its time may have begun anew, and nothing else.
    const again = await apply(later + 8 * DAY)
    assert.equal(again.code, 0, again.output)
    const last = await apply(later + 16 * DAY)
    assert.equal(last.code, 0, last.output)
    assert.ok(!there('v1.0.0'), last.output)
    await assertWhole(later + 16 * DAY)
  }
})

test('a version that is pinned in its grace time is not in the listing, and its mark is', SLOW, async () => {
  restore(retired)
  configure('retention: { stable: { keep: 1 }, pins: [v1.0.0] }')
  // As they were before there was any release.
  listAs(first, NOT_MARKS)
  rmSync(join(oldS3.folder('releases'), '_releases/v1.0.0'), { recursive: true })
  const { output } = await apply(9 * DAY)
  assert.ok(there('v1.0.0'), output)
  stale = null
  const again = await apply(9 * DAY)
  assert.equal(again.code, 0, again.output)
  await assertWhole(9 * DAY)
  const verify = ['verify', 'v1.0.0', '--from', on.web.url, '--key', PUBLIC_KEY]
  await on.done({ args: verify, now: NOW + 9 * DAY })
})

test('what was adopted a moment ago is not in the listing: its documents stay as they are', SLOW, async () => {
  restore(first)
  const key = KEYS.binary('v0.9.0', 'x86_64-unknown-linux-musl', 'toy')
  const file = join(on.s3.folder('releases'), key)
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, 'an old toy')
  const filled = on.keep()
  const ofOld = async () => Object.entries(await on.published()).filter(([name]) => name.includes('v0.9.0'))
  // With lists that name it, and without.
  for (const isListed of [true, false]) {
    restore(filled)
    const adopt = { args: ['adopt', '--yes'], now: NOW + DAY }
    const pick = (_: number, asked: string) => !isListed && asked === 'PUT /releases/_releases.html'
    const { code, signal, output } = await on.run(adopt, { kill: { request: { pick, when: 'before' } } })
    assert.deepEqual([code, signal], isListed ? [0, null] : [null, 'SIGKILL'], output)
    const adopted = await ofOld()
    assert.ok(adopted.length > 1)
    listAs(filled)
    await on.dropLeases()
    const clone = on.elsewhere()
    const again = await on.run({ ...adopt, now: NOW + 2 * DAY }, { project: clone.project })
    clone.remove()
    assert.match(again.output, /nothing to adopt/)
    assert.deepEqual(await ofOld(), adopted, again.output)
    await assertWhole(2 * DAY)
  }
})

import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { systemClock } from '../../clock.ts'
import type { LeaseRequest } from '../types.ts'
import { folderBucket } from './bucket.ts'

function request(changes: Partial<LeaseRequest> = {}): LeaseRequest {
  return {
    wait: 0,
    onWait: () => {},
    onUnsupported: (reason) => assert.fail(reason),
    signal: new AbortController().signal,
    ...changes,
  }
}

function world(t: TestContext): { root: string; folder: string } {
  const root = mkdtempSync(join(tmpdir(), 'pitlane-lease-'))
  t.after(() => rmSync(root, { recursive: true, force: true }))
  return { root, folder: join(root, 'bucket') }
}

/** Another process that has taken the bucket, and keeps it. */
async function holder(t: TestContext, folder: string): Promise<ChildProcess> {
  const here = (path: string) => JSON.stringify(new URL(path, import.meta.url).href)
  const script = `
    const { folderBucket } = await import(${here('./bucket.ts')})
    const { systemClock } = await import(${here('../../clock.ts')})
    const bucket = folderBucket(${JSON.stringify(folder)}, systemClock)
    await bucket.lease({ wait: 0, onWait() {}, onUnsupported() {}, signal: new AbortController().signal })
    console.log('held'); setInterval(() => {}, 1000)`
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] })
  t.after(() => child.kill('SIGKILL'))
  await new Promise((resolve) => child.stdout.once('data', resolve))
  return child
}

test('a lease is nothing that readers see, and is taken under every name of the folder', async (t) => {
  const { root, folder } = world(t)
  const lease = await folderBucket(folder, systemClock).lease(request())
  assert.deepEqual(readdirSync(folder), [])
  symlinkSync(folder, join(root, 'link'))
  await assert.rejects(folderBucket(join(root, 'link'), systemClock).lease(request()), { code: 'BUSY' })
  await lease.release()
  assert.deepEqual(readdirSync(root).sort(), ['bucket', 'link'])
})

test('the one who waits is told who has it, and a killed one has it no longer', async (t) => {
  const { folder } = world(t)
  const child = await holder(t, folder)
  const bucket = folderBucket(folder, systemClock)
  await assert.rejects(bucket.lease(request()), {
    code: 'BUSY',
    message: new RegExp(`^process ${child.pid} \\(.*node.*\\) is publishing into ${folder}$`),
  })
  let told = 0
  let looks = 0
  // Its time is over at the third look.
  const slow = folderBucket(folder, { ...systemClock, monotonic: () => (looks += 1) })
  await assert.rejects(slow.lease(request({ wait: 3, onWait: () => (told += 1) })), { code: 'BUSY' })
  assert.equal(told, 1)
  const given = bucket.lease(request({ wait: 60_000, onWait: () => child.kill('SIGKILL') }))
  await (await given).release()
})

test('a folder that was put in the place of the locked one is another one', async (t) => {
  const { folder } = world(t)
  const bucket = folderBucket(folder, systemClock)
  const first = await bucket.lease(request())
  rmSync(folder, { recursive: true })
  mkdirSync(folder)
  const second = await bucket.lease(request())
  await assert.rejects(bucket.lease(request()), { code: 'BUSY' })
  await first.release()
  await second.release()
})

test('a folder that is replaced right before it is locked is not what is held', async (t) => {
  const { root, folder } = world(t)
  const path = process.env['PATH'] ?? ''
  t.after(() => {
    process.env['PATH'] = path
  })
  const moved = join(root, 'moved')
  const script = `#!/bin/sh\n[ -e '${moved}' ] || { mv '${folder}' '${moved}' && mkdir '${folder}'; }\nPATH='${path}' exec flock "$@"\n`
  mkdirSync(join(root, 'bin'))
  writeFileSync(join(root, 'bin', 'flock'), script, { mode: 0o755 })
  process.env['PATH'] = `${join(root, 'bin')}:${path}`
  const bucket = folderBucket(folder, systemClock)
  const lease = await bucket.lease(request({ wait: 10_000 }))
  assert.ok(existsSync(moved))
  await assert.rejects(bucket.lease(request()), { code: 'BUSY' })
  await lease.release()
})

test('without the program that locks, the reason is told and nothing is held', async (t) => {
  const { folder } = world(t)
  const path = process.env['PATH']
  t.after(() => {
    process.env['PATH'] = path
  })
  process.env['PATH'] = join(folder, 'nothing')
  const told: string[] = []
  const lease = await folderBucket(folder, systemClock).lease(request({ onUnsupported: (reason) => told.push(reason) }))
  assert.deepEqual(told, [`${folder} can't be locked: the program flock is missing`])
  await lease.release()
  assert.ok(existsSync(folder))
})

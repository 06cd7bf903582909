import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, rmdirSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { systemClock } from '../clock.ts'
import { acquireLock, type LockRequest } from './lock.ts'

function request(folder: string, changes: Partial<LockRequest> = {}): LockRequest {
  return {
    folder,
    command: 'pitlane release v1',
    pid: process.pid,
    wait: 0,
    clock: systemClock,
    onWait: () => {},
    signal: new AbortController().signal,
    ...changes,
  }
}

function temporaryFolder(t: { after(fn: () => void): void }): string {
  const folder = mkdtempSync(join(tmpdir(), 'pitlane-lock-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

test('a second one learns who holds the lock, and gets it when it is released', async (t) => {
  const folder = temporaryFolder(t)
  const first = await acquireLock(request(folder))
  await assert.rejects(acquireLock(request(folder)), (error: Error) => {
    assert.match(error.message, new RegExp(`pitlane release v1.*process ${process.pid}`))
    return true
  })
  let waitedFor = ''
  const second = acquireLock(request(folder, { wait: 5000, onWait: (holder) => (waitedFor = holder) }))
  await systemClock.sleep(150)
  first.release()
  ;(await second).release()
  assert.match(waitedFor, /pitlane release v1/)
})

test('the lock of a killed process is free', async (t) => {
  const folder = temporaryFolder(t)
  const script = `
    const { acquireLock } = await import(${JSON.stringify(new URL('./lock.ts', import.meta.url).href)})
    const { systemClock } = await import(${JSON.stringify(new URL('../clock.ts', import.meta.url).href)})
    await acquireLock({ folder: ${JSON.stringify(folder)}, command: 'x', pid: process.pid, wait: 0, clock: systemClock, onWait() {}, signal: new AbortController().signal })
    console.log('held'); setInterval(() => {}, 1000)`
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] })
  await new Promise((resolve) => child.stdout.once('data', resolve))
  await assert.rejects(acquireLock(request(folder)), { code: 'BUSY' })
  child.kill('SIGKILL')
  await new Promise((resolve) => child.once('close', resolve))
  ;(await acquireLock(request(folder))).release()
})

test('where its holder cannot be written down, the lock is let go of', async (t) => {
  const folder = temporaryFolder(t)
  const holder = join(folder, 'lock.holder')
  mkdirSync(holder)
  await assert.rejects(acquireLock(request(folder)), { code: 'STORAGE_FAILED' })
  rmdirSync(holder)
  ;(await acquireLock(request(folder))).release()
})

test('a holder that nobody can read is another process', async (t) => {
  const folder = temporaryFolder(t)
  const lock = await acquireLock(request(folder))
  for (const text of ['', 'null', '{"command":"x"}', '{"command":"x","pid":"1","since":"today"}']) {
    writeFileSync(join(folder, 'lock.holder'), text)
    await assert.rejects(acquireLock(request(folder)), { code: 'BUSY', message: /^another process is working/ }, text)
  }
  lock.release()
})

test('a pipe in the place of the holder holds nobody up', async (t) => {
  const folder = temporaryFolder(t)
  assert.equal(spawnSync('mkfifo', [join(folder, 'lock.holder')]).status, 0)
  await assert.rejects(acquireLock(request(folder)), {
    code: 'STORAGE_FAILED',
    message: /lock\.holder.*ENXIO/,
    hint: /A pipe or device stands/,
  })
})

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { test } from 'node:test'
import { isRunning, parseLaneRecord, parseStat, processStatus } from './liveness.ts'

test('a lane record is whole or nothing', () => {
  const boot = '2a2b9f5e-8a0c-4a5b-9c1d-0123456789ab'
  const record = { pid: 12, start: '345', boot, isolation: 'process-group' }
  assert.deepEqual(parseLaneRecord(`12 345 ${boot} process-group\n`), record)
  assert.deepEqual(parseLaneRecord(`12 345 ${boot} pid-namespace\n`), { ...record, isolation: 'pid-namespace' })
  for (const torn of [
    '',
    '12',
    `12 345 ${boot} process-group`,
    `12 345 ${boot} other\n`,
    `-1 345 ${boot} process-group\n`,
  ]) {
    assert.equal(parseLaneRecord(torn), undefined, JSON.stringify(torn))
  }
})

test('a process name with spaces and parentheses does not shift the fields', () => {
  const rest = 'S 7 8 9 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 98765 11 12'
  const expected = { pid: 42, parent: 7, session: 9, start: '98765', dead: false }
  assert.deepEqual(parseStat(42, `42 (sh) ${rest}\n`), expected)
  assert.deepEqual(parseStat(42, `42 (a) Z 1 (b) ${rest}\n`), expected)
  assert.equal(parseStat(42, `42 (sh) Z${rest.slice(1)}\n`)?.dead, true)
  assert.equal(parseStat(42, '42 (sh) S 7'), undefined)
})

test('a process runs until it ended, and never under another start time', async () => {
  const child = spawn('sleep', ['60'], { stdio: 'ignore' })
  await once(child, 'spawn')
  const status = processStatus(child.pid ?? 0)
  assert.ok(status !== undefined && isRunning(status))
  assert.equal(status.parent, process.pid)
  assert.ok(!isRunning({ pid: status.pid, start: `${status.start}0` }))
  child.kill('SIGKILL')
  await once(child, 'exit')
  assert.ok(!isRunning(status))
})

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { laneFolder, readFate, writeEnd } from './step-files.ts'

function step(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), 'pitlane-step-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const attempt = { attemptId: 'a', folder }
  const lane = laneFolder(attempt, 'l')
  mkdirSync(lane, { recursive: true })
  return { ref: { attempt, index: 3 }, ended: join(lane, 'ended') }
}

test('an end that is written for a lane counts, also behind a line that a full disk has torn', (t) => {
  const { ref, ended } = step(t)
  writeFileSync(ended, '2 0\n3 1')
  writeEnd(ref, 'l', 137)
  assert.deepEqual(readFate(ref), { code: 137 })
  assert.equal(readFileSync(ended, 'utf8'), '2 0\n3 1 torn\n3 137\n')
})

test('a pipe that a step has put in the place of the ends holds nobody up', (t) => {
  const { ref, ended } = step(t)
  assert.equal(spawnSync('mkfifo', [ended]).status, 0)
  assert.throws(() => writeEnd(ref, 'l', 137), { code: 'ENXIO' })
})

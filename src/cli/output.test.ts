import assert from 'node:assert/strict'
import { test } from 'node:test'
import { textReport } from './output.ts'

test('what others wrote reaches a terminal without control characters, and keeps its lines', () => {
  let written = ''
  const stdout = { write: (text: string) => (written += text) }
  const report = textReport({ stdout, stderr: stdout })
  report({ event: 'note', message: 'index.json is not JSON: \u001b]0;title\u0007\u009b31m\u202e\ntwo' })
  report({ event: 'waiting', state: 'started', on: 'command', for: 'process 1 (\u001b[2Jrm) to end', duration: null })
  assert.equal(written, 'index.json is not JSON: ]0;title31m\ntwo\nwaiting for process 1 (rm) to end\n')
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { nameInLine, textReport } from './output.ts'

test('what others wrote reaches a terminal without control characters, and keeps its lines', () => {
  let written = ''
  const stdout = { write: (text: string) => (written += text) }
  const report = textReport({ stdout, stderr: stdout })
  report({ event: 'note', message: 'index.json is not JSON: \u001b]0;title\u0007\u009b31m\u202e\ntwo' })
  report({ event: 'waiting', state: 'started', on: 'command', for: 'process 1 (\u001b[2Jrm) to end', duration: null })
  assert.equal(written, 'index.json is not JSON: ]0;title31m\ntwo\nwaiting for process 1 (rm) to end\n')
})

test('a name is one word of a line, and looks like no other', () => {
  for (const plain of ['_releases/v1.0.0/é', 'example/toy:v1', 'a b']) assert.equal(nameInLine(plain), plain)
  assert.deepEqual(['v1\nbucket  v2', '\u202ev1', 'v1 ', 'v1\u200b'].map(nameInLine), [
    String.raw`"v1\nbucket  v2"`,
    String.raw`"\u{202e}v1"`,
    '"v1 "',
    String.raw`"v1\u{200b}"`,
  ])
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { substitute } from './substitute.ts'

const values = { TARGET: 'x86_64-unknown-linux-musl', ARCH: 'amd64', VERSION: 'v1$ARCH' }

test('variables are replaced once', () => {
  assert.deepEqual(substitute('a/$TARGET/${ARCH}x/$$ARCH', values), {
    kind: 'text',
    text: 'a/x86_64-unknown-linux-musl/amd64x/$ARCH',
  })
  assert.deepEqual(substitute('$VERSION', values), { kind: 'text', text: 'v1$ARCH' })
})

test('an unknown variable names the nearest one', () => {
  const rows: readonly (readonly [string, string])[] = [
    ['out/$TARGT/x', 'there is no variable "$TARGT": did you mean "TARGET"?'],
    ['out/${arhc}', 'there is no variable "${arhc}": did you mean "ARCH"?'],
    ['$HOMEDIRECTORY', 'there is no variable "$HOMEDIRECTORY": known: TARGET, ARCH, VERSION'],
    ['$ARCHx', 'there is no variable "$ARCHx": did you mean "ARCH"?'],
    ['${constructor}', 'there is no variable "${constructor}": known: TARGET, ARCH, VERSION'],
    ['${ARCH', '"$" is followed by no name (a plain "$" is written "$$")'],
    ['a$', '"$" is followed by no name (a plain "$" is written "$$")'],
  ]
  for (const [text, problem] of rows) assert.deepEqual(substitute(text, values), { kind: 'unknown', problem })
})

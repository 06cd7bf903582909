import assert from 'node:assert/strict'
import { mkdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { ERRORS, EXIT, exitCodeOf, PitlaneError, presentable, type ErrorCode } from './errors.ts'

const page = readFileSync(new URL('../docs/errors.md', import.meta.url), 'utf8')

test('docs/errors.md documents every error, and no other', () => {
  const documented = [...page.matchAll(/^\| `([A-Z_]+)` \|/gm)].map((match) => String(match[1]))
  assert.deepEqual(documented.toSorted(), Object.keys(ERRORS).toSorted())
})

test('each error stands under the exit code that it ends with', () => {
  const sections = page.split(/^## /m).slice(1)
  for (const code of Object.keys(ERRORS) as ErrorCode[]) {
    const section = sections.find((text) => text.includes(`\`${code}\` |`))
    const heading = section?.split('\n', 1)[0] ?? ''
    const exit = exitCodeOf(new PitlaneError(code, 'x'))
    assert.ok(heading.match(/\d+/g)?.includes(String(exit)), `${code} ends with ${exit}, and stands under "${heading}"`)
  }
})

test('docs/errors.md lists every exit code', () => {
  const listed = [...page.matchAll(/^\| (\d+) \|/gm)].map((match) => Number(match[1]))
  assert.deepEqual(
    listed,
    Object.values(EXIT).toSorted((a, b) => a - b),
  )
})

test('what is no PitlaneError is a defect', () => {
  assert.equal(exitCodeOf(new Error('x')), EXIT.internal)
})

test('what the machine refuses is told with its path and what to do, and is no defect', () => {
  assert.throws(
    () => mkdirSync('/proc/self/status/x'),
    (thrown: unknown) => {
      const error = presentable(thrown)
      assert.ok(error instanceof PitlaneError)
      assert.equal(error.code, 'STORAGE_FAILED')
      assert.match(error.message, /ENOTDIR.*\/proc\/self\/status\/x/)
      assert.match(error.hint ?? '', /A file stands where a folder has to be/)
      return true
    },
  )
  const defect = new TypeError('x')
  assert.equal(presentable(defect), defect)
  const known = new PitlaneError('BUSY', 'x')
  assert.equal(presentable(known), known)
})

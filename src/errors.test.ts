import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { ERRORS, EXIT, exitCodeOf, PitlaneError, type ErrorCode } from './errors.ts'

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

import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { ADVICE, ERRORS, PitlaneError } from './errors.ts'

const SOURCES = import.meta.dirname

test('wherever an error is made, it says what to do: by its own hint, or by the advice for its code', () => {
  const without = readdirSync(SOURCES, { recursive: true, encoding: 'utf8' })
    .filter((path) => /\.tsx?$/.test(path) && !path.includes('.test.'))
    .flatMap((path) => made(readFileSync(join(SOURCES, path), 'utf8')).map((call) => ({ path, ...call })))
    .filter(({ code, options }) => !(options.includes('hint') || (code !== null && code in ADVICE)))
    .map(({ path, line }) => `src/${path}:${line}`)
  assert.deepEqual(without, [], 'give these a hint: what can a person do about it?')
})

test('advice is a sentence, and a hint of its own comes first', () => {
  for (const [code, words] of Object.entries(ADVICE)) {
    assert.ok(code in ERRORS)
    assert.match(words, /^[A-Z].{20,}\.$/)
  }
  assert.equal(new PitlaneError('FENCED', 'x').hint, ADVICE.FENCED)
  assert.equal(new PitlaneError('FENCED', 'x', { hint: 'Own.' }).hint, 'Own.')
})

test('what to do about a full disk and the like is said in one place', () => {
  const elsewhere = readdirSync(SOURCES, { recursive: true, encoding: 'utf8' })
    .filter((path) => /\.tsx?$/.test(path) && !path.includes('.test.') && path !== 'errors.ts')
    .filter((path) => /ENOSPC|EDQUOT/.test(readFileSync(join(SOURCES, path), 'utf8')))
  assert.deepEqual(elsewhere, [], 'take the words of `machineHint` or `storageFailed`')
})

/** Every `new PitlaneError(…)` of a file, with its code where that is written there. */
function made(text: string): { line: number; code: string | null; options: string }[] {
  return [...text.matchAll(/new PitlaneError\(/g)].map((match) => {
    const rest = text.slice(match.index + match[0].length)
    const options = rest.slice(0, closing(rest))
    return {
      line: text.slice(0, match.index).split('\n').length,
      code: /^\s*'([A-Z_]+)'/.exec(options)?.[1] ?? null,
      options,
    }
  })
}

/** Where the parenthesis closes that was opened before the text. Those within texts come in pairs. */
function closing(text: string): number {
  let depth = 1
  for (let at = 0; at < text.length; at += 1) {
    if (text[at] === '(') depth += 1
    if (text[at] === ')') depth -= 1
    if (depth === 0) return at
  }
  return text.length
}

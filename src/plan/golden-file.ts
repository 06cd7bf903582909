/** For tests: computed text that a reviewer reads as a checked-in file. `UPDATE_GOLDEN=1` writes the files instead of comparing. */
import assert from 'node:assert/strict'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'

/** Compares the text with the file at `url`; its difference in review is the difference in behaviour. */
export function assertGolden(url: URL, text: string): void {
  if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(url, text)
  assert.ok(existsSync(url), `${url.pathname} is missing: run the test with UPDATE_GOLDEN=1 and review it`)
  assert.equal(
    text,
    readFileSync(url, 'utf8'),
    `${url.pathname} differs: run the test with UPDATE_GOLDEN=1 and review it`,
  )
}

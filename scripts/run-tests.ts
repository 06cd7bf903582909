/** Runs test files with node:test, then says what was skipped, what failed, and how many of each, in one plain line. */
import { appendFileSync } from 'node:fs'
import { relative } from 'node:path'
import { run } from 'node:test'
import { spec } from 'node:test/reporters'
import { finished } from 'node:stream/promises'

export interface Counts {
  readonly passed: number
  readonly failed: number
  readonly skipped: number
}

export interface RunOptions {
  /** Milliseconds for each test. */
  readonly timeout: number
  /** Files at once. */
  readonly concurrency: number
}

/**
 * A test counts once, whatever its subtests do; a suite counts only when it was skipped as a whole, because its tests are then never seen.
 * Every file runs in a process of its own. When the variable `TEST_COUNTS` names a file, the counts are appended to it as a line, too.
 */
export async function runTests(files: readonly string[], { timeout, concurrency }: RunOptions): Promise<Counts> {
  const failures: string[] = []
  const skips: string[] = []
  let passed = 0
  let path: string[] = []
  const named = (data: { readonly name: string; readonly nesting: number; readonly file?: string | undefined }) => {
    const file = data.file === undefined ? [] : [relative(process.cwd(), data.file)]
    return [...new Set([...file, ...path.slice(0, data.nesting), data.name])].join(' > ')
  }

  const events = run({
    files: [...files],
    timeout,
    concurrency,
    execArgv: ['--disable-warning=ExperimentalWarning', '--import', './scripts/jsx.ts'],
  })
  events.on('test:start', ({ name, nesting }) => {
    path = [...path.slice(0, nesting), name]
  })
  events.on('test:pass', (data) => {
    const left = data.skip ?? data.todo
    if (left !== undefined && left !== false) {
      skips.push(`${named(data)}: ${typeof left === 'string' && left !== '' ? left : 'no reason given'}`)
    } else if (data.nesting === 0 && files.includes(data.name)) {
      // node:test takes a file in which no test ran for a test that passed.
      failures.push(`${data.name}: ended before any test ran`)
    } else if (data.details.type !== 'suite') passed += 1
  })
  events.on('test:fail', (data) => {
    // A suite fails by its tests, which are counted; only its own hooks can fail without one.
    const { error, type } = data.details
    const byTests = (error as { readonly failureType?: unknown }).failureType === 'subtestsFailed'
    if (type === 'suite' && byTests) return
    failures.push(named(data))
  })
  const output = events.compose(spec)
  output.pipe(process.stdout, { end: false })
  await finished(output)

  const counts = { passed, failed: failures.length, skipped: skips.length }
  if (skips.length > 0) console.log(`\nskipped:\n  ${skips.join('\n  ')}`)
  if (failures.length > 0) console.log(`\nfailed:\n  ${failures.join('\n  ')}`)
  console.log(`\n${inWords(counts)}`)
  const record = process.env['TEST_COUNTS']
  if (record) appendFileSync(record, `${counts.passed} ${counts.failed} ${counts.skipped}\n`)
  return counts
}

function inWords({ passed, failed, skipped }: Counts): string {
  return `${passed} passed, ${failed} failed, ${skipped} skipped`
}

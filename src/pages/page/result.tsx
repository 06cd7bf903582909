import type { ReleaseTest } from '../../release/document.ts'
import { plainLine } from '../text.ts'

const WORDS = {
  native: { mark: '✓', tone: 'good', words: 'passed natively' },
  qemu: { mark: '✓', tone: 'good', words: 'passed under qemu' },
  idle: { mark: '–', tone: 'open', words: 'binary not run' },
  unknown: { mark: '✓', tone: 'good', words: 'passed' },
  'not-run': { mark: '–', tone: 'open', words: 'not run' },
  none: { mark: '–', tone: 'open', words: 'no test declared' },
} as const

/** How a binary was tested: words first, colour second. What did not run never looks like what passed. */
export function TestResult({ test }: { test: ReleaseTest | undefined }) {
  const kind = kindOf(test)
  const { mark, tone, words } = WORDS[kind]
  const reason = kind === 'idle' ? 'passed, but the test did not run the binary' : test?.reason
  return (
    <>
      <span class={`badge ${tone}`}>
        <span aria-hidden="true">{mark} </span>
        {words}
      </span>
      {reason ? (
        <span class="reason">
          <bdi>{plainLine(reason)}</bdi>
        </span>
      ) : null}
    </>
  )
}

function kindOf(test: ReleaseTest | undefined): keyof typeof WORDS {
  if (test === undefined) return 'none'
  if (test.result !== 'passed') return test.result
  return test.executed === false ? 'idle' : (test.mode ?? 'unknown')
}

/** `3 of 4`: how many of the files were run by a test that passed. */
export function testedCount(tests: readonly ReleaseTest[]): number {
  return tests.filter((test) => test.result === 'passed' && test.executed !== false).length
}

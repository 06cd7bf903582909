import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { assertGolden } from '../plan/golden-file.ts'
import { makePlan } from '../plan/make-plan.ts'
import { renderPlan, diffPlans } from './plan-text.ts'

const FIXTURES = new URL('../plan/dialects/pitlane/fixtures/', import.meta.url)
const FULL = readFileSync(new URL('full.yaml', FIXTURES), 'utf8')
const SMALL = readFileSync(new URL('small.yaml', FIXTURES), 'utf8')

const source = {
  commit: '5c11de2744bdbaac5fd67f5f5faa70ad9f1c9d12',
  tree: '0123456789abcdef0123456789abcdef01234567',
  tag: 'v1.2.0',
  commitTime: 1_749_830_817,
  subject: 'Release 1.2.0 \u001b[31m',
  tagMessage: 'Faster, and fewer surprises.',
}
const plan = (text: string, changes: Partial<typeof source> = {}) =>
  makePlan({
    source: { ...source, ...changes },
    configuration: { file: 'pitlane.yaml', text: Buffer.from(text) },
    changelog: null,
  })

test('a plan as text, for review', () => {
  for (const [name, file] of [
    ['full', FULL],
    ['small', SMALL],
  ] as const) {
    const text = renderPlan(plan(file))
    assertGolden(new URL(`golden/plan-${name}.txt`, import.meta.url), text)
    // Only the publish map shows things whole that are longer.
    for (const line of text.split('\n')) assert.ok(line.length <= 100 || line.includes(' → _releases/'), line)
    assert.doesNotMatch(text.replaceAll('\n', ''), /\p{Cc}/u)
  }
})

test('a project with checks only', () => {
  assert.match(renderPlan(plan('name: t\nchecks: [{ name: a, run: b }]\n')), /checks\n {2}a {2}≤ 1h {2}b\n\nno release/)
})

test('the difference of two plans', () => {
  const changed = FULL.replace('    - i686-unknown-linux-musl\n', '')
    .replace(', i686-unknown-linux-musl]', ']')
    .replace('timeout: 5m', 'timeout: 6m')
    .replace('bucket: public/', 'bucket: site/')
    .replace("RUST_BACKTRACE: '1' }\n    labels", "RUST_BACKTRACE: '0' }\n    labels")
  const lines = diffPlans(plan(FULL), plan(changed, { tag: 'v1.3.0', commit: 'a'.repeat(40), commitTime: 1 }))
  assertGolden(new URL('golden/plan-diff.txt', import.meta.url), `${lines.join('\n')}\n`)
})

test('another commit of the same project plans the same', () => {
  assert.deepEqual(diffPlans(plan(FULL), plan(FULL, { tag: 'v1.3.0', commit: 'a'.repeat(40), commitTime: 1 })), [])
  assert.deepEqual(diffPlans(plan(FULL), plan(`${FULL}# comment\n`, { tag: 'v1.3.0+ci_2' })), [
    '~ channel: stable → extra',
    '- publish documentation: manual/*',
    ...['', '.minisig', '.sig'].map(
      (side) => `- publish documentation/list${side}: _releases/_documentation.json${side}`,
    ),
    '- publish latest/stable: _releases/latest',
    '+ publish latest/extra: _releases/latest-extra',
  ])
})

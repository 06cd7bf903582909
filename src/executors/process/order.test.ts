import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { array, assert as check, property, string } from 'fast-check'
import { PitlaneError } from '../../errors.ts'
import { shellQuoted } from '../../words/shell-word.ts'
import { orderText } from './order.ts'

/** Any text a process can be given: no NUL, no half of a surrogate pair. */
const text = string({ unit: 'binary', maxLength: 200 }).filter((value) => !value.includes('\0') && value.isWellFormed())

test('every value, directory and text comes through a real shell as it was', () => {
  const folder = mkdtempSync(join(tmpdir(), 'pitlane-order-'))
  // Called `sh`, as where they are /bin/sh: bash under its own name reads start-up files.
  const shells = ['dash', 'bash', 'busybox'].flatMap((name) => {
    if (!existsSync(`/bin/${name}`)) return []
    mkdirSync(join(folder, name))
    symlinkSync(`/bin/${name}`, join(folder, name, 'sh'))
    return join(folder, name, 'sh')
  })
  shells.push('/bin/sh')
  // 40 values and a word of the step's text per shell: starting a shell is the slow part.
  const run = property(array(text, { minLength: 1, maxLength: 40 }), text, (values, word) => {
    const env = Object.fromEntries(values.map((value, index) => [`V${index}`, value]))
    const names = values.map((_, index) => `"$V${index}"`).join(' ')
    const { order } = orderText(
      { cwd: folder, env, run: `printf '%s\\0' "$PWD" ${shellQuoted(word)} ${names}` },
      folder,
      '',
    )
    writeFileSync(join(folder, 'order'), order)
    for (const shell of shells) {
      const output = execFileSync(shell, ['-c', '( . "$1/order" )', 'sh', folder], { env: {}, encoding: 'utf8' })
      assert.deepEqual(output.split('\0').slice(0, -1), [folder, word, ...values])
    }
  })
  check(run, { numRuns: 40 })
  rmSync(folder, { recursive: true })
})

test('a long text goes to a file, a short one does not', () => {
  const step = { cwd: '/', env: {} }
  assert.equal(orderText({ ...step, run: 'true' }, '/steps/0', '').script, undefined)
  const long = `# ${'é'.repeat(70_000)}`
  const { order, script } = orderText({ ...step, run: long }, '/steps/0', '/usr/bin/setsid')
  assert.equal(script, long)
  assert.match(order, /exec '\/usr\/bin\/setsid' \/bin\/sh -e '\/steps\/0\.script'\n$/)
})

test('what cannot be given is refused', () => {
  const fine = { cwd: '/', env: { A: '1' }, run: 'true' }
  const wrongs: (typeof fine)[] = [
    { ...fine, cwd: 'relative' },
    { ...fine, cwd: '/a\0' },
    { ...fine, run: '\0' },
    { ...fine, env: { A: '\0' } },
    ...['', '1A', 'A-B', 'A\n', 'A;id', 'é', 'A='].map((name) => ({ ...fine, env: { A: '', [name]: 'x' } })),
  ]
  orderText(fine, '/f', '')
  for (const wrong of wrongs) {
    assert.throws(
      () => orderText(wrong, '/f', ''),
      (error) => error instanceof PitlaneError && error.code === 'EXECUTOR_FAILED',
    )
  }
})

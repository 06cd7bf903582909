import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { readMark, witnessText, wrapperText } from './emulated.ts'

/** A wrapper around a shell that stands for the emulator and runs its first argument. */
function wrapped(t: TestContext, text: typeof witnessText) {
  const folder = mkdtempSync(join(tmpdir(), 'pitlane-emulated-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const [program, mark] = [join(folder, 'program'), join(folder, 'it is a mark')]
  writeFileSync(program, text({ command: ['sh', '-c'], mark }), { mode: 0o755 })
  return { program, folder, said: () => readMark(existsSync(mark) ? readFileSync(mark, 'utf8') : null) }
}

test('the wrapper is the program: arguments, input, output and exit code', (t) => {
  for (const text of [wrapperText, witnessText]) {
    const { program, said } = wrapped(t, text)
    assert.equal(said(), 'not-run')
    const script = 'cat; echo "$0 $1" >&2; exit 7'
    const ran = spawnSync(program, [script, 'a b', '*'], { input: 'given', encoding: 'utf8' })
    assert.deepEqual([ran.stdout, ran.stderr, ran.status], ['given', 'a b *\n', 7])
    assert.equal(said(), 'ran')
  }
})

test('a run that ends with an illegal instruction is none, also beside good ones', (t) => {
  const { program, said } = wrapped(t, witnessText)
  assert.equal(spawnSync(program, ['exit 0']).status, 0)
  assert.equal(spawnSync(program, ['kill -ILL $$']).status, 132)
  assert.equal(spawnSync(program, ['exit 0']).status, 0)
  assert.equal(said(), 'illegal-instruction')
})

test('signals reach the program, and it is waited for', async (t) => {
  for (const text of [wrapperText, witnessText]) {
    const { program, folder, said } = wrapped(t, text)
    const script = `trap 'sleep 0.05; : >told; exit 3' TERM; : >ready; while :; do sleep 0.01; done`
    const child = spawn(program, [script], { cwd: folder, stdio: 'ignore' })
    while (!existsSync(join(folder, 'ready'))) await delay(5)
    child.kill('SIGTERM')
    assert.deepEqual(await once(child, 'exit'), [3, null])
    assert.ok(existsSync(join(folder, 'told')))
    assert.equal(said(), 'ran')
  }
})

// Completion in shells that the scenarios don't ask for. Debian: zsh fish. (bash: the scenario `completion`.)
import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { absentPrograms, succeed } from '../world/program.ts'
import { makeWorld } from '../world/toy.ts'

const LINES = [
  { words: ['re'], proposed: ['release', 'repo', 'releases', 'retention'] },
  { words: ['release', ''], proposed: ['v1.0.0'] },
  { words: ['plan', '--diff', 'v1'], proposed: ['v1.0.0'] },
  { words: ['run', '--no'], proposed: ['--no-wait'] },
  { words: ['nothing', ''], proposed: [] },
] as const

/** How each shell is asked, in its own language, for one command line; files are shown as `files`. */
const SHELLS = {
  fish: (words: readonly string[]) => `pitlane completion fish | source; complete -C 'pitlane ${words.join(' ')}'`,
  zsh: (words: readonly string[]) =>
    [
      'compdef() { :; }; _files() { echo files; }',
      'compadd() { while [[ $1 != -- ]]; do shift; done; shift; (( $# )) && print -l -- "$@"; true; }',
      `eval "$(pitlane completion zsh)"`,
      `words=(pitlane ${words.map((word) => `'${word}'`).join(' ')}); CURRENT=$#words; _pitlane`,
    ].join('\n'),
} as const

for (const [shell, ask] of Object.entries(SHELLS)) {
  test(`${shell} proposes commands, flags, tags and files`, async (t) => {
    if (absentPrograms(shell).length > 0) return t.skip(`${shell} is not installed`)
    const world = makeWorld()
    t.after(() => world.remove())
    const bin = join(world.root, 'programs')
    mkdirSync(bin)
    const from = (path: string) => new URL(path, import.meta.url).pathname
    const [jsx, entry] = [from('../../scripts/jsx.ts'), from('../../bin/pitlane-dev.ts')]
    writeFileSync(join(bin, 'pitlane'), `#!/bin/sh\nexec '${process.execPath}' --import '${jsx}' '${entry}' "$@"\n`)
    chmodSync(join(bin, 'pitlane'), 0o755)
    const env = { ...world.env, PATH: `${bin}:${world.env['PATH']}` }
    const propose = async (words: readonly string[]) => {
      const script = ask(words)
      const options = shell === 'fish' ? ['--no-config', '-c', script] : ['-f', '-c', script]
      const text = await succeed(shell, options, { cwd: world.project, env })
      return text.split('\n').filter((line) => line !== '')
    }
    for (const { words, proposed } of LINES) assert.deepEqual(await propose(words), proposed, words.join(' '))
    const files = await propose(['verify', 'v1.0.0', '--from', 'pitlane'])
    assert.deepEqual(files, [shell === 'zsh' ? 'files' : 'pitlane.yaml'])
  })
}

// `pitlane run` of 100 checks that do nothing, as a whole process in a project that has been built before: with its checkout, its rows and its logs.
//
// - against a Node that spawns the same 100 commands one after the other, also a whole process;
// - against the same commands in a shell loop.
//
// Event to first step: from the start of `pitlane run` to the moment the first step's shell runs (it writes to a pipe), minus the
// same of a Node that does nothing but spawn that shell. What remains is Pitlane's own: its code loaded, the commit resolved and
// planned, the state opened, the checkout made, the build and the start of the step committed, the isolation found out.
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { constants, openSync } from 'node:fs'
import { Socket } from 'node:net'
import { join } from 'node:path'
import { makeWorld } from '../world/toy.ts'
import { compare, PITLANE, pitlane, wholeProcess } from './measure.ts'

const STEPS = 100
const world = makeWorld(
  ['name: steps', 'checks:', ...Array.from({ length: STEPS }, (_, at) => `  - { name: s${at}, run: ':' }`)].join('\n'),
)
const first = makeWorld(`name: first\nchecks:\n  - { name: first, run: 'echo > "$HOME/pipe"' }\n`)
const pipe = join(first.env['HOME'] ?? '', 'pipe')
if (spawnSync('mkfifo', [pipe]).status !== 0) throw new Error('mkfifo failed')
// Open for both, so that it never ends.
const listening = new Socket({ fd: openSync(pipe, constants.O_RDWR | constants.O_NONBLOCK), readable: true })

const NODE_LOOP = `
  const { spawn } = require('node:child_process')
  const { once } = require('node:events')
  ;(async () => { for (let i = 0; i < ${STEPS}; i++) await once(spawn('/bin/sh', ['-c', ':'], { stdio: 'ignore' }), 'exit') })()`
const NODE_SPAWN = `require('node:child_process').spawn('/bin/sh', ['-c', 'echo > "$HOME/pipe"'], { stdio: 'ignore' })`
const SHELL_LOOP = `i=0; while [ $i -lt ${STEPS} ]; do /bin/sh -c ':'; i=$((i+1)); done`

async function untilFirstStep(args: readonly string[]): Promise<number> {
  const since = performance.now()
  const child = spawn(process.execPath, args, { cwd: first.project, env: first.env, stdio: 'ignore' })
  const ended = once(child, 'exit')
  await once(listening, 'data')
  const took = performance.now() - since
  await ended
  return took
}

const run = (): Promise<number> => pitlane(['run'], { cwd: world.project, env: world.env })

try {
  await compare(
    [
      {
        what: `${STEPS} steps / Node spawning them`,
        ours: run,
        peer: () => wholeProcess(process.execPath, ['-e', NODE_LOOP], { env: world.env }),
        bound: 2,
      },
      {
        what: `${STEPS} steps / shell loop`,
        ours: run,
        peer: () => wholeProcess('/bin/sh', ['-c', SHELL_LOOP], { env: world.env }),
        bound: 2.5,
      },
      {
        what: 'event to first step / its spawn',
        ours: () => untilFirstStep([PITLANE, 'run']),
        peer: () => untilFirstStep(['-e', NODE_SPAWN]),
        figure: 'difference',
        bound: 50,
      },
    ],
    11,
  )
} finally {
  listening.destroy()
  world.remove()
  first.remove()
}

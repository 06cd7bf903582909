// `pitlane run` of 100 checks that do nothing, as a whole process in a project that has been built before: with its checkout, its rows and its logs.
//
// - against a Node that spawns the same 100 commands one after the other, also a whole process;
// - against the same commands in a shell loop.
//
// Event to first step, twice, each minus the same of a Node that does nothing but spawn that shell (which writes to a pipe):
// - from the line that says the event is stored as a build, as a server would have it: the stage prepared and checked out, the
//   isolation found out, a lane opened, the start of the step committed;
// - from the call of `pitlane run`: before that also its code loaded, the commit resolved and planned, the state opened.
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
const NODE_SPAWN = `require('node:fs').writeSync(1, 'now'); require('node:child_process').spawn('/bin/sh', ['-c', 'echo > "$HOME/pipe"'], { stdio: 'ignore' })`
const SHELL_LOOP = `i=0; while [ $i -lt ${STEPS} ]; do /bin/sh -c ':'; i=$((i+1)); done`

/** From the start of the process, or from the first line it prints, until its first step's shell runs. */
async function untilFirstStep(args: readonly string[], from: 'start' | 'line'): Promise<number> {
  const started = performance.now()
  const child = spawn(process.execPath, args, {
    cwd: first.project,
    env: first.env,
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  const ended = once(child, 'exit')
  const line = once(child.stdout, 'data').then(() => performance.now())
  await once(listening, 'data')
  const ran = performance.now()
  const since = from === 'start' ? started : await line
  child.stdout.resume()
  await ended
  return ran - since
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
        what: 'event stored to first step / its spawn',
        ours: () => untilFirstStep([PITLANE, 'run', '--json'], 'line'),
        peer: () => untilFirstStep(['-e', NODE_SPAWN], 'line'),
        figure: 'difference',
        bound: 50,
      },
      {
        what: 'command called to first step / its spawn',
        ours: () => untilFirstStep([PITLANE, 'run', '--json'], 'start'),
        peer: () => untilFirstStep(['-e', NODE_SPAWN], 'start'),
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

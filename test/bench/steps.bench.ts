// `pitlane run` of checks that do nothing, as whole processes in projects that have been built before: with checkouts, rows and logs,
// and a transaction between one step and the next. The peers run the same commands: a Node that spawns them one after the
// other, and a shell loop.
//
// The bounds of a step (≤ 2× of Node, ≤ 2.5× of the shell) stand at the lines "each of 100 steps": the run of 100 steps minus the run of
// one, of the peer likewise. That is what a step costs; what a start costs has bounds of its own, below. The lines "100 steps, whole
// process" say what a person waits for, start, plan and checkout included; they have no bound, and are not to be taken for the others.
//
// From the event to the first step, twice, each minus the same of a Node that does nothing but spawn that shell (which writes to a pipe):
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
const checks = (count: number) =>
  makeWorld(
    ['name: steps', 'checks:', ...Array.from({ length: count }, (_, at) => `  - { name: s${at}, run: ':' }`)].join(
      '\n',
    ),
  )
const many = checks(STEPS)
const one = checks(1)
const first = makeWorld(`name: first\nchecks:\n  - { name: first, run: 'echo > "$HOME/pipe"' }\n`)
const pipe = join(first.env['HOME'] ?? '', 'pipe')
if (spawnSync('mkfifo', [pipe]).status !== 0) throw new Error('mkfifo failed')
// Open for both, so that it never ends.
const listening = new Socket({ fd: openSync(pipe, constants.O_RDWR | constants.O_NONBLOCK), readable: true })

const nodeLoop = (count: number) => `
  const { spawn } = require('node:child_process')
  const { once } = require('node:events')
  ;(async () => { for (let i = 0; i < ${count}; i++) await once(spawn('/bin/sh', ['-c', ':'], { stdio: 'ignore' }), 'exit') })()`
const NODE_SPAWN = `require('node:fs').writeSync(1, 'now'); require('node:child_process').spawn('/bin/sh', ['-c', 'echo > "$HOME/pipe"'], { stdio: 'ignore' })`
const shellLoop = (count: number) => `i=0; while [ $i -lt ${count} ]; do /bin/sh -c ':'; i=$((i+1)); done`

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

type Run = (count: 1 | typeof STEPS) => Promise<number>

const ours: Run = (count) => {
  const { project, env } = count === 1 ? one : many
  return pitlane(['run'], { cwd: project, env })
}
const node: Run = (count) => wholeProcess(process.execPath, ['-e', nodeLoop(count)], { env: many.env })
const shell: Run = (count) => wholeProcess('/bin/sh', ['-c', shellLoop(count)], { env: many.env })

/** Milliseconds for each step after the first. */
const each = (run: Run) => async () => ((await run(STEPS)) - (await run(1))) / (STEPS - 1)

try {
  await compare(
    [
      { what: `each of ${STEPS} steps / Node spawning it`, ours: each(ours), peer: each(node), bound: 2 },
      { what: `each of ${STEPS} steps / shell loop`, ours: each(ours), peer: each(shell), bound: 2.5 },
      { what: `${STEPS} steps, whole process / Node spawning them`, ours: () => ours(STEPS), peer: () => node(STEPS) },
      { what: `${STEPS} steps, whole process / shell loop`, ours: () => ours(STEPS), peer: () => shell(STEPS) },
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
  many.remove()
  one.remove()
  first.remove()
}

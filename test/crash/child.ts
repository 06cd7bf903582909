// The command line with faults. Started plainly it is one run in a process of its own, which a fault can kill; with a channel to its
// parent it stays and does one run after the other, each through a `main` of its own that shares nothing with the one before but the disk.
// A run that is to be killed then stands still at its point, until the parent kills the process, or the process kills itself at once.
import { EventEmitter } from 'node:events'
import { flushCompileCache } from 'node:module'
import { Writable } from 'node:stream'
import { type Clock, systemClock } from '../../src/clock.ts'
import { main } from '../../src/main.ts'
import { type Fault, Faults } from './faults.ts'
import type { Answer, Request } from './runs.ts'
import { wrapped } from './wrapped.ts'

function clockAt(now: number): Clock {
  return { ...systemClock, now: () => now }
}

async function stay(): Promise<void> {
  process.once('disconnect', () => process.exit())
  for await (const [request] of EventEmitter.on(process, 'message') as AsyncIterable<[Request]>) {
    const { cwd, args, env, fault, mayStand, now } = request
    // Git and the executor look for these themselves.
    process.env['HOME'] = env['HOME']
    process.env['PATH'] = env['PATH']
    let output = ''
    const stream = () =>
      new Writable({
        write(chunk: Buffer, _encoding, done) {
          output += chunk.toString()
          done()
        },
      })
    const stdout = stream()
    const pretended = Object.assign(new EventEmitter(), {
      argv: ['node', 'pitlane', ...args],
      env,
      cwd: () => cwd,
      arch: process.arch,
      pid: process.pid,
      stdout,
      stderr: stream(),
      exitCode: undefined as number | undefined,
      exit: () => undefined,
    })
    const stands = Promise.withResolvers<void>()
    const faults = new Faults(fault, mayStand ? stands.resolve : null)
    await Promise.race([
      main(pretended as unknown as NodeJS.Process, { clock: clockAt(now), wrap: wrapped(faults) }),
      stands.promise,
    ])
    const { points, struck } = faults
    const answer: Answer = { code: pretended.exitCode ?? 0, signal: null, output, struck, points }
    // Whoever starts next needs not compile again what this run did; a process that is killed could not tell it later.
    flushCompileCache()
    process.send?.(answer)
  }
}

async function once(): Promise<void> {
  const given = JSON.parse(process.env['CRASH_RUN'] ?? '{}') as { fault?: Fault; now?: number }
  const faults = new Faults(given.fault ?? null)
  await main(process, { clock: clockAt(given.now ?? Date.now()), wrap: wrapped(faults) })
}

await (process.send === undefined ? once() : stay())

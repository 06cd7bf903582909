/** Starting a real server of others for a test: on loopback, in a folder of its own, ended by its id. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

export interface Server {
  /** `http://127.0.0.1:PORT` */
  readonly url: string
  readonly pid: number
  /** What it printed so far. */
  output(): string
  stop(): Promise<void>
}

/** Milliseconds until it answers. */
const READY = 30_000

export async function startServer(options: {
  readonly command: string
  readonly args: readonly string[]
  readonly port: number
  readonly env?: Readonly<Record<string, string>>
  /** Whether it answers as it should; a rejection counts as no. */
  readonly ready: (url: string) => Promise<boolean>
}): Promise<Server> {
  const url = `http://127.0.0.1:${options.port}`
  const child = spawn(options.command, options.args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'], ...options.env },
  })
  // A test that is killed takes its servers with it.
  const end = () => child.kill('SIGKILL')
  process.once('exit', end)
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (piece) => (output += String(piece)))
  const ended = once(child, 'exit')
  const stop = async () => {
    process.removeListener('exit', end)
    if (isRunning(child)) child.kill('SIGTERM')
    const late = setTimeout(() => child.kill('SIGKILL'), 5000)
    await ended
    clearTimeout(late)
  }
  await new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve)
    child.once('error', reject)
  })
  for (const until = performance.now() + READY; !(await options.ready(url).catch(() => false)); await sleep(50)) {
    if (isRunning(child) && performance.now() < until) continue
    await stop()
    throw new Error(`${options.command} did not get ready:\n${output}`)
  }
  return { url, pid: child.pid ?? 0, output: () => output, stop }
}

function isRunning(child: ChildProcess): boolean {
  return child.exitCode === null && child.signalCode === null
}

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  if (address === null || typeof address === 'string') throw new Error('no port')
  return address.port
}

export function temporaryFolder(name: string): { readonly path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), `pitlane-${name}-`))
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) }
}

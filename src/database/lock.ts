/**
 * One process at a time works on a state folder. The lock is SQLite's own on a small file: the kernel lets go of it when the holder
 * dies, however it dies, and nobody has to clean up. Who holds it stands in a file beside it, for people.
 */
import { closeSync, constants, openSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { Clock } from '../clock.ts'
import { machineHint, PitlaneError } from '../errors.ts'

/** Reading a pipe that somebody put there must not wait for a writer. */
const NOT_WAITING = constants.O_RDONLY | constants.O_NONBLOCK

export interface LockHolder {
  /** What it does, as in `pitlane release v1.2.0`. */
  readonly command: string
  readonly pid: number
  /** ISO 8601. */
  readonly since: string
}

export interface Lock {
  release(): void
}

export interface LockRequest {
  readonly folder: string
  readonly command: string
  readonly pid: number
  /** Milliseconds to wait for the present holder; 0 fails at once with `BUSY`. */
  readonly wait: number
  readonly clock: Clock
  /** Called once, when there is something to wait for. */
  readonly onWait: (holder: string) => void
  readonly signal: AbortSignal
}

/** Milliseconds between two tries. */
const POLL = 100

/** @throws PitlaneError `BUSY` when the holder keeps it for longer than `wait`, `INTERRUPTED` by the signal, `STORAGE_FAILED` */
export async function acquireLock(request: LockRequest): Promise<Lock> {
  const deadline = request.clock.monotonic() + request.wait
  let told = false
  for (;;) {
    const lock = tryLock(join(request.folder, 'lock'))
    if (lock !== null) {
      try {
        writeHolder(request)
        return lock
      } catch (error) {
        lock.release()
        throw error
      }
    }
    const holder = describeHolder(request.folder)
    if (request.clock.monotonic() >= deadline) {
      throw new PitlaneError('BUSY', `${holder} is working on ${request.folder}`, {
        hint: 'Wait for it to end, or run the command without --no-wait to wait for it.',
      })
    }
    if (!told) request.onWait(holder)
    told = true
    await request.clock.sleep(POLL, request.signal).catch(() => {
      throw new PitlaneError('INTERRUPTED', `stopped while waiting for ${holder}`, {
        hint: 'Nothing was begun: run the same command again.',
      })
    })
  }
}

function tryLock(file: string): Lock | null {
  let database: DatabaseSync | null = null
  try {
    database = new DatabaseSync(file, { timeout: 0 })
    database.exec('BEGIN EXCLUSIVE')
    const held = database
    return { release: () => held.close() }
  } catch (error) {
    database?.close()
    const message = (error as Error).message
    if (/locked|busy/.test(message)) return null
    throw new PitlaneError('STORAGE_FAILED', `cannot lock ${file}: ${message}`, {
      hint: 'Check that the folder is writable and the disk is not full.',
      cause: error,
    })
  }
}

function writeHolder({ folder, command, pid, clock }: LockRequest): void {
  const file = join(folder, 'lock.holder')
  const holder: LockHolder = { command, pid, since: new Date(clock.now()).toISOString() }
  try {
    // Should somebody have put a pipe there, opening it must not wait for a reader.
    const descriptor = openSync(
      file,
      constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | constants.O_NONBLOCK,
      0o644,
    )
    try {
      writeFileSync(descriptor, `${JSON.stringify(holder)}\n`)
    } finally {
      closeSync(descriptor)
    }
  } catch (error) {
    throw new PitlaneError('STORAGE_FAILED', `cannot write ${file}: ${(error as Error).message}`, {
      hint: machineHint(error) ?? 'Check that the folder is writable and the disk is not full.',
      cause: error,
    })
  }
}

/** Whatever stands there: it is for people, and another version may have written it. */
function describeHolder(folder: string): string {
  try {
    const holder: unknown = JSON.parse(
      readFileSync(join(folder, 'lock.holder'), { encoding: 'utf8', flag: NOT_WAITING }),
    )
    if (isHolder(holder)) return `\`${holder.command}\` (process ${holder.pid}, since ${holder.since})`
  } catch {
    // Not written yet, or in the middle of it.
  }
  return 'another process'
}

function isHolder(value: unknown): value is LockHolder {
  if (typeof value !== 'object' || value === null) return false
  return (
    'command' in value &&
    typeof value.command === 'string' &&
    'pid' in value &&
    typeof value.pid === 'number' &&
    'since' in value &&
    typeof value.since === 'string'
  )
}

/** Whether a process recorded earlier still runs: the same pid, started at the same tick, since the same boot. */
import { readFileSync } from 'node:fs'
import { systemCode } from '../../errors.ts'
import type { Isolation } from './isolation.ts'
import { readPlain } from './plain-file.ts'

/** Bytes; a record has about 70. */
const RECORD = 4096

/** A process that cannot be taken for another one that got its pid later. */
export interface Identity {
  readonly pid: number
  /** Clock ticks after boot, field 22 of /proc/PID/stat (proc_pid_stat(5)). */
  readonly start: string
}

export interface LaneRecord extends Identity {
  /** /proc/sys/kernel/random/boot_id */
  readonly boot: string
  readonly isolation: Isolation
}

export interface ProcessStatus extends Identity {
  readonly parent: number
  readonly session: number
  /** A zombie or a process on its way out runs nothing any more. */
  readonly dead: boolean
}

/** Parses what the recorder wrote; undefined when it is not whole. */
export function parseLaneRecord(text: string): LaneRecord | undefined {
  const match = /^(\d+) (\d+) (\S+) (pid-namespace|process-group)\n$/.exec(text)
  if (match === null) return undefined
  const [, pid = '', start = '', boot = '', isolation] = match
  return { pid: Number(pid), start, boot, isolation: isolation === 'pid-namespace' ? isolation : 'process-group' }
}

/** The record of a lane; undefined when its supervisor never got as far as running anything. */
export function readLaneRecord(path: string): LaneRecord | undefined {
  const text = readPlain(path, RECORD)
  return text === undefined ? undefined : parseLaneRecord(text)
}

export function isAlive(record: LaneRecord): boolean {
  return record.boot === bootId() && isRunning(record)
}

/** Of this boot. */
export function isRunning(identity: Identity): boolean {
  const status = processStatus(identity.pid)
  return status !== undefined && !status.dead && status.start === identity.start
}

export function processStatus(pid: number): ProcessStatus | undefined {
  let text: string
  try {
    text = readFileSync(`/proc/${pid}/stat`, 'latin1')
  } catch (error) {
    const code = systemCode(error)
    if (code === 'ENOENT' || code === 'ESRCH') return undefined
    throw error
  }
  return parseStat(pid, text)
}

/** The second field is the name in parentheses, which may itself contain spaces and parentheses. */
export function parseStat(pid: number, text: string): ProcessStatus | undefined {
  const [state, parent, , session, ...rest] = text.slice(text.lastIndexOf(')') + 2).split(' ')
  const start = rest[15]
  if (state === undefined || parent === undefined || session === undefined || start === undefined) return undefined
  return { pid, start, parent: Number(parent), session: Number(session), dead: /[ZXx]/.test(state) }
}

function bootId(): string {
  return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
}

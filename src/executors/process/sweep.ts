/** Ends processes that may not want to be ended, found through /proc. */
import { readdirSync, readFileSync } from 'node:fs'
import type { Clock } from '../../clock.ts'
import { PitlaneError } from '../../errors.ts'
import { type Identity, isRunning, type ProcessStatus, processStatus } from './liveness.ts'
import { MARKER } from './order.ts'

/** A process that SIGKILL does not end within this time hangs in the kernel. */
const PATIENCE = 30_000

/**
 * Ends a namespace from outside, through its process 1: the kernel takes everything inside along before `unshare` can return,
 * so that its end is the proof.
 */
export async function endNamespace(unshare: Identity, clock: Clock): Promise<void> {
  const patience = patienceOf(clock)
  while (isRunning(unshare)) {
    const first = childrenOf(unshare.pid)
    // Not forked yet, or about to return.
    if (first.length === 0 && patience.spent > 1000) kill(unshare)
    for (const process of first) kill(process)
    await patience.pause([unshare])
  }
}

/**
 * Ends every process whose environment carries a fitting marker, the given one, and all that belongs to these: descendants and members
 * of their sessions. Repeats until two looks in a row find none. Without a namespace this is as good as it gets: a daemon that
 * cleared its environment, left its session and lost its parents before the first look is not found.
 */
export async function endMarked(fits: (marker: string) => boolean, clock: Clock, root?: Identity): Promise<void> {
  const patience = patienceOf(clock)
  for (let clean = 0; clean < 2; ) {
    const found = belonging(processTable(), fits, root)
    for (const process of found) kill(process)
    clean = found.length === 0 ? clean + 1 : 0
    if (clean < 2) await patience.pause(found)
  }
}

function belonging(
  table: readonly ProcessStatus[],
  fits: (marker: string) => boolean,
  root?: Identity,
): ProcessStatus[] {
  const isRoot = (process: ProcessStatus) => process.pid === root?.pid && process.start === root.start
  const found = new Set(table.filter((process) => isRoot(process) || fits(markerOf(process.pid) ?? '')))
  const ours = table.find((status) => status.pid === process.pid)?.session
  for (let before = -1; before !== found.size; ) {
    before = found.size
    const parents = new Set([...found].map((status) => status.pid))
    const sessions = new Set([...found].map((status) => status.session).filter((session) => session !== ours))
    for (const status of table) {
      if (parents.has(status.parent) || sessions.has(status.session)) found.add(status)
    }
  }
  return [...found].filter((status) => status.pid !== process.pid)
}

/** From the kernel's own list where it keeps one (proc_pid_task(5)): a machine can have thousands of other processes. */
function childrenOf(pid: number): ProcessStatus[] {
  let children: string
  try {
    children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1')
  } catch {
    // No such list in this kernel, or the process has just ended: a look at all of them tells.
    return processTable().filter((process) => process.parent === pid)
  }
  return children
    .split(' ')
    .filter((child) => child !== '')
    .flatMap((child) => processStatus(Number(child)) ?? [])
    .filter((status) => !status.dead)
}

function processTable(): ProcessStatus[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => processStatus(Number(name)) ?? [])
    .filter((status) => !status.dead)
}

function markerOf(pid: number): string | undefined {
  let environment: string
  try {
    environment = readFileSync(`/proc/${pid}/environ`, 'utf8')
  } catch {
    // Gone, or of another user: then it is none of ours.
    return undefined
  }
  const entry = environment.split('\0').find((line) => line.startsWith(`${MARKER}=`))
  return entry?.slice(MARKER.length + 1)
}

function kill(target: Identity): void {
  if (!isRunning(target)) return
  try {
    process.kill(target.pid, 'SIGKILL')
  } catch {
    // Gone in between; or not ours to end, which the next look reports by not ending.
  }
}

function patienceOf(clock: Clock) {
  const since = clock.monotonic()
  let delay = 1
  return {
    get spent(): number {
      return clock.monotonic() - since
    },
    /** Waits a little longer each time. @throws PitlaneError `EXECUTOR_FAILED` when it took too long */
    async pause(left: readonly Identity[]): Promise<void> {
      if (this.spent > PATIENCE) {
        const pids = left.map((target) => target.pid).join(', ')
        throw new PitlaneError('EXECUTOR_FAILED', `Processes of a step do not end, although killed: ${pids}.`, {
          hint: `They hang in the kernel or belong to another user; look at them with \`ps -o pid,user,stat,wchan:30,args -p ${pids.replaceAll(' ', '')}\`.`,
        })
      }
      await clock.sleep(delay)
      delay = Math.min(delay * 2, 50)
    },
  }
}

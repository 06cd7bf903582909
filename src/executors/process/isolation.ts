/** What can hold the processes of a step together here. Found out by trying: kernels and containers forbid it in many ways. */
import { spawn } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { join } from 'node:path'

export type Isolation = 'pid-namespace' | 'process-group'

export interface Holding {
  readonly isolation: Isolation
  /** Command in front of the supervisor's own, empty without a namespace. */
  readonly prefix: readonly string[]
  /** Path of `setsid` for each step where no namespace holds them; empty when there is none or it isn't needed. */
  readonly setsid: string
}

const NAMESPACE = ['--pid', '--mount-proc', '--fork', '--kill-child']

/** Process 1, and the /proc it sees is its own. */
const PROOF = '[ "$$" = 1 ] && read -r pid rest </proc/self/stat && [ "$pid" = 1 ] && exit 42'

const LIMIT = 5000

/** @param forced `process-group` takes the weaker way without trying */
export async function findHolding(shell: string, forced?: 'process-group'): Promise<Holding> {
  const [unshare, setsid] = [findProgram('unshare'), findProgram('setsid')]
  if (forced === undefined && unshare !== undefined && setsid !== undefined) {
    const asUser = [unshare, '--user', '--map-current-user', ...NAMESPACE]
    const ways = process.getuid?.() === 0 ? [[unshare, ...NAMESPACE], asUser] : [asUser]
    for (const way of ways) {
      // A session of its own, or a `kill 0` inside would reach the `unshare` outside.
      const prefix = [...way, setsid]
      if (await proves(prefix, shell)) return { isolation: 'pid-namespace', prefix, setsid: '' }
    }
  }
  return { isolation: 'process-group', prefix: [], setsid: setsid ?? '' }
}

function proves(prefix: readonly string[], shell: string): Promise<boolean> {
  const [command = shell, ...rest] = prefix
  return new Promise((resolve) => {
    const child = spawn(command, [...rest, shell, '-c', PROOF], {
      env: {},
      stdio: 'ignore',
      detached: true,
      timeout: LIMIT,
      killSignal: 'SIGKILL',
    })
    child.once('error', () => resolve(false))
    child.once('exit', (code) => resolve(code === 42))
  })
}

/** At once: a look takes microseconds, and waiting for a busy process to come round to each of them took the time of a step. */
function findProgram(name: string): string | undefined {
  const folders = [...(process.env.PATH ?? '').split(':'), '/usr/bin', '/bin', '/run/current-system/sw/bin']
  for (const folder of folders.filter((entry) => entry.startsWith('/'))) {
    const path = join(folder, name)
    try {
      accessSync(path, constants.X_OK)
      return path
    } catch {
      // Not there or not ours to run: the next folder may have it.
    }
  }
  return undefined
}

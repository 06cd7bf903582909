/** Removal of a workspace in which steps did what they liked: read-only folders, paths longer than the system takes, links. */
import { spawn } from 'node:child_process'
import { existsSync, readFileSync, realpathSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { PitlaneError } from '../../errors.ts'
import { shellQuoted } from '../../words/shell-word.ts'

/**
 * Refuses while anything is mounted below: a step with privileges may have bound the machine's own folders there.
 * @throws PitlaneError `STORAGE_FAILED`
 */
export async function removeTree(path: string, shell: string): Promise<void> {
  if (!existsSync(path)) return
  const [mount] = mountsBelow(readFileSync('/proc/self/mountinfo', 'utf8'), realpathSync(path))
  if (mount !== undefined) {
    throw new PitlaneError(
      'STORAGE_FAILED',
      `The workspace cannot be removed while something is mounted at ${mount}.`,
      {
        hint: 'Unmount it; the same command then goes on.',
      },
    )
  }
  let cause: unknown
  try {
    await rm(path, { recursive: true, force: true })
    return
  } catch (error) {
    cause = error
  }
  // The tools walk relative to open folders, never through a link, and so get further than a path can say.
  await run(
    shell,
    `PATH=\${PATH:-/usr/bin:/bin}; chmod -R u+rwx -- ${shellQuoted(path)}; rm -rf -- ${shellQuoted(path)}`,
  )
  if (existsSync(path)) {
    throw new PitlaneError('STORAGE_FAILED', `The workspace could not be removed: ${path}.`, {
      hint: 'Remove the folder by hand; a file in it belongs to another user, is immutable, or something is mounted there.',
      cause,
    })
  }
}

/** Mount points at or below a folder; `mountinfo` as in proc_pid_mountinfo(5). */
export function mountsBelow(mountinfo: string, folder: string): string[] {
  return mountinfo
    .split('\n')
    .flatMap((line) => line.split(' ')[4] ?? [])
    .map((field) =>
      field.replaceAll(/\\([0-7]{3})/g, (_, octal: string) => String.fromCodePoint(Number.parseInt(octal, 8))),
    )
    .filter((point) => point === folder || point.startsWith(`${folder}/`))
}

function run(shell: string, text: string): Promise<void> {
  return new Promise((resolve) => {
    const child = spawn(shell, ['-c', text], { stdio: 'ignore', cwd: '/', detached: true })
    child.once('error', () => resolve())
    child.once('close', () => resolve())
  })
}

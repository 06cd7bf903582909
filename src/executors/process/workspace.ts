/** Removal of a workspace in which steps did what they liked: read-only folders, paths longer than the system takes, links. */
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { PitlaneError } from '../../errors.ts'
import { quoted } from './order.ts'

/** @throws PitlaneError `STORAGE_FAILED` */
export async function removeTree(path: string, shell: string): Promise<void> {
  let cause: unknown
  try {
    await rm(path, { recursive: true, force: true })
    return
  } catch (error) {
    cause = error
  }
  // The tools walk relative to open folders, never through a link, and so get further than a path can say.
  await run(shell, `PATH=\${PATH:-/usr/bin:/bin}; chmod -R u+rwx -- ${quoted(path)}; rm -rf -- ${quoted(path)}`)
  if (existsSync(path)) {
    throw new PitlaneError('STORAGE_FAILED', `The workspace could not be removed: ${path}.`, {
      hint: 'Remove the folder by hand; a file in it belongs to another user, is immutable, or something is mounted there.',
      cause,
    })
  }
}

function run(shell: string, text: string): Promise<void> {
  return new Promise((resolve) => {
    const child = spawn(shell, ['-c', text], { stdio: 'ignore', cwd: '/' })
    child.once('error', () => resolve())
    child.once('close', () => resolve())
  })
}

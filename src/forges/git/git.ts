/** Running git: never through a shell, with an environment of our choosing, and with errors that say what to do. */
import { type ChildProcess, type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { dirname } from 'node:path'
import { machineHint, PitlaneError, systemCode } from '../../errors.ts'

/** Milliseconds after which a git that does not end is killed. */
const TIMEOUT = 10 * 60 * 1000
const STDERR_BYTES = 64 * 1024

/** What git needs to find itself, the user's configuration (safe.directory, user.name) and, in a partial clone, its remote. */
const INHERITED = [
  'PATH',
  'HOME',
  'XDG_CONFIG_HOME',
  'USER',
  'LOGNAME',
  'SUDO_UID',
  'TMPDIR',
  'SSH_AUTH_SOCK',
  'http_proxy',
  'https_proxy',
  'all_proxy',
  'no_proxy',
]

function environment(root: string): Record<string, string> {
  const inherited = INHERITED.flatMap((name) => {
    const value = process.env[name]
    return value === undefined ? [] : [[name, value] as const]
  })
  return {
    ...Object.fromEntries(inherited),
    LC_ALL: 'C',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_TERMINAL_PROMPT: '0',
    // Reading must neither wait for a lock nor write the index.
    GIT_OPTIONAL_LOCKS: '0',
    // A commit id means its own content, not what a local replacement says.
    GIT_NO_REPLACE_OBJECTS: '1',
    // This repository, or none: never one that happens to lie above.
    GIT_CEILING_DIRECTORIES: dirname(root),
  }
}

/** Programs that a repository's configuration could have git start on its own. */
const QUIET = ['-c', 'core.hooksPath=/dev/null', '-c', 'core.fsmonitor=false', '-c', 'protocol.ext.allow=never']

export interface GitProcess {
  readonly child: ChildProcessWithoutNullStreams
  /** Resolves when git succeeded; rejects with what went wrong. Always settles. */
  readonly ended: Promise<void>
}

/**
 * Starts git in the top folder of a repository.
 * @throws PitlaneError `GIT_FAILED` when this process has no descriptors left for its pipes
 */
export function startGit(
  root: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): GitProcess {
  const started: ChildProcess = spawn('git', ['--no-pager', ...QUIET, ...args], {
    cwd: root,
    env: { ...environment(root), ...env },
    stdio: 'pipe',
    // Ctrl-C in a terminal goes to everybody in its foreground: what it ends is Pitlane's decision.
    detached: true,
    // Not `timeout`: its timer would outlive a git that could not be started, and hold this process for as long.
    signal: AbortSignal.timeout(TIMEOUT),
    killSignal: 'SIGKILL',
  })
  if (!hasPipes(started)) {
    throw new PitlaneError('GIT_FAILED', `${root}: git could not be started: too many files are open`, {
      hint: 'Raise the limit: ulimit -n',
    })
  }
  const child = started
  let stderr = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    if (stderr.length < STDERR_BYTES) stderr += text
  })
  // A git that ends early breaks the pipe; its exit status says why.
  child.stdin.on('error', () => undefined)
  const ended = new Promise<void>((resolve, reject) => {
    child.on('error', (error) => reject(notStarted(root, error)))
    child.on('close', (code, signal) => {
      if (code === 0) resolve()
      else reject(failed(root, args[0] ?? '', code, signal, stderr))
    })
  })
  // Whoever is interested awaits it; others have killed it themselves.
  ended.catch(() => undefined)
  return { child, ended }
}

/** Out of descriptors, Node gives a child without pipes, whatever its types say, and tells the error later. */
function hasPipes(child: ChildProcess): child is ChildProcessWithoutNullStreams {
  if (child.stdin != null) return true
  child.on('error', () => undefined)
  return false
}

/** Runs git to its end and gives what it printed, at most `limit` bytes. */
export async function runGit(root: string, args: readonly string[], limit: number): Promise<Buffer> {
  const { child, ended } = startGit(root, args)
  child.stdin.end()
  const chunks: Buffer[] = []
  let size = 0
  for await (const piece of child.stdout) {
    const chunk = piece as Buffer
    size += chunk.length
    if (size > limit) {
      child.kill('SIGKILL')
      throw new PitlaneError('GIT_FAILED', `${root}: git ${args[0]} printed more than ${limit} bytes`, {
        hint: 'Does the repository hold what it should? Pitlane reads no list of that size.',
      })
    }
    chunks.push(chunk)
  }
  await ended
  return Buffer.concat(chunks)
}

function notStarted(root: string, error: Error): PitlaneError {
  if (systemCode(error) === 'ENOENT' && existsSync(root))
    return new PitlaneError('GIT_FAILED', 'git is not installed, or not in PATH', {
      hint: 'Install git: apt install git, dnf install git, apk add git or brew install git.',
      cause: error,
    })
  if (systemCode(error) === 'ABORT_ERR')
    return new PitlaneError('GIT_FAILED', `${root}: git ran longer than ${TIMEOUT / 60_000} minutes and was stopped`, {
      hint: 'Try `git status` there by hand: a disk or a network drive may hang.',
    })
  return new PitlaneError('GIT_FAILED', `${root}: git could not be started: ${error.message}`, {
    hint: machineHint(error) ?? 'Try `git status` there by hand.',
    cause: error,
  })
}

function failed(
  root: string,
  command: string,
  code: number | null,
  signal: string | null,
  stderr: string,
): PitlaneError {
  if (/dubious ownership|unsafe repository/.test(stderr))
    return new PitlaneError('GIT_FAILED', `${root}: git refuses to read a repository that belongs to another user`, {
      hint: `Run Pitlane as the owner of the repository, or allow it: git config --global --add safe.directory '${root}'`,
    })
  if (/not a git repository|invalid gitfile format/.test(stderr))
    return new PitlaneError('NOT_A_REPOSITORY', `${root}: git does not recognise this as a repository`, {
      hint: `Look into it with: git -C '${root}' status`,
    })
  const how = signal === null ? `with exit code ${code}` : `by ${signal}`
  const words = stderr.trim().slice(0, 1000)
  return new PitlaneError('GIT_FAILED', `${root}: git ${command} ended ${how}${words === '' ? '' : `: ${words}`}`, {
    hint: `Check the repository with: git -C '${root}' fsck`,
  })
}

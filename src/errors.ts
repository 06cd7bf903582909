/**
 * Every error a person can meet, in one table. `docs/errors.md` documents exactly these; a test holds the two together.
 *
 * `fault` says who has to act, and so decides the exit code:
 * - `user`: the input or the command line is wrong
 * - `test`: the project's own check, build or test is red
 * - `infrastructure`: the machine or a peer failed; the same command may work later
 * - `target`: a built file is not what its target promises
 * - `policy`: Pitlane refuses, although it could
 */
export type Fault = 'user' | 'test' | 'infrastructure' | 'target' | 'policy'

interface ErrorKind {
  readonly fault: Fault
  /** Whether the same command can succeed later without anybody changing anything. */
  readonly retry: boolean
  readonly summary: string
}

export const ERRORS = {
  USAGE: { fault: 'user', retry: false, summary: 'the command line is not understood' },
  CONFIG_MISSING: { fault: 'user', retry: false, summary: 'there is no pitlane.yaml at that commit' },
  CONFIG_INVALID: { fault: 'user', retry: false, summary: 'pitlane.yaml is not valid' },
  REVISION_UNKNOWN: { fault: 'user', retry: false, summary: 'no such revision in this repository' },
  SOURCE_UNFIT: { fault: 'user', retry: false, summary: 'the commit holds something that cannot be checked out' },
  VERSION_NAME: { fault: 'user', retry: false, summary: 'the tag cannot be the name of a release' },
  IMAGE_NAME: { fault: 'user', retry: false, summary: 'the repository, tag or digest of an image is not a valid one' },
  NOT_A_REPOSITORY: { fault: 'user', retry: false, summary: 'not inside a git repository with a pitlane.yaml' },
  NOT_FOUND: { fault: 'user', retry: false, summary: 'there is no such thing here' },
  FILE_EXISTS: { fault: 'user', retry: false, summary: 'the file exists and is not overwritten' },
  KEY_MISSING: { fault: 'user', retry: false, summary: 'there is no signing key' },
  KEY_INVALID: { fault: 'user', retry: false, summary: 'the key cannot be read' },
  STEP_FAILED: { fault: 'test', retry: false, summary: 'a step ended with an error' },
  STEP_TIMEOUT: { fault: 'test', retry: false, summary: 'a step ran longer than its timeout' },
  STEP_OUTPUT_LIMIT: { fault: 'test', retry: false, summary: 'a step wrote more output than allowed' },
  OUTPUT_MISSING: { fault: 'target', retry: false, summary: 'a declared output was not built' },
  OUTPUT_UNFIT: {
    fault: 'target',
    retry: false,
    summary: 'a declared output is not a regular file inside the stage folder',
  },
  ELF_INVALID: { fault: 'target', retry: false, summary: 'the file is not an ELF executable that can be verified' },
  ELF_MISMATCH: { fault: 'target', retry: false, summary: 'the executable does not fit its target' },
  TEST_NOT_RUN: { fault: 'target', retry: false, summary: 'a required release test could not run on this machine' },
  CONTRADICTION: { fault: 'policy', retry: false, summary: 'the same name exists with other bytes' },
  PLAN_CONTRADICTION: { fault: 'policy', retry: false, summary: 'what was carried out is not what the plan declared' },
  VISIBLE: {
    fault: 'policy',
    retry: false,
    summary: 'people may have seen the version, so that it never gets other bytes',
  },
  RELEASED_OTHERWISE: {
    fault: 'policy',
    retry: false,
    summary: 'the version was made another way: by hand, by `pitlane release`, or before Pitlane',
  },
  PROJECT_CHANGED: { fault: 'policy', retry: false, summary: 'the bucket holds releases of another project' },
  RELEASE_LOST: { fault: 'policy', retry: false, summary: 'a release that readers are shown has lost its document' },
  NOT_ADOPTED: { fault: 'policy', retry: false, summary: 'an older list names versions that have no document' },
  KEY_CHANGED: { fault: 'policy', retry: false, summary: 'the bucket is signed with another key' },
  TAG_MOVED: { fault: 'policy', retry: false, summary: 'the tag no longer names the commit that was built' },
  DIRTY_TREE: { fault: 'policy', retry: false, summary: 'the working tree has changes that the commit does not have' },
  VERIFICATION_FAILED: { fault: 'policy', retry: false, summary: 'the release does not verify' },
  WITHDRAWN: { fault: 'policy', retry: false, summary: 'the release is withdrawn' },
  CLOCK_WRONG: { fault: 'policy', retry: false, summary: 'the clock cannot be right' },
  STATE_NEWER: { fault: 'policy', retry: false, summary: 'the state was written by a newer Pitlane' },
  STATE_LOST: {
    fault: 'infrastructure',
    retry: false,
    summary: 'the state was removed or cut off while it was in use',
  },
  FENCED: { fault: 'infrastructure', retry: true, summary: 'another process has taken over this state' },
  BUSY: {
    fault: 'infrastructure',
    retry: true,
    summary: 'another process is working on this state or publishing into this bucket',
  },
  GIT_FAILED: { fault: 'infrastructure', retry: true, summary: 'git is missing or failed' },
  SHALLOW_CLONE: { fault: 'infrastructure', retry: false, summary: 'the clone is shallow and lacks that commit' },
  EXECUTOR_FAILED: { fault: 'infrastructure', retry: true, summary: 'a step could not be started' },
  STORAGE_FAILED: { fault: 'infrastructure', retry: true, summary: 'a file could not be written or read' },
  FETCH_FAILED: { fault: 'infrastructure', retry: true, summary: 'an address could not be fetched' },
  REGISTRY_DENIED: { fault: 'user', retry: false, summary: 'the registry refuses these credentials, or wants some' },
  SERVER_DENIED: { fault: 'user', retry: false, summary: 'the server refuses this token, or what its user asks for' },
  INTERRUPTED: { fault: 'infrastructure', retry: true, summary: 'stopped by a person; the same command goes on' },
  INTERNAL: { fault: 'infrastructure', retry: false, summary: 'a defect in Pitlane' },
} as const satisfies Record<string, ErrorKind>

export type ErrorCode = keyof typeof ERRORS

/** What a person can do about an error of this code, where the one who throws knows nothing better. Other codes always come with a hint. */
export const ADVICE: Readonly<Partial<Record<ErrorCode, string>>> = {
  CONFIG_INVALID: 'Correct pitlane.yaml and commit it.',
  SOURCE_UNFIT:
    'Take it out of the commit: what is built, downloaded or has a repository of its own is for a step to fetch.',
  KEY_INVALID:
    'Keys are files of minisign: `pitlane key generate` makes one, `pitlane key show` prints its public half.',
  CONTRADICTION: 'Somebody else has written or changed it: put it back from a copy, or release under a new version.',
  PLAN_CONTRADICTION:
    'What .pitlane holds is not what Pitlane wrote there. Move the folder away to begin anew; what is published stays in the bucket.',
  VERIFICATION_FAILED: 'It is not what was published: do not use it, and put it back from a copy when it is yours.',
  FENCED: 'Wait for the other process to end, then run the same command again.',
  GIT_FAILED: 'Look at the repository with `git fsck`; `git fetch` brings back what is missing.',
  INTERRUPTED: 'Run the same command again: it goes on where it was.',
  INTERNAL: 'Please report it with the version of Pitlane and the whole text.',
}

/** A place in a text file; line and column count from 1. */
export interface Place {
  readonly file: string
  readonly line: number
  readonly column: number
}

export class PitlaneError extends Error {
  readonly code: ErrorCode
  /** What the person can do about it, as a full sentence or a command. */
  readonly hint: string | undefined
  readonly place: Place | undefined
  /** File with the whole output of the step that failed. */
  readonly output: string | undefined

  constructor(
    code: ErrorCode,
    message: string,
    options: { hint?: string; place?: Place; output?: string | undefined; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'PitlaneError'
    this.code = code
    this.hint = options.hint ?? ADVICE[code]
    this.place = options.place
    this.output = options.output
  }

  get fault(): Fault {
    return ERRORS[this.code].fault
  }

  get retry(): boolean {
    return ERRORS[this.code].retry
  }
}

/** Process exit codes; documented in `docs/errors.md`. */
export const EXIT = {
  ok: 0,
  failed: 1,
  usage: 2,
  refused: 3,
  infrastructure: 4,
  busy: 5,
  internal: 70,
  interrupted: 130,
} as const

export function exitCodeOf(error: unknown): number {
  if (!(error instanceof PitlaneError)) return EXIT.internal
  if (error.code === 'INTERRUPTED') return EXIT.interrupted
  if (error.code === 'BUSY') return EXIT.busy
  if (error.code === 'INTERNAL') return EXIT.internal
  switch (error.fault) {
    case 'user':
      return EXIT.usage
    case 'test':
    case 'target':
      return EXIT.failed
    case 'policy':
      return EXIT.refused
    case 'infrastructure':
      return EXIT.infrastructure
  }
}

/** What the machine refused, as opposed to what Pitlane did wrong. */
const REFUSED_BY_THE_MACHINE: Readonly<Record<string, string>> = {
  EACCES: 'This user may not do that there: check owner and mode, also of the folders above.',
  EPERM: 'This user may not do that there: check owner and mode, also of the folders above.',
  EROFS: 'The file system is mounted read-only.',
  ENOSPC: 'The disk is full: free some space, then run the same command again.',
  EDQUOT: "The user's disk quota is used up: free some space, then run the same command again.",
  EIO: 'The disk reports an error: look into the system log.',
  ELOOP: 'A symbolic link stands where a file or folder has to be: remove it.',
  ENOTDIR: 'A file stands where a folder has to be: move it away.',
  ENXIO: 'A pipe or device stands where a file has to be: remove it.',
  ENAMETOOLONG: 'The path is too long: choose a shorter one.',
  EMFILE: 'Too many files are open: raise the limit (ulimit -n).',
  ENFILE: 'Too many files are open on this machine.',
}

/** What to do about a refusal of the machine; undefined for any other error. */
export function machineHint(error: unknown): string | undefined {
  return REFUSED_BY_THE_MACHINE[systemCode(error) ?? '']
}

/** The error as a person should meet it: what the machine refused, wherever it did, is `STORAGE_FAILED`. Anything else is what it was. */
export function presentable(error: unknown): unknown {
  if (error instanceof PitlaneError) return error
  const hint = machineHint(error)
  if (hint === undefined || !(error instanceof Error)) return error
  return new PitlaneError('STORAGE_FAILED', error.message, { hint, cause: error })
}

/** The system error code (`ENOENT`, `ENOSPC`, …) of a Node error, or undefined. */
export function systemCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined
}

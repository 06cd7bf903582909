/**
 * Looks whether the files of an open database are still those that were opened. A step may remove or cut off whatever its user can, the
 * state of its own run included; SQLite goes on with an unlinked file as if nothing had happened, and every write is lost.
 */
import { renameSync, type Stats, statSync } from 'node:fs'
import { PitlaneError, systemCode } from '../errors.ts'

export interface DatabaseFiles {
  /** Throws `STATE_LOST`, again and again. Costs two `stat`s. */
  check(): void
}

interface Seen {
  readonly path: string
  readonly device: number
  readonly inode: number
  /** Bytes. Neither file gets shorter while it is open: nothing is vacuumed, and the log is written over from its start. */
  size: number
}

/** Names what was cut off, for people. */
const ASIDE = '.lost'

/** `file` and its write-ahead log, as they are after the first write. Throws `STATE_LOST` when they are gone by then. */
export function databaseFiles(file: string): DatabaseFiles {
  const files = [file, `${file}-wal`].map((path): Seen => {
    const now = look(path)
    if (now === null) throw stateLost(`${path} was removed`)
    return { path, device: now.dev, inode: now.ino, size: now.size }
  })
  let lost: PitlaneError | null = null
  return {
    check() {
      if (lost === null) {
        const what = firstChange(files)
        if (what === null) return
        setAside(files)
        lost = stateLost(what)
      }
      throw lost
    },
  }
}

function firstChange(files: readonly Seen[]): string | null {
  for (const seen of files) {
    const now = look(seen.path)
    if (now === null) return `${seen.path} was removed`
    if (!isSame(seen, now)) return `${seen.path} was replaced`
    if (now.size < seen.size) return `${seen.path} was cut off from ${seen.size} to ${now.size} bytes`
    seen.size = now.size
  }
  return null
}

function isSame(seen: Seen, now: Stats): boolean {
  return now.dev === seen.device && now.ino === seen.inode
}

function look(path: string): Stats | null {
  try {
    return statSync(path)
  } catch (error) {
    const code = systemCode(error)
    if (code === 'ENOENT' || code === 'ENOTDIR') return null
    throw error
  }
}

/**
 * What is left of them is no database any more, and closing would write the log into it. Under another name SQLite lets it be, and the
 * next command begins a new one. Nothing is removed, and files that somebody else has put there are not touched.
 */
function setAside(files: readonly Seen[]): void {
  for (const seen of files) {
    const now = look(seen.path)
    if (now === null || !isSame(seen, now)) continue
    try {
      renameSync(seen.path, seen.path.replace(/(-wal)?$/, `${ASIDE}$1`))
    } catch {
      // The folder can't be written to: the next command meets it as it is, and says so.
    }
  }
}

function stateLost(what: string): PitlaneError {
  return new PitlaneError('STATE_LOST', `the state was lost while this command worked on it: ${what}`, {
    hint: `Nothing was published after that. Something cleans up too much, perhaps a step with \`rm -rf .pitlane\` or \`git clean -x\`: keep it off .pitlane. The next command begins a new state.`,
  })
}

/** Descriptors that whoever called this process left open for the programs that it starts. */
import { closeSync, openSync, readdirSync, readFileSync } from 'node:fs'

/** O_CLOEXEC as `/proc/PID/fdinfo` shows it, in octal digits (proc_pid_fdinfo(5)); Node opens everything of its own with it. */
const CLOSED_ON_EXEC = 0o2000000
/** What Node gives a child for a number beyond this costs a place in a list; no caller has so many. */
const HIGHEST = 4096

let found: readonly number[] | undefined

/** Above standard error, as far as a child can be given others in their place. They are what they were when the process began, so that one look is enough. */
export function inheritedDescriptors(): readonly number[] {
  found ??= lookFor(Math.min(HIGHEST, limit()))
  return found
}

function lookFor(end: number): readonly number[] {
  return readdirSync('/proc/self/fd')
    .map(Number)
    .filter((descriptor) => descriptor > 2 && descriptor < end && isInherited(descriptor))
}

/** One more than the highest that can be made; the caller may have lowered it below what it left open. */
function limit(): number {
  return Number(/^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1] ?? 3)
}

function isInherited(descriptor: number): boolean {
  try {
    const flags = /^flags:\s+([0-7]+)$/m.exec(readFileSync(`/proc/self/fdinfo/${descriptor}`, 'utf8'))?.[1]
    return flags !== undefined && (Number.parseInt(flags, 8) & CLOSED_ON_EXEC) === 0
  } catch {
    // It was the one that read the list.
    return false
  }
}

/**
 * Calls `start` with what a child's `stdio` needs behind its first three, so that it gets `/dev/null` in the place of each inherited descriptor: a lock that
 * the caller holds by one must not be held by a step that outlives it.
 */
export function withoutInherited<T>(start: (behind: readonly ('ignore' | number)[]) => T): T {
  const inherited = inheritedDescriptors()
  const last = Math.max(2, ...inherited)
  if (last === 2) return start([])
  const nothing = openSync('/dev/null', 'r')
  try {
    return start(Array.from({ length: last - 2 }, (_, at) => (inherited.includes(at + 3) ? nothing : 'ignore')))
  } finally {
    closeSync(nothing)
  }
}

/** Where a declared output really is, and whether that is a place that only the build can have filled. */
import { lstat, readlink, realpath } from 'node:fs/promises'
import { isAbsolute, resolve } from 'node:path'
import { PitlaneError, systemCode } from '../errors.ts'
import { reading, storageFailed } from '../files/storage-failed.ts'

/** As many as Linux follows. */
const LINKS_LIMIT = 40

/**
 * Follows `path` from the workspace, one component at a time, and returns the real path of what it names. Symbolic links are followed
 * while every place on the way stays inside the workspace or below one of the `immutable` folders.
 *
 * @returns null when nothing is there
 * @throws PitlaneError `OUTPUT_UNFIT` when the way leaves the workspace, or links go in circles
 */
export async function resolveOutput(
  workspace: string,
  path: string,
  immutable: readonly string[],
): Promise<string | null> {
  const root = await reading(workspace, realpath(workspace))
  const allowed = [root, ...immutable]
  // A link may name the workspace by the path that the build knew it under.
  const roots = [[resolve(workspace), root] as const, ...allowed.map((folder) => [folder, folder] as const)]
  const pending = path.split('/').toReversed()
  let current = root
  let links = 0
  for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
    if (name === '' || name === '.') continue
    const next = resolve(current, name)
    if (!isInside(allowed, next)) throw leaves(path, next)
    const facts = await lstat(next).catch((error: unknown) => absent(error, next))
    if (facts === null) return null
    if (!facts.isSymbolicLink()) {
      current = next
      continue
    }
    links += 1
    if (links > LINKS_LIMIT)
      throw new PitlaneError('OUTPUT_UNFIT', `${path}: links go in circles at ${next}`, { hint: HINT })
    let target = await reading(next, readlink(next))
    if (isAbsolute(target)) {
      const from = roots.find(([folder]) => target === folder || target.startsWith(`${folder}/`))
      if (from === undefined) throw leaves(path, target)
      current = from[1]
      target = target.slice(from[0].length)
    }
    pending.push(...target.split('/').toReversed())
  }
  return current
}

const HINT = 'Let the build copy the file into its folder; only regular files of the checkout are published.'

function isInside(folders: readonly string[], path: string): boolean {
  return folders.some((folder) => path === folder || path.startsWith(`${folder}/`))
}

function leaves(path: string, to: string): PitlaneError {
  return new PitlaneError('OUTPUT_UNFIT', `${path} leads out of the stage folder, to ${to}`, { hint: HINT })
}

function absent(error: unknown, path: string): null {
  const code = systemCode(error)
  if (code === 'ENOENT' || code === 'ENOTDIR') return null
  throw storageFailed('reading', path, error)
}

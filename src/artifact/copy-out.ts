/** One file from a folder that a build has filled into the content store: exactly what its path leads to, and never a device. */
import { constants } from 'node:fs'
import { type FileHandle, lstat, open, readlink } from 'node:fs/promises'
import { isAbsolute } from 'node:path'
import { PitlaneError, systemCode } from '../errors.ts'
import type { ContentStore, StoredContent } from './content.ts'
import { resolveOutput } from './output-path.ts'
import { reading, storageFailed } from '../files/storage-failed.ts'

/**
 * Links may lead here: `nix-build` leaves `result`, a link into it. What is below is named by its inputs and made read-only
 * by Nix before the link is made, so nothing but Nix can have put other bytes there.
 */
export const IMMUTABLE = ['/nix/store']

export interface CopyOptions {
  /** Bytes. */
  readonly limit: number
  readonly mayBeEmpty: boolean
  /** For a file that is unfit. */
  readonly hint: string
}

/**
 * @returns null when nothing is there
 * @throws PitlaneError `OUTPUT_UNFIT`, `STORAGE_FAILED`
 */
export async function copyOut(
  folder: string,
  path: string,
  content: ContentStore,
  { limit, mayBeEmpty, hint }: CopyOptions,
): Promise<StoredContent | null> {
  const unfit = (why: string) => new PitlaneError('OUTPUT_UNFIT', `${path} ${why}`, { hint })
  const changed = (error: unknown): never => {
    const code = systemCode(error)
    if (code === 'ENOENT' || code === 'ELOOP' || code === 'ENXIO')
      throw unfit(`changed while it was collected (${code})`)
    throw storageFailed('reading', path, error)
  }
  if (path === '' || isAbsolute(path) || path.includes('\0') || path.split('/').includes('..')) {
    throw unfit('is not a path inside the stage folder')
  }
  const found = await resolveOutput(folder, path, IMMUTABLE)
  if (found === null) return null
  // Looked at before it is opened: opening a device can do things.
  const facts = await lstat(found).catch(changed)
  if (!facts.isFile()) throw unfit(`is ${kindOf(facts)}, not a regular file`)
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK | constants.O_NOCTTY
  const file = await open(found, flags).catch(changed)
  try {
    const before = await file.stat({ bigint: true })
    if (!before.isFile() || (await openedPath(file)) !== found) throw unfit('changed while it was collected')
    if (before.size === 0n && !mayBeEmpty) throw unfit('is empty')
    if (before.size > BigInt(limit)) throw unfit(`has ${before.size} bytes, more than ${limit}`)
    const stored = await content.putFrom(file, path, limit)
    const after = await file.stat({ bigint: true })
    if (BigInt(stored.size) !== before.size || after.mtimeNs !== before.mtimeNs || after.size !== before.size) {
      throw unfit('changed while it was collected')
    }
    return stored
  } finally {
    await file.close()
  }
}

/** The path of what was opened, as Linux knows it: a folder on the way can't have been exchanged meanwhile. */
function openedPath(file: FileHandle): Promise<string> {
  const link = `/proc/self/fd/${file.fd}`
  return reading(link, readlink(link))
}

export function kindOf(facts: {
  isDirectory(): boolean
  isFIFO(): boolean
  isSocket(): boolean
  isSymbolicLink(): boolean
}): string {
  if (facts.isDirectory()) return 'a directory'
  if (facts.isFIFO()) return 'a named pipe'
  if (facts.isSocket()) return 'a socket'
  if (facts.isSymbolicLink()) return 'a symbolic link'
  return 'a device'
}

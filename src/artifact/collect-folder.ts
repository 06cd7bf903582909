/** A whole folder of files, as a documentation site is one, taken over into the content store. */
import { lstat, readdir, realpath } from 'node:fs/promises'
import { join } from 'node:path'
import { PitlaneError } from '../errors.ts'
import { inParallel } from '../parallel.ts'
import type { ContentStore } from './content.ts'
import { copyOut, IMMUTABLE, kindOf } from './copy-out.ts'
import { resolveOutput } from './output-path.ts'
import { reading } from '../files/storage-failed.ts'

export interface FolderFile {
  /** Relative, separated by `/`. */
  readonly path: string
  /** Bytes. */
  readonly size: number
  /** Lower-case hex. */
  readonly sha256: string
}

export interface FolderLimits {
  readonly files: number
  /** Bytes of one file. */
  readonly file: number
  /** Bytes of all files. */
  readonly total: number
}

/** More than documentation has: beyond that something else lies in the folder. */
export const FOLDER_LIMITS: FolderLimits = { files: 10_000, file: 256 * 1024 ** 2, total: 2 * 1024 ** 3 }

/** Bytes of UTF-8: what a file system takes as one name, and what a key has room for beside its prefix. */
const NAME_BYTES = 255
const PATH_BYTES = 700
const DEPTH = 32
const PARALLEL = 4

const HINT = 'Documentation is a folder of regular files with names that a web address can hold; links stay inside it.'

/**
 * Every file below `path`, in the order of their paths' bytes. Symbolic links are followed as long as they stay inside the folder. Call it when
 * nothing writes there any more.
 * @param path the folder, relative to `base`; `.` is `base` itself
 * @param shown the folder for messages
 * @throws PitlaneError `OUTPUT_MISSING`, `OUTPUT_UNFIT`, `STORAGE_FAILED`
 */
export async function collectFolder(
  base: string,
  path: string,
  content: ContentStore,
  { shown = path, limits = FOLDER_LIMITS }: { readonly shown?: string; readonly limits?: FolderLimits } = {},
): Promise<readonly FolderFile[]> {
  const unfit = (name: string, why: string) =>
    new PitlaneError('OUTPUT_UNFIT', `${shown}/${printable(name)} ${why}`, { hint: HINT })
  const root = await resolveOutput(base, path, IMMUTABLE)
  if (root === null)
    throw new PitlaneError('OUTPUT_MISSING', `${shown} was not built`, {
      hint: 'It has to be a folder with an index.html at its top.',
    })
  const facts = await reading(root, lstat(root))
  if (!facts.isDirectory())
    throw new PitlaneError('OUTPUT_UNFIT', `${shown} is ${facts.isFile() ? 'a file' : kindOf(facts)}, not a folder`, {
      hint: HINT,
    })
  const paths: string[] = []
  let total = 0

  /** `above`: real paths of the folders that this one is in, so that links in a circle are told as that. */
  const walk = async (folder: string, prefix: string, above: readonly string[]): Promise<void> => {
    if (above.length > DEPTH) throw unfit(prefix, `lies deeper than ${DEPTH} folders`)
    for (const bytes of await reading(folder, readdir(folder, { encoding: 'buffer' }))) {
      const name = bytes.toString('utf8')
      const at = `${prefix}${name}`
      const fault = Buffer.from(name).equals(bytes) ? nameFault(name, at) : 'has a name that is not UTF-8'
      if (fault !== null) throw unfit(at, fault)
      const found = await follow(join(folder, name), at)
      if (found.isDirectory) {
        if (above.includes(found.path) || found.path === root) throw unfit(at, 'is a link to a folder that it is in')
        await walk(found.path, `${at}/`, [...above, found.path])
        continue
      }
      total += found.size
      paths.push(at)
      if (paths.length > limits.files) throw unfit(at, `is one of more than ${limits.files} files`)
      if (total > limits.total) throw unfit(at, `makes it larger than ${limits.total} bytes`)
    }
  }

  const follow = async (file: string, at: string) => {
    let own = await reading(file, lstat(file))
    let real = file
    if (own.isSymbolicLink()) {
      const target = await resolveOutput(root, at, IMMUTABLE).catch((error: unknown) => {
        if (error instanceof PitlaneError && error.code === 'OUTPUT_UNFIT')
          throw unfit(at, `is a link: ${error.message}`)
        throw error
      })
      if (target === null) throw unfit(at, 'is a link to nothing')
      real = await reading(target, realpath(target))
      own = await reading(real, lstat(real))
    }
    if (!own.isFile() && !own.isDirectory()) throw unfit(at, `is ${kindOf(own)}, not a regular file`)
    return { path: real, isDirectory: own.isDirectory(), size: own.size }
  }

  await walk(root, '', [])
  if (!paths.includes('index.html'))
    throw new PitlaneError('OUTPUT_UNFIT', `${shown} has no index.html at its top`, {
      hint: 'The site begins there: is it the folder that holds the finished site?',
    })
  const sorted = paths.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
  return inParallel(sorted, PARALLEL, async (file) => {
    const options = { limit: limits.file, mayBeEmpty: true, hint: HINT }
    const stored = await copyOut(root, file, content, options)
    if (stored === null) throw unfit(file, 'changed while it was collected')
    return { path: file, size: stored.size, sha256: stored.sha256 }
  })
}

function nameFault(name: string, path: string): string | null {
  if (/[\p{Cc}\\]/u.test(name)) return 'has a control character or a backslash in its name'
  // Turned around, or unseen, a name would be read as another one.
  if (/[\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]/u.test(name)) return 'has an invisible character in its name'
  if (name === '.git') return 'belongs to git, and would be published'
  if (Buffer.byteLength(name) > NAME_BYTES) return `has a name longer than ${NAME_BYTES} bytes`
  if (Buffer.byteLength(path) > PATH_BYTES) return `has a path longer than ${PATH_BYTES} bytes`
  return null
}

/** For a message in one line. */
function printable(path: string): string {
  const quoted = JSON.stringify(path)
    .slice(1, -1)
    .replace(/[\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]/gu, '?')
  return quoted.length <= 160 ? quoted : `${quoted.slice(0, 156)}…`
}

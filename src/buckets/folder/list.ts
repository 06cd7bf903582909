/** Listing a folder as S3 lists a bucket: keys in the order of their bytes, folders invisible. */
import { lstat, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { PitlaneError } from '../../errors.ts'
import { inParallel } from '../../parallel.ts'
import type { FoundObject, ListedObject } from '../types.ts'
import { isAbsent, storageFailure } from './failure.ts'
import { keyFault, splitPrefix, TEMPORARY } from './key.ts'
import { checkRealPath, notPlain } from './object.ts'

interface Entry {
  readonly name: string
  readonly isFolder: boolean
  readonly isFile: boolean
  /** A folder counts as its name with the `/` that follows in every key below it: that makes the order that of whole keys. */
  readonly order: Buffer
}

/** One folder's entries in memory at a time, per level. Anything that is neither file nor folder, or can't be read, is an error. */
export async function* listObjects(root: string, prefix: string): AsyncGenerator<ListedObject> {
  const { folder, rest } = splitPrefix(prefix, root)
  const start = folder.join('/')
  try {
    await checkRealPath(root, start)
  } catch (error) {
    if (isAbsent(error)) return
    throw storageFailure('listing', join(root, start), error)
  }
  yield* walk(root, start === '' ? '' : `${start}/`, Buffer.from(rest))
}

/** Names of the folders directly below a prefix that ends with `/`. */
export async function foldersBelow(root: string, prefix: string): Promise<readonly string[]> {
  const entries = await entriesOf(root, prefix)
  for (const entry of entries) if (!entry.isFile && !entry.isFolder) throw notPlain(join(root, prefix, entry.name))
  return entries.filter(({ isFolder }) => isFolder).map(({ name }) => name)
}

/** How many folders are read at once. */
const PARALLEL = 16

/** Milliseconds: two changes in the same tick of the clock of the file system may look the same. */
const SETTLED = 60_000

/**
 * The wanted files in each of those folders.
 * @param now milliseconds since 1970
 */
export async function contentsBelow(
  root: string,
  prefix: string,
  wanted: (name: string) => boolean,
  now: number,
): Promise<ReadonlyMap<string, readonly FoundObject[]>> {
  const names = await foldersBelow(root, prefix)
  const found = await inParallel(names, PARALLEL, async (name) => {
    const entries = (await entriesOf(root, `${prefix}${name}/`)).filter(
      (entry) => !entry.isFolder && wanted(entry.name),
    )
    for (const entry of entries) if (!entry.isFile) throw notPlain(join(root, prefix, name, entry.name))
    const objects: FoundObject[] = []
    for (const entry of entries) {
      const stamp = await stampOf(join(root, prefix, name, entry.name), now)
      if (stamp !== null) objects.push({ name: entry.name, stamp: stamp.stamp })
    }
    return [name, objects] as const
  })
  return new Map(found)
}

/** The time of the last change of anything about a file can't be set, as that of its bytes can. Null when it was deleted since its folder was read. */
async function stampOf(path: string, now: number): Promise<Pick<FoundObject, 'stamp'> | null> {
  try {
    const { dev, ino, size, mtimeNs, ctimeNs } = await lstat(path, { bigint: true })
    const isSettled = Number(ctimeNs / 1_000_000n) < now - SETTLED
    return { stamp: isSettled ? [dev, ino, size, mtimeNs, ctimeNs].join(' ') : null }
  } catch (error) {
    if (isAbsent(error)) return null
    throw storageFailure('listing', path, error)
  }
}

async function* walk(root: string, base: string, rest: Buffer): AsyncGenerator<ListedObject> {
  for (const entry of await entriesOf(root, base)) {
    if (!(entry.order.subarray(0, rest.length).equals(rest) || rest.length === 0)) continue
    const key = base + entry.name
    if (base === '' && entry.name === TEMPORARY) continue
    const path = join(root, key)
    if (entry.isFolder) {
      yield* walk(root, `${key}/`, Buffer.alloc(0))
      continue
    }
    if (!entry.isFile) throw notPlain(path)
    const fault = keyFault(key)
    if (fault !== null) throw foreign(path, fault)
    const facts = await factsOf(path)
    if (facts !== null) yield { key, ...facts }
  }
}

async function entriesOf(root: string, base: string): Promise<Entry[]> {
  const path = join(root, base)
  try {
    const entries = await readdir(path, { withFileTypes: true, encoding: 'buffer' })
    return entries
      .map((entry) => {
        const name = entry.name.toString('utf8')
        if (!Buffer.from(name).equals(entry.name)) throw foreign(join(path, name), 'its name is not UTF-8')
        const isFolder = entry.isDirectory()
        return { name, isFolder, isFile: entry.isFile(), order: Buffer.from(isFolder ? `${name}/` : name) }
      })
      .sort((a, b) => Buffer.compare(a.order, b.order))
  } catch (error) {
    // Pruned since its parent was read, or a bucket that nobody has written to yet.
    if (isAbsent(error)) return []
    throw storageFailure('listing', path, error)
  }
}

/** Null when it was deleted since its folder was read. */
async function factsOf(path: string): Promise<Omit<ListedObject, 'key'> | null> {
  try {
    const { size, mtimeMs } = await lstat(path)
    return { size, modifiedAt: Math.floor(mtimeMs) }
  } catch (error) {
    if (isAbsent(error)) return null
    throw storageFailure('listing', path, error)
  }
}

function foreign(path: string, fault: string): PitlaneError {
  return new PitlaneError('STORAGE_FAILED', `${path}: cannot be an object of the bucket: ${fault}`, {
    hint: 'Something else put it there: move it out of the bucket.',
  })
}

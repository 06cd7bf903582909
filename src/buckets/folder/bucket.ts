/**
 * A bucket in a folder, byte for byte what an S3 bucket would hold: one file per object at the path of its key and nothing else, so
 * that any web server or `aws s3 sync` can serve it. Content type and cache control have no place in it and are not kept.
 *
 * An object appears, and is replaced, by one rename or link of a file that is complete and on the disk: a crash at any point leaves the
 * old object or the new one, and perhaps an unlisted temporary file, which a later put removes after a day. Files get mode 0644 and folders
 * 0755 whatever the umask: what is published is for everybody to read. A bucket whose folder is absent is an empty bucket.
 */
import { link, lstat, rename, rmdir, unlink } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { Readable } from 'node:stream'
import type { Clock } from '../../clock.ts'
import { measure } from '../../bytes/digest.ts'
import { PitlaneError, systemCode } from '../../errors.ts'
import { nearestFolder, requireWritableFolder } from '../../files/writable.ts'
import type { Body, Bucket, FoundObject, Lease, LeaseRequest, ListedObject, ObjectFacts, PutOptions } from '../types.ts'
import { isAbsent, storageFailure } from './failure.ts'
import { Folders, objectAndFolder } from './folders.ts'
import { checkKey } from './key.ts'
import { leaseFolder } from './lease.ts'
import { contentsBelow, foldersBelow, listObjects } from './list.ts'
import { bytesOf, checkRealPath, openObject, streamOf } from './object.ts'
import { discard, removeStale, staleFiles, tryWriting, writeTemporary } from './temporary.ts'

/** How often a put starts over because another process pruned the folder it was about to use. */
const TRIES = 100

/** Answers of file systems that have no hard links. */
const LINKLESS = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'EMLINK', 'ENOSYS'])

export function folderBucket(folder: string, clock: Clock): Bucket {
  return new FolderBucket(resolve(folder), clock)
}

class FolderBucket implements Bucket {
  readonly location: string
  readonly #clock: Clock
  readonly #folders: Folders

  constructor(location: string, clock: Clock) {
    this.location = location
    this.#clock = clock
    this.#folders = new Folders(location)
  }

  async put(key: string, body: Body, options: PutOptions): Promise<'written' | 'present'> {
    checkKey(key, this.location)
    const path = join(this.location, key)
    try {
      if (await this.#holds(key, body, options.exclusive)) {
        await this.#folders.syncParents(key)
        return 'present'
      }
      await this.#folders.ensureRoot()
      await removeStale(this.location, this.#clock.now())
      // Before the bytes are written, so that a name that can't be is refused at once.
      await this.#folders.ensureParent(key)
      const temporary = await writeTemporary(this.location, key, body, this.#clock)
      try {
        return await this.#place(temporary, key, body, options.exclusive)
      } finally {
        await discard(this.location, temporary)
      }
    } catch (error) {
      throw storageFailure('writing', path, error)
    }
  }

  async head(key: string): Promise<ObjectFacts | null> {
    const object = await this.#open(key)
    if (object === null) return null
    await object.handle.close()
    return { key, size: object.size }
  }

  async requireWritable(): Promise<void> {
    try {
      await requireWritableFolder(this.location)
      if ((await nearestFolder(this.location)) === this.location) await tryWriting(this.location, this.#clock)
    } catch (error) {
      throw storageFailure('writing to it', this.location, error)
    }
  }

  async read(key: string, limit: number): Promise<Buffer | null> {
    const object = await this.#open(key)
    if (object === null) return null
    if (object.size > limit) {
      await object.handle.close()
      throw new PitlaneError('STORAGE_FAILED', `${object.path}: ${object.size} bytes, more than the ${limit} allowed`, {
        hint: 'Pitlane writes none of that size: look at what it is, and put the right one back from a copy.',
      })
    }
    return bytesOf(object)
  }

  async open(key: string): Promise<Readable | null> {
    const object = await this.#open(key)
    return object === null ? null : streamOf(object)
  }

  list(prefix: string): AsyncIterable<ListedObject> {
    return listObjects(this.location, prefix)
  }

  async folders(prefix: string): Promise<readonly string[]> {
    checkKey(prefix.replace(/\/$/, ''), this.location)
    return foldersBelow(this.location, prefix)
  }

  async contents(
    prefix: string,
    wanted: (name: string) => boolean,
  ): Promise<ReadonlyMap<string, readonly FoundObject[]>> {
    checkKey(prefix.replace(/\/$/, ''), this.location)
    return contentsBelow(this.location, prefix, wanted, this.#clock.now())
  }

  async abandoned(): Promise<readonly string[]> {
    try {
      return await staleFiles(this.location, this.#clock.now())
    } catch (error) {
      throw storageFailure('listing', this.location, error)
    }
  }

  async delete(key: string): Promise<void> {
    checkKey(key, this.location)
    const path = join(this.location, key)
    try {
      const facts = await lstat(path)
      // A folder is no object, so there is nothing to delete under its name.
      if (facts.isDirectory()) return
      await checkRealPath(this.location, key)
      await unlink(path)
      await this.#folders.syncParents(key)
      await this.#folders.prune(key)
    } catch (error) {
      if (isAbsent(error)) return
      throw storageFailure('deleting', path, error)
    }
  }

  async lease(request: LeaseRequest): Promise<Lease> {
    try {
      await this.#folders.ensureRoot()
    } catch (error) {
      throw storageFailure('locking', this.location, error)
    }
    return leaseFolder(this.location, request, this.#clock)
  }

  async #open(key: string) {
    checkKey(key, this.location)
    return openObject(this.location, key)
  }

  /** Whether the key holds exactly these bytes already. `exclusive` refuses others. */
  async #holds(key: string, body: Body, exclusive: boolean): Promise<boolean> {
    const existing = await openObject(this.location, key)
    if (existing === null) return false
    if (existing.size !== body.size && !exclusive) {
      await existing.handle.close()
      return false
    }
    const size = existing.size
    const { sha256 } = await measure(streamOf(existing))
    if (size === body.size && sha256 === body.sha256) return true
    if (!exclusive) return false
    throw new PitlaneError(
      'CONTRADICTION',
      `${join(this.location, key)}: holds ${size} bytes with SHA-256 ${sha256}; refusing to replace them by ${body.size} bytes with SHA-256 ${body.sha256}`,
      { hint: 'What was published under a name keeps its bytes: use a new version.' },
    )
  }

  /** Makes the complete temporary file the object, in one step that no reader and no other writer can see half of. */
  async #place(temporary: string, key: string, body: Body, exclusive: boolean): Promise<'written' | 'present'> {
    const path = join(this.location, key)
    for (let attempt = 1; ; attempt += 1) {
      try {
        await this.#folders.ensureParent(key)
        if (exclusive) await link(temporary, path)
        else await rename(temporary, path)
        await this.#folders.syncParents(key)
        return 'written'
      } catch (error) {
        const code = systemCode(error)
        if (attempt >= TRIES || code === undefined) throw error
        if (code === 'EEXIST' && exclusive && (await this.#holds(key, body, true))) {
          await this.#folders.syncParents(key)
          return 'present'
        }
        if (code === 'EISDIR' || code === 'EEXIST' || code === 'ENOTEMPTY') await this.#clearEmptyFolder(key)
        else if (exclusive && LINKLESS.has(code)) throw linkless(error)
        else if (code !== 'ENOENT') throw error
      }
    }
  }

  /** A folder stands where the object has to go: an empty one is nothing in S3's eyes and makes way. */
  async #clearEmptyFolder(key: string): Promise<void> {
    try {
      await rmdir(join(this.location, key))
    } catch (error) {
      const code = systemCode(error)
      if (code === 'ENOTEMPTY' || code === 'EEXIST') throw objectAndFolderBelow(this.location, key)
      // Gone, or an object by now: the next attempt sees.
      if (!isAbsent(error)) throw error
    }
  }
}

function objectAndFolderBelow(location: string, key: string): PitlaneError {
  return objectAndFolder(location, key, `${key}/…`)
}

function linkless(error: unknown): PitlaneError {
  return new PitlaneError('STORAGE_FAILED', `the bucket's file system refuses a hard link: ${systemCode(error)}`, {
    hint: 'Writing without overwriting needs hard links: put the bucket on a file system that has them (ext4, xfs, btrfs, zfs, tmpfs).',
    cause: error,
  })
}

/** Folders between the bucket's root and its objects: made when the first object needs them, gone with the last, on the disk when told so. */
import { chmod, lstat, mkdir, rmdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { PitlaneError, systemCode } from '../../errors.ts'
import { syncFolder } from '../../files/whole-files.ts'
import { notPlain } from './object.ts'
import { FOLDER_MODE } from './temporary.ts'

/** How often making folders starts over. */
const TRIES = 100

export class Folders {
  readonly #root: string
  /** Folders whose own entry is known to be on the disk, by this process. */
  readonly #durable = new Set<string>()

  constructor(root: string) {
    this.#root = root
  }

  /** Makes the bucket's own folder, wherever it is; the part above it is the person's business, and follows their umask. */
  async ensureRoot(): Promise<void> {
    if (this.#durable.has(this.#root)) return
    const first = await mkdir(this.#root, { recursive: true })
    if (first === undefined) return
    await chmod(this.#root, FOLDER_MODE)
    for (let at = this.#root; at.length >= first.length; at = dirname(at)) await syncIfThere(dirname(at))
    this.#durable.add(this.#root)
  }

  /** Makes the folders above a key; starts over when another process prunes one that was just made. */
  async ensureParent(key: string): Promise<void> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        await this.#makeParent(key)
        return
      } catch (error) {
        if (systemCode(error) !== 'ENOENT' || attempt >= TRIES) throw error
      }
    }
  }

  /** Segment by segment; a link or file among them is refused. */
  async #makeParent(key: string): Promise<void> {
    const segments = key.split('/').slice(0, -1)
    for (let depth = 1; depth <= segments.length; depth += 1) {
      const at = segments.slice(0, depth).join('/')
      const path = join(this.#root, at)
      try {
        await mkdir(path, { mode: FOLDER_MODE })
        await chmod(path, FOLDER_MODE)
        this.#durable.delete(path)
      } catch (error) {
        if (systemCode(error) !== 'EEXIST') throw error
        const facts = await lstat(path)
        if (facts.isFile()) throw objectAndFolder(this.#root, at, key)
        if (!facts.isDirectory()) throw notPlain(path)
      }
    }
  }

  /** Puts the entry of a key on the disk, and the entries of the folders above it that this process has not put there before. */
  async syncParents(key: string): Promise<void> {
    let at = dirname(join(this.#root, key))
    await syncIfThere(at)
    while (at !== this.#root && !this.#durable.has(at)) {
      await syncIfThere(dirname(at))
      this.#durable.add(at)
      at = dirname(at)
    }
  }

  /** Removes the folders above a deleted key that are empty now. A folder that somebody fills meanwhile is not empty, and stays. */
  async prune(key: string): Promise<void> {
    for (let at = dirname(join(this.#root, key)); at !== this.#root; at = dirname(at)) {
      try {
        await rmdir(at)
        this.#durable.delete(at)
      } catch (error) {
        const code = systemCode(error)
        if (code === 'ENOTEMPTY' || code === 'EEXIST') return
        if (code !== 'ENOENT') throw error
      }
    }
  }
}

export function objectAndFolder(root: string, object: string, below: string): PitlaneError {
  return new PitlaneError(
    'CONTRADICTION',
    `${root}: '${object}' is an object and would have to be a folder for '${below}'; a folder can't hold both`,
    { hint: 'Choose another name for one of them.' },
  )
}

/** One that is gone was pruned, because somebody has deleted what was just written. */
async function syncIfThere(path: string): Promise<void> {
  await syncFolder(path).catch((error: unknown) => {
    if (systemCode(error) !== 'ENOENT') throw error
  })
}

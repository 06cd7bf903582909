/**
 * A file that is made before it is needed and then gets another name: a new name is quick, a new file is not. (ext4 passes over inodes
 * that were freed in the last minutes, one by one: right after a checkout was removed, a file took it up to 0.9 ms.)
 */
import { closeSync, linkSync, openSync, unlinkSync } from 'node:fs'
import { systemCode } from '../../errors.ts'

const MODE = 0o644

export class Spare {
  readonly #path: string
  #made = false
  /** What stands at the path has another name, too. */
  #used = false

  constructor(path: string) {
    this.#path = path
  }

  /** Never fails: without a spare `become` makes the file itself. */
  make(): void {
    try {
      if (this.#used) unlinkSync(this.#path)
      closeSync(openSync(this.#path, 'wx', MODE))
      this.#made = true
    } catch {
      this.#made = false
    }
  }

  /**
   * An empty file stands at the path, made by this call.
   * @throws the system's error, `EEXIST` when something stands there already
   */
  become(path: string): void {
    if (this.#made) {
      this.#made = false
      this.#used = true
      try {
        return linkSync(this.#path, path)
      } catch (error) {
        if (systemCode(error) === 'EEXIST') throw error
        // A file system without a second name for a file, or someone removed it.
      }
    }
    closeSync(openSync(path, 'wx', MODE))
  }
}

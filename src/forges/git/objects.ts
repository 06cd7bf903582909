/** Reading git's objects through one process: names go in, objects come out in the same order (gitformat of `git cat-file --batch`). */
import { createHash } from 'node:crypto'
import type { Socket } from 'node:net'
import { PitlaneError } from '../../errors.ts'
import { type GitProcess, startGit } from './git.ts'

export interface ObjectHead {
  /** Full object id. */
  readonly id: string
  readonly type: 'commit' | 'tree' | 'blob' | 'tag'
  /** Bytes of the body that follows, which has to be taken before the next head. */
  readonly size: number
}

/** Bytes; a name is at most 1024 and comes back in the answer. */
const HEAD_BYTES = 4096

/** Milliseconds after which a process is not used again: long before git is stopped for running too long. */
const LIFETIME = 60_000

/**
 * Lends readers, and keeps one that was given back in order for the next one who asks: starting git costs more than most answers. The
 * idle one holds nothing up; it ends with this process, when its standard input closes.
 */
export class ObjectReaders {
  readonly #root: string
  #idle: ObjectReader | undefined

  constructor(root: string) {
    this.#root = root
  }

  /** Ends the idle one. */
  close(): void {
    this.#idle?.end()
    this.#idle = undefined
  }

  /** To be disposed of by the borrower. */
  lend(): ObjectReader {
    const idle = this.#idle
    this.#idle = undefined
    if (idle?.wake()) return idle
    idle?.end()
    return new ObjectReader(this.#root, (reader) => {
      if (this.#idle !== undefined) return reader.end()
      this.#idle = reader
      reader.sleep()
    })
  }
}

export class ObjectReader {
  readonly #root: string
  readonly #git: GitProcess
  readonly #giveBack: (reader: ObjectReader) => void
  readonly #bornAt = performance.now()
  /** Answers not taken yet, bodies included. */
  #owed = 0
  #usable = true
  readonly #chunks: AsyncIterator<Buffer>
  #chunk: Buffer = Buffer.alloc(0)

  constructor(root: string, giveBack: (reader: ObjectReader) => void) {
    this.#root = root
    this.#giveBack = giveBack
    this.#git = startGit(root, ['cat-file', '--batch'])
    this.#chunks = (this.#git.child.stdout as AsyncIterable<Buffer>)[Symbol.asyncIterator]()
  }

  [Symbol.dispose](): void {
    if (this.#usable && this.#owed === 0) this.#giveBack(this)
    else this.end()
  }

  /** Whether it can be used again; from then on it holds this process up. */
  wake(): boolean {
    const { exitCode, signalCode } = this.#git.child
    if (exitCode !== null || signalCode !== null || performance.now() - this.#bornAt > LIFETIME) return false
    this.#hold('ref')
    return true
  }

  sleep(): void {
    this.#hold('unref')
  }

  /** Ends the process, whatever it is doing. */
  end(): void {
    this.#usable = false
    const { child } = this.#git
    child.kill('SIGKILL')
    // Output that nobody takes any more would keep this process alive.
    for (const stream of [child.stdin, child.stdout, child.stderr]) stream.destroy()
  }

  /** Sends names; none may hold a line feed, which separates them. */
  ask(names: readonly string[]): void {
    this.#owed += names.length
    this.#git.child.stdin.write(names.map((name) => `${name}\n`).join(''))
  }

  /** The answer to the next name that was asked. */
  async head(): Promise<ObjectHead | 'missing' | 'ambiguous'> {
    const line = await this.#line()
    const found = /^([0-9a-f]{40}|[0-9a-f]{64}) (commit|tree|blob|tag) (\d+)$/.exec(line)
    if (found !== null) return { id: found[1] ?? '', type: found[2] as ObjectHead['type'], size: Number(found[3]) }
    this.#owed -= 1
    if (line.endsWith(' missing')) return 'missing'
    if (line.endsWith(' ambiguous')) return 'ambiguous'
    this.#usable = false
    throw this.#unexpected(line)
  }

  /** The body that belongs to a head, when it has at most `limit` bytes. */
  async body(head: ObjectHead, limit: number): Promise<Buffer> {
    if (head.size > limit)
      throw new PitlaneError(
        'GIT_FAILED',
        `${this.#root}: the ${head.type} ${head.id} has ${head.size} bytes, more than ${limit}`,
        { hint: 'That much is not read: its message, or what it lists, would have to be shorter.' },
      )
    const whole = Buffer.allocUnsafe(head.size)
    let offset = 0
    await this.pump(head, (chunk) => {
      offset += chunk.copy(whole, offset)
    })
    return whole
  }

  /**
   * Hands the body over piece by piece. Whether it is what the id says is known at the end: git itself looks for that only where it receives objects, and
   * whatever runs as this user can write into the repository.
   * @throws PitlaneError `GIT_FAILED`
   */
  async pump(head: ObjectHead, take: (chunk: Buffer) => void): Promise<void> {
    const hash = createHash(head.id.length === 40 ? 'sha1' : 'sha256').update(`${head.type} ${head.size}\0`)
    for (let left = head.size; left > 0; ) {
      if (this.#chunk.length === 0) await this.#more()
      const piece = this.#chunk.subarray(0, left)
      this.#chunk = this.#chunk.subarray(piece.length)
      left -= piece.length
      hash.update(piece)
      take(piece)
    }
    if (this.#chunk.length === 0) await this.#more()
    if (this.#chunk[0] !== 0x0a) throw this.#unexpected(this.#chunk.subarray(0, 80).toString())
    this.#chunk = this.#chunk.subarray(1)
    this.#owed -= 1
    if (hash.digest('hex') !== head.id)
      throw new PitlaneError(
        'GIT_FAILED',
        `${this.#root}: the ${head.type} ${head.id} has other content than its id says`,
        {
          hint: `Somebody has changed it: look for more with git -C '${this.#root}' fsck, and clone the repository again.`,
        },
      )
  }

  #hold(how: 'ref' | 'unref'): void {
    const { child } = this.#git
    child[how]()
    for (const stream of [child.stdin, child.stdout, child.stderr]) (stream as Socket)[how]()
  }

  async #line(): Promise<string> {
    for (;;) {
      const at = this.#chunk.indexOf(0x0a)
      if (at !== -1) {
        const line = this.#chunk.subarray(0, at).toString()
        this.#chunk = this.#chunk.subarray(at + 1)
        return line
      }
      if (this.#chunk.length > HEAD_BYTES) throw this.#unexpected(this.#chunk.subarray(0, 80).toString())
      const begun = this.#chunk
      await this.#more()
      this.#chunk = Buffer.concat([begun, this.#chunk])
    }
  }

  async #more(): Promise<void> {
    const next = await this.#chunks.next()
    if (next.done !== true) {
      this.#chunk = next.value
      return
    }
    await this.#git.ended
    throw this.#unexpected('the end of the output')
  }

  #unexpected(what: string): PitlaneError {
    return new PitlaneError('GIT_FAILED', `${this.#root}: git cat-file answered with something unexpected: ${what}`)
  }
}

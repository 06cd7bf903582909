/**
 * What this machine remembers of a bucket's signed documents, so that what has not changed is not read and verified again. Nothing depends on it: whoever
 * removes the file waits longer once. One file, to which every command appends what it has learned:
 *
 *     pitlane-documents/1 <version of Pitlane>
 *     d <bytes> <sha256>          then a document of that digest, and a line feed
 *     s <sighting> <sha256> <sum> what a sighting (64 hex digits) showed, and the beginning of the line's own SHA-256
 *
 * What another version has found is not taken over: it may have held documents against other rules. Bytes count when they have the digest that they are asked for by, and a sighting when its sum fits: what a crash or a full disk has left is not taken for
 * anything else, it is read anew.
 */
import { readFileSync } from 'node:fs'
import { appendFile, rm, writeFile } from 'node:fs/promises'
import { sha256Of } from '../../bytes/digest.ts'

const LINE = /^(?:d ([0-9]{1,8}) ([0-9a-f]{64})|s ([0-9a-f]{64}) ([0-9a-f]{64}) ([0-9a-f]{16}))$/
/** Characters of the longest line. */
const LONGEST = 160
/** Bytes: a smaller file is never written anew. */
const SMALL = 1024 * 1024

export interface DocumentMemory {
  /** A document with this digest; null when there is none here. */
  bytes(sha256: string): Buffer | null
  /** The digest of the document that was verified when this was seen; null when it never was. */
  seen(sighting: string): string | null
  /**
   * Only of what was read and verified.
   * @param sighting everything that has to be the same for it to be the same document, as 64 hex digits; null where nothing shows that
   */
  keep(bytes: Buffer, sha256: string, sighting: string | null): void
  /** Writes down what is new. That it can't is no failure of anything: then it is read again next time. */
  save(): Promise<void>
}

/** For whoever has no place for one. */
export function noMemory(): DocumentMemory {
  return { bytes: () => null, seen: () => null, keep: () => undefined, save: async () => undefined }
}

/** Read on first use. Only for whoever holds the state. */
export function documentMemory(file: string, pitlaneVersion: string): DocumentMemory {
  return new FileMemory(file, Buffer.from(`pitlane-documents/1 ${pitlaneVersion}\n`))
}

class FileMemory implements DocumentMemory {
  readonly #file: string
  readonly #head: Buffer
  #loaded: Loaded | undefined
  readonly #new: Buffer[] = []
  /** What this command has asked for or learned. */
  readonly #used = new Map<string, Buffer>()
  readonly #usedSightings = new Map<string, string>()

  constructor(file: string, head: Buffer) {
    this.#file = file
    this.#head = head
  }

  bytes(sha256: string): Buffer | null {
    const used = this.#used.get(sha256)
    if (used !== undefined) return used
    const { documents } = this.#load()
    const bytes = documents.get(sha256)
    if (bytes === undefined) return null
    if (sha256Of(bytes) !== sha256) {
      documents.delete(sha256)
      return null
    }
    this.#used.set(sha256, bytes)
    return bytes
  }

  seen(sighting: string): string | null {
    const sha256 = this.#load().sightings.get(sighting) ?? null
    if (sha256 !== null) this.#usedSightings.set(sighting, sha256)
    return sha256
  }

  keep(bytes: Buffer, sha256: string, sighting: string | null): void {
    if (this.bytes(sha256) === null) {
      this.#used.set(sha256, bytes)
      this.#new.push(documentRecord(bytes, sha256))
    }
    if (sighting === null || this.seen(sighting) === sha256) return
    this.#load().sightings.set(sighting, sha256)
    this.#usedSightings.set(sighting, sha256)
    this.#new.push(sightingRecord(sighting, sha256))
  }

  async save(): Promise<void> {
    const loaded = this.#load()
    const { size, isWhole } = loaded
    const used = [...this.#used.values()].reduce((sum, bytes) => sum + bytes.length, 0)
    const isAnew = isWhole ? size > SMALL && used < size / 2 : size > 0 || this.#new.length > 0
    if (!isAnew && this.#new.length === 0) return
    const records = isAnew
      ? [
          this.#head,
          ...[...this.#used].map(([sha256, bytes]) => documentRecord(bytes, sha256)),
          ...[...this.#usedSightings].map(([sighting, sha256]) => sightingRecord(sighting, sha256)),
        ]
      : this.#new
    const bytes = Buffer.concat(records)
    this.#new.length = 0
    loaded.isWhole = true
    loaded.size = isAnew ? bytes.length : size + bytes.length
    try {
      await (isAnew ? writeFile : appendFile)(this.#file, bytes, { mode: 0o600 })
    } catch {
      // Half of it would be told from the rest; none of it takes no room on a full disk.
      await rm(this.#file, { force: true }).catch(() => undefined)
      loaded.isWhole = false
      loaded.size = 0
    }
  }

  #load(): Loaded {
    return (this.#loaded ??= load(this.#file, this.#head))
  }
}

interface Loaded {
  readonly documents: Map<string, Buffer>
  readonly sightings: Map<string, string>
  /** Bytes. */
  size: number
  /** Whether more can be appended. */
  isWhole: boolean
}

function load(file: string, head: Buffer): Loaded {
  const documents = new Map<string, Buffer>()
  const sightings = new Map<string, string>()
  const all = read(file)
  let at = head.length
  let isWhole = all.subarray(0, at).equals(head)
  while (isWhole && at < all.length) {
    const end = all.subarray(at, at + LONGEST).indexOf(0x0a)
    const line = end === -1 ? '' : all.toString('latin1', at, at + end)
    const [, length, digest = '', sighting, shown = '', sum] = LINE.exec(line) ?? []
    at += end + 1
    if (length !== undefined) {
      const bytes = all.subarray(at, at + Number(length))
      at += bytes.length + 1
      isWhole = all[at - 1] === 0x0a
      if (isWhole) documents.set(digest, bytes)
    } else if (sighting !== undefined && sum === sumOf(sighting, shown)) sightings.set(sighting, shown)
    else isWhole = false
  }
  return { documents, sightings, size: all.length, isWhole }
}

/** Whatever can't be read is not remembered. */
function read(file: string): Buffer {
  try {
    return readFileSync(file)
  } catch {
    return Buffer.alloc(0)
  }
}

function documentRecord(bytes: Buffer, sha256: string): Buffer {
  return Buffer.concat([Buffer.from(`d ${bytes.length} ${sha256}\n`), bytes, Buffer.from('\n')])
}

function sightingRecord(sighting: string, sha256: string): Buffer {
  return Buffer.from(`s ${sighting} ${sha256} ${sumOf(sighting, sha256)}\n`)
}

function sumOf(sighting: string, sha256: string): string {
  return sha256Of(`${sighting} ${sha256}`).slice(0, 16)
}

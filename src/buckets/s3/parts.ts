/** The bytes of large objects, part by part: however many objects are on their way, no more than a few parts are in memory. */
import { giveBack } from '../../bytes/chunks.ts'
import type { Clock } from '../../clock.ts'
import { Slots } from '../../remote/slots.ts'
import type { Body } from '../types.ts'
import { checkedPieces } from './body.ts'

/** S3's limits for multipart uploads ("Multipart upload limits" of the S3 user guide): parts of 5 MiB and more, 10 000 of them. */
const SMALLEST_PART = 8 * 1024 * 1024
const MOST_PARTS = 10_000
/** In memory at once, of all objects. */
const IN_MEMORY = 4

export interface Part {
  /** From 1 on. */
  readonly number: number
  /** Of the memory that is used again: the sender's until it says that it is done. */
  readonly bytes: Buffer
}

/** One for each bucket. */
export class PartMemory {
  readonly #slots: Slots
  readonly #free: Buffer[] = []

  constructor(clock: Clock) {
    this.#slots = new Slots(clock, IN_MEMORY)
  }

  /** The body in equal parts (which R2 demands), the last one the rest. Each is asked for, and used, within `one`. */
  async *partsOf(body: Body, where: string): AsyncGenerator<Part> {
    const partSize = Math.max(SMALLEST_PART, Math.ceil(body.size / MOST_PARTS))
    let number = 1
    let part: Buffer | null = null
    let size = 0
    for await (const piece of checkedPieces(body, where)) {
      for (let at = 0; at < piece.length; ) {
        part ??= this.#take(partSize)
        const copied = piece.copy(part, size, at)
        at += copied
        size += copied
        if (size < partSize) continue
        yield { number, bytes: part }
        number += 1
        part = null
        size = 0
      }
      giveBack(piece)
    }
    if (part !== null) yield { number, bytes: part.subarray(0, size) }
  }

  /** Waits for its turn, asks for the next part, and does the work with it; false at the end. */
  one(parts: AsyncGenerator<Part>, work: (part: Part) => Promise<void>): Promise<boolean> {
    return this.#slots.use(async () => {
      const next = await parts.next()
      if (next.done === true) return false
      const { bytes } = next.value
      await work(next.value)
      if (this.#free.length < IN_MEMORY) this.#free.push(Buffer.from(bytes.buffer))
      return true
    })
  }

  #take(size: number): Buffer {
    const free = this.#free.pop()
    // Objects of more than 80 GB have larger parts.
    return free?.length === size ? free : Buffer.allocUnsafeSlow(size)
  }
}

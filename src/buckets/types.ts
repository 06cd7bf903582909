import type { Readable } from 'node:stream'

/**
 * A bucket: named objects, as in S3. Keys are `/`-separated, relative, without `.` or `..` segments; adapters refuse others.
 *
 * Every method throws `STORAGE_FAILED` when the store can't be reached or refuses; null means that the store gave the definite
 * answer "absent", and nothing else does.
 */
export interface Bucket {
  /** For messages: the folder or address. */
  readonly location: string
  /**
   * Writes an object and reads back that size and digest are the announced ones. A reader sees the old object, or the whole new one.
   * `exclusive` fails with `CONTRADICTION` when the key holds other bytes, and is `present` when it already holds these.
   */
  put(key: string, body: Body, options: PutOptions): Promise<'written' | 'present'>
  head(key: string): Promise<ObjectFacts | null>
  /** Fails where nothing can be written, so that one who is about to work for it learns it before. Nothing stays behind. */
  requireWritable(): Promise<void>
  /** The whole object; fails with `STORAGE_FAILED` when it is larger than `limit` bytes. */
  read(key: string, limit: number): Promise<Buffer | null>
  open(key: string): Promise<Readable | null>
  /** Objects whose key starts with the prefix, in the order of their keys' bytes. */
  list(prefix: string): AsyncIterable<ListedObject>
  /**
   * Names between the prefix, which ends with `/` and is not empty, and the next `/` of the keys below it, in the order of their bytes:
   * what S3 calls common prefixes. May name one that has no object by now.
   */
  folders(prefix: string): Promise<readonly string[]>
  /**
   * For each of these names, in the same order, the objects directly below it that are wanted: `prefix`, the name, `/`, and the name of the object. What
   * it costs grows with everything below the prefix where the store can only list it all. A name may have no such object.
   * @param wanted told the name of the object alone
   */
  contents(prefix: string, wanted: (name: string) => boolean): Promise<ReadonlyMap<string, readonly FoundObject[]>>
  /** What uploads that nobody has ended for a day were to become, sorted: their parts take room, and no listing shows them. */
  abandoned(): Promise<readonly string[]>
  /** Deleting an absent object succeeds. */
  delete(key: string): Promise<void>
  /**
   * Whether objects put with `redirect` send readers on. Stores say yes to everything: it is tried, with a throwaway key that sends to `to`. Absent
   * where nothing of the kind exists.
   * @param ask where a key sends readers where everybody reads, null when nowhere
   */
  redirects?(to: string, ask: (key: string) => Promise<string | null>): Promise<boolean>
  /** Where an object sends readers; null for one that does not, or is absent. */
  redirectOf?(key: string): Promise<string | null>
  /**
   * Takes the bucket for one publisher, until it is released or its holder dies: lists are read, computed and replaced without another
   * publisher in between. Readers need none, and nothing of it is an object that they see. A store without locks keeps an object of its own
   * for it, written on a condition and renewed; once such a lease is lost, the adapter's own writes fail.
   * @throws PitlaneError `BUSY` when somebody else has it for longer than `wait`, `INTERRUPTED` by the signal
   */
  lease(request: LeaseRequest): Promise<Lease>
  /**
   * Before something is written elsewhere that only the holder of the lease may write. Absent where a lease lasts as long as its process.
   * @throws PitlaneError `FENCED` when it was lost
   */
  requireHeld?(): Promise<void>
}

export interface LeaseRequest {
  /**
   * Who publishes, where only one process can be that at a time, whatever became of the ones before it: a lease that a dead one left is then
   * taken over at once. 32 hex digits; without it every request is somebody else's.
   */
  readonly owner?: string
  /** Milliseconds to wait for the present holder; 0 fails at once. */
  readonly wait: number
  /** Called once, when there is somebody to wait for. */
  readonly onWait: (holder: string) => void
  /** Called when the store can't do it, with the reason: then nothing is held. */
  readonly onUnsupported: (reason: string) => void
  /** Called when it is held by a way that was found out, in words: what the store can do is told, and never supposed. */
  readonly onHeld?: (way: string) => void
  readonly signal: AbortSignal
}

export interface Lease {
  release(): Promise<void>
}

export interface Body {
  /** Bytes. */
  readonly size: number
  /** Lower-case hex. */
  readonly sha256: string
  /** A fresh stream at every call: each upload attempt has its own. */
  open(): Readable
  /**
   * For an adapter that reads far ahead of what it sends: told before it opens the stream, and then whenever more is through, how many bytes
   * of the present attempt are.
   */
  sent?(bytes: number): void
}

export interface PutOptions {
  readonly contentType: string
  readonly cacheControl: string
  /** Refuse to replace other bytes. */
  readonly exclusive: boolean
  /** Address that readers are sent on to; only for a bucket that has `redirects`. */
  readonly redirect?: string
  /** Whoever puts it has looked a moment ago: it is absent, or holds something else. */
  readonly looked?: boolean
}

export interface ObjectFacts {
  readonly key: string
  /** Bytes. */
  readonly size: number
}

export interface FoundObject {
  /** Without what it lies below. */
  readonly name: string
  /** While it is the same, so are the bytes. Null where the store tells nothing of the kind: then only reading shows. */
  readonly stamp: string | null
}

export interface ListedObject extends ObjectFacts {
  /** When it was written last, milliseconds since 1970. */
  readonly modifiedAt: number
}

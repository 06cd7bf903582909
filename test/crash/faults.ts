// Wraps the ports of a run so that it can be made to die, or its storage to fail, at any point where it touches the outside.
import { Readable } from 'node:stream'
import type { ContentStore } from '../../src/artifact/content.ts'
import type { Body, Bucket } from '../../src/buckets/types.ts'
import type { State } from '../../src/cli/context.ts'
import type { Writer } from '../../src/database/writer.ts'
import { PitlaneError } from '../../src/errors.ts'
import type { AttemptRef, Executor, StepRef } from '../../src/executors/types.ts'
import type { Registry } from '../../src/image/types.ts'
import type { Overrides } from '../../src/main.ts'

/** `uncommitted`: in the transaction, after its work. `middle`: half of the body is written. */
type When = 'before' | 'uncommitted' | 'middle' | 'after'

export interface Point {
  /** What, which one, how often it was reached before, and when: names the same moment in every run. */
  readonly name: string
  /** Whether the disk differs from what it was at the point before. */
  readonly distinct: boolean
}

export interface Fault {
  /** Name of a point. */
  readonly at: string
  /** `kill`: SIGKILL to this very process. `fail`: what was tried throws `STORAGE_FAILED`. */
  readonly how: 'kill' | 'fail'
}

export class Faults {
  readonly points: Point[] = []
  readonly #seen = new Map<string, number>()
  readonly #fault: Fault | null
  /** Whether the fault has happened. */
  struck = false

  constructor(fault: Fault | null) {
    this.#fault = fault
  }

  /** Wraps everything that `main` builds. */
  get wrap(): NonNullable<Overrides['wrap']> {
    return {
      state: (state) => this.#state(state),
      bucket: (bucket) => this.#bucket(bucket),
      registry: (registry) => this.#registry(registry),
    }
  }

  /** An occurrence of `what`: its points are numbered together. */
  #begin(what: string): (when: When, distinct: boolean) => void {
    const number = (this.#seen.get(what) ?? 0) + 1
    this.#seen.set(what, number)
    return (when, distinct) => {
      const name = `${what} #${number} ${when}`
      this.points.push({ name, distinct })
      if (this.#fault?.at !== name) return
      this.struck = true
      if (this.#fault.how === 'kill') {
        process.kill(process.pid, 'SIGKILL')
        // The signal is delivered when the system call returns; never go on.
        for (;;);
      }
      throw new PitlaneError('STORAGE_FAILED', `the disk failed at "${name}"`)
    }
  }

  /** An operation that changes something outside. */
  async #effect<T>(what: string, act: (at: (when: When, distinct: boolean) => void) => Promise<T>): Promise<T> {
    const at = this.#begin(what)
    at('before', false)
    const result = await act(at)
    at('after', true)
    return result
  }

  async #look<T>(what: string, act: () => Promise<T>): Promise<T> {
    const at = this.#begin(what)
    at('before', false)
    const result = await act()
    at('after', false)
    return result
  }

  #state(state: State): State {
    return {
      ...state,
      writer: this.#writer(state.writer),
      content: this.#content(state.content),
      executor: this.#executor(state.executor),
    }
  }

  #writer(writer: Writer): Writer {
    return {
      db: writer.db,
      write: (work) =>
        this.#effect('write', (at) =>
          writer.write(async (trx) => {
            const result = await work(trx)
            at('uncommitted', false)
            return result
          }),
        ),
    }
  }

  #content(content: ContentStore): ContentStore {
    return {
      ...content,
      put: (path) => this.#effect('content.put', () => content.put(path)),
      putFrom: (source, path, limit) => this.#effect(`content.put ${path}`, () => content.putFrom(source, path, limit)),
    }
  }

  #executor(executor: Executor): Executor {
    const attempt = (ref: AttemptRef) => ref.attemptId
    const step = (ref: StepRef) => `${attempt(ref.attempt)}/${ref.index}`
    return {
      name: executor.name,
      isolation: () => executor.isolation(),
      outputPath: (ref) => executor.outputPath(ref),
      wait: (ref, signal) => executor.wait(ref, signal),
      close: () => executor.close(),
      prepare: (ref) => this.#effect(`executor.prepare ${attempt(ref)}`, () => executor.prepare(ref)),
      start: (order) => this.#effect(`executor.start ${step(order)}`, () => executor.start(order)),
      attach: (ref) => this.#effect(`executor.attach ${step(ref)}`, () => executor.attach(ref)),
      kill: (ref) => this.#effect(`executor.kill ${step(ref)}`, () => executor.kill(ref)),
      destroy: (ref) => this.#effect(`executor.destroy ${attempt(ref)}`, () => executor.destroy(ref)),
      remove: (folder) => executor.remove(folder),
    }
  }

  #bucket(bucket: Bucket): Bucket {
    return {
      location: bucket.location,
      put: (key, body, options) =>
        this.#effect(`bucket.put ${key}`, (at) => bucket.put(key, halved(body, at), options)),
      delete: (key) => this.#effect(`bucket.delete ${key}`, () => bucket.delete(key)),
      head: (key) => this.#look(`bucket.head ${key}`, () => bucket.head(key)),
      read: (key, limit) => this.#look(`bucket.read ${key}`, () => bucket.read(key, limit)),
      open: (key) => this.#look(`bucket.open ${key}`, () => bucket.open(key)),
      list: (prefix) => bucket.list(prefix),
    }
  }

  #registry(registry: Registry): Registry {
    return {
      location: registry.location,
      hasBlob: (repository, digest) =>
        this.#look(`registry.hasBlob ${repository}@${digest}`, () => registry.hasBlob(repository, digest)),
      putBlob: (repository, blob) =>
        this.#effect(`registry.putBlob ${repository}@${blob.digest}`, (at) =>
          registry.putBlob(repository, { ...blob, open: () => halfThen(blob.open(), at) }),
        ),
      openBlob: (repository, digest) =>
        this.#look(`registry.openBlob ${repository}@${digest}`, () => registry.openBlob(repository, digest)),
      putManifest: (repository, mediaType, bytes) =>
        this.#effect(`registry.putManifest ${repository} ${bytes.length}`, () =>
          registry.putManifest(repository, mediaType, bytes),
        ),
      readManifest: (repository, digest) =>
        this.#look(`registry.readManifest ${repository}@${digest}`, () => registry.readManifest(repository, digest)),
      resolveTag: (repository, tag) =>
        this.#look(`registry.resolveTag ${repository}:${tag}`, () => registry.resolveTag(repository, tag)),
      putTag: (repository, tag, descriptor) =>
        this.#effect(`registry.putTag ${repository}:${tag}`, () => registry.putTag(repository, tag, descriptor)),
      listTags: (repository) => registry.listTags(repository),
    }
  }
}

function halved(body: Body, at: (when: When, distinct: boolean) => void): Body {
  return { size: body.size, sha256: body.sha256, open: () => halfThen(body.open(), at) }
}

/** Gives half of a body, then comes to a point, then gives the rest. A body is small here: it is read whole. */
function halfThen(source: Readable, at: (when: When, distinct: boolean) => void): Readable {
  async function* halves(): AsyncGenerator<Buffer> {
    const chunks: Buffer[] = []
    for await (const chunk of source) chunks.push(chunk as Buffer)
    const bytes = Buffer.concat(chunks)
    const half = Math.floor(bytes.length / 2)
    yield bytes.subarray(0, half)
    at('middle', true)
    yield bytes.subarray(half)
  }
  // No reading ahead: the second half is asked for when the first one is written.
  return Readable.from(halves(), { objectMode: true, highWaterMark: 1 })
}

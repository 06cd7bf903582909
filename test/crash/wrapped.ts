// Wraps the ports of a run, so that whatever it does outside comes to a point before, in the middle, and after.
import { Readable } from 'node:stream'
import type { ContentStore } from '../../src/artifact/content.ts'
import type { Body, Bucket } from '../../src/buckets/types.ts'
import type { AttemptRef, Executor, StepRef } from '../../src/executors/types.ts'
import { digestOf } from '../../src/image/names.ts'
import type { Registry } from '../../src/image/types.ts'
import type { Overrides } from '../../src/main.ts'
import type { At, Faults } from './faults.ts'

/** Wraps everything that `main` builds. */
export function wrapped(faults: Faults): NonNullable<Overrides['wrap']> {
  return {
    state: (state) => ({
      ...state,
      writer: { db: state.writer.db, write: (work, options) => faults.transaction(state.writer, work, options) },
      content: wrapContent(state.content, faults),
      executor: wrapExecutor(state.executor, faults),
    }),
    bucket: (bucket) => wrapBucket(bucket, faults),
    registry: (registry) => wrapRegistry(registry, faults),
  }
}

function wrapContent(content: ContentStore, faults: Faults): ContentStore {
  return {
    ...content,
    put: (path) => faults.outside('content.put', () => content.put(path)),
    remove: (sha256) => faults.outside(`content.remove ${sha256}`, () => content.remove(sha256)),
    putChunks: (source, from) =>
      faults.outside(`content.put ${from}`, (at) =>
        content.putChunks(halfThen({ open: () => Readable.from(source) }, at), from),
      ),
    putFrom: (source, path, limit) => faults.outside(`content.put ${path}`, () => content.putFrom(source, path, limit)),
  }
}

function wrapExecutor(executor: Executor, faults: Faults): Executor {
  const attempt = (ref: AttemptRef) => ref.attemptId
  const step = (ref: StepRef) => `${attempt(ref.attempt)}/${ref.index}`
  const moving = async <T>(what: string, act: () => Promise<T>) => {
    faults.moving.add(what)
    const result = await faults.outside(what, act)
    faults.moving.delete(what)
    return result
  }
  return {
    name: executor.name,
    isolation: () => executor.isolation(),
    outputPath: (ref) => executor.outputPath(ref),
    async wait(ref, signal) {
      const exit = await executor.wait(ref, signal)
      faults.moving.delete(step(ref))
      return exit
    },
    close: () => executor.close(),
    expect: (ref) => executor.expect(ref),
    prepare: (ref) => moving(`executor.prepare ${attempt(ref)}`, () => executor.prepare(ref)),
    start: (order) =>
      faults.outside(`executor.start ${step(order)}`, () => {
        faults.moving.add(step(order))
        return executor.start(order)
      }),
    disarm: (ref) => moving(`executor.disarm ${step(ref)}`, () => executor.disarm(ref)),
    attach: (ref) =>
      faults.outside(`executor.attach ${step(ref)}`, async () => {
        const found = await executor.attach(ref)
        if (found === 'running') faults.moving.add(step(ref))
        return found
      }),
    kill: (ref) => moving(`executor.kill ${step(ref)}`, () => executor.kill(ref)),
    destroy: (ref) => moving(`executor.destroy ${attempt(ref)}`, () => executor.destroy(ref)),
    remove: (folder) => executor.remove(folder),
  }
}

function wrapBucket(bucket: Bucket, faults: Faults): Bucket {
  return {
    location: bucket.location,
    put: (key, body, options) =>
      faults.outside(`bucket.put ${key}`, (at) =>
        bucket.put(key, { size: body.size, sha256: body.sha256, open: () => halfThen(body, at) }, options),
      ),
    delete: (key) => faults.outside(`bucket.delete ${key}`, () => bucket.delete(key)),
    requireWritable: () => faults.outside('bucket.requireWritable', () => bucket.requireWritable()),
    head: (key) => faults.outside(`bucket.head ${key}`, () => bucket.head(key)),
    read: (key, limit) => faults.outside(`bucket.read ${key}`, () => bucket.read(key, limit)),
    open: (key) => faults.outside(`bucket.open ${key}`, () => bucket.open(key)),
    list: (prefix) => bucket.list(prefix),
    folders: (prefix) => bucket.folders(prefix),
    contents: (prefix, wanted) => bucket.contents(prefix, wanted),
    abandoned: () => bucket.abandoned(),
    lease: (request) => bucket.lease(request),
    requireHeld: async () => bucket.requireHeld?.(),
  }
}

function wrapRegistry(registry: Registry, faults: Faults): Registry {
  return {
    location: registry.location,
    requireWritable: (repository) =>
      faults.outside(`registry.requireWritable ${repository}`, () => registry.requireWritable(repository)),
    hasBlob: (repository, digest) =>
      faults.outside(`registry.hasBlob ${repository}@${digest}`, () => registry.hasBlob(repository, digest)),
    putBlob: (repository, blob) =>
      faults.outside(`registry.putBlob ${repository}@${blob.digest}`, (at) =>
        registry.putBlob(repository, { ...blob, open: () => halfThen(blob, at) }),
      ),
    openBlob: (repository, digest) =>
      faults.outside(`registry.openBlob ${repository}@${digest}`, () => registry.openBlob(repository, digest)),
    putManifest: (repository, mediaType, bytes) =>
      faults.outside(`registry.putManifest ${repository}@${digestOf(bytes)}`, () =>
        registry.putManifest(repository, mediaType, bytes),
      ),
    readManifest: (repository, digest) =>
      faults.outside(`registry.readManifest ${repository}@${digest}`, () => registry.readManifest(repository, digest)),
    resolveTag: (repository, tag) =>
      faults.outside(`registry.resolveTag ${repository}:${tag}`, () => registry.resolveTag(repository, tag)),
    putTag: (repository, tag, descriptor, from) =>
      faults.outside(`registry.putTag ${repository}:${tag}`, () => registry.putTag(repository, tag, descriptor, from)),
    listTags: (repository) => registry.listTags(repository),
    deleteTag: (repository, tag, digest) =>
      faults.outside(`registry.deleteTag ${repository}:${tag}`, () => registry.deleteTag(repository, tag, digest)),
    deleteManifest: (repository, digest) =>
      faults.outside(`registry.deleteManifest ${repository}@${digest}`, () =>
        registry.deleteManifest(repository, digest),
      ),
    deleteBlob: (repository, digest) =>
      faults.outside(`registry.deleteBlob ${repository}@${digest}`, () => registry.deleteBlob(repository, digest)),
  }
}

/** Gives half of a body, then comes to a point, then gives the rest. A body is small here: it is read whole. */
function halfThen(body: Pick<Body, 'open'>, at: At): Readable {
  async function* halves(): AsyncGenerator<Buffer> {
    const chunks: Buffer[] = []
    for await (const chunk of body.open()) chunks.push(chunk as Buffer)
    const bytes = Buffer.concat(chunks)
    const half = Math.floor(bytes.length / 2)
    yield bytes.subarray(0, half)
    await at('middle')
    yield bytes.subarray(half)
  }
  // No reading ahead: the second half is asked for when the first one is written.
  return Readable.from(halves(), { objectMode: true, highWaterMark: 1 })
}

/** What obligations are counted against: operations that are about to be carried out, or what they have left behind. */
import { buffer } from 'node:stream/consumers'
import { KEYS } from '../plan/keys.ts'
import type { Presence } from './obligations.ts'
import { type Operation, operationFacts } from './publication.ts'
import { LIST_LIMIT, parseSiteIndex } from './lists/site-index.ts'
import type { Readers } from './shown.ts'
import { SIDE_LIMIT } from './verify/verify-document.ts'

/** What will be there once the operations are carried out. */
export function declared(operations: readonly Operation[]): Presence {
  const all = new Map(operations.map((operation) => [operationFacts(operation).destination, operation]))
  return {
    object: async (key) => {
      const operation = all.get(key)
      return operation?.to === 'bucket' ? operation.body.sha256 : null
    },
    bytes: async (key) => {
      const operation = all.get(key)
      return operation?.to === 'bucket' ? buffer(operation.body.open()) : null
    },
    manifest: async (repository, digest) => {
      const operation = all.get(`${repository}@${digest}`)
      return operation?.to === 'manifest' ? operation.bytes : null
    },
    tag: async (repository, tag) => {
      const operation = all.get(`${repository}:${tag}`)
      return operation?.to === 'tag' ? operation.descriptor.digest : null
    },
    lists: null,
  }
}

/**
 * What was read back, right before tags and lists: the tags are still to come.
 * @param sha256s of every object that was read whole, by key
 */
export function readBackPresence(
  { bucket, registry }: Readers,
  sha256s: ReadonlyMap<string, string>,
  operations: readonly Operation[],
): Presence {
  return {
    object: async (key) => sha256s.get(key) ?? null,
    bytes: (key) => bucket.read(key, SIDE_LIMIT),
    // The index has to do with each of its platforms.
    manifest: onceEach(async (repository, digest) => (await registry?.readManifest(repository, digest)) ?? null),
    tag: declared(operations).tag,
    lists: null,
  }
}

/** The same once everything is out: tags as the registry has them, page and index as readers see them. */
export async function visiblePresence(places: Readers, sha256s: ReadonlyMap<string, string>): Promise<Presence> {
  const { bucket, registry } = places
  const [shown, list] = await Promise.all([bucket.read(KEYS.page, LIST_LIMIT), bucket.read(KEYS.index, LIST_LIMIT)])
  const page = shown?.toString('utf8') ?? ''
  const index = parseSiteIndex(list ?? Buffer.alloc(0), KEYS.index)
  return {
    ...readBackPresence(places, sha256s, []),
    tag: onceEach(async (repository, tag) => (await registry?.resolveTag(repository, tag))?.digest ?? null),
    lists: { page, index },
  }
}

/** Asks the same only once. */
function onceEach<T>(ask: (repository: string, name: string) => Promise<T>): typeof ask {
  const asked = new Map<string, Promise<T>>()
  return (repository, name) => {
    const key = `${repository}@${name}`
    const answer = asked.get(key) ?? ask(repository, name)
    asked.set(key, answer)
    return answer
  }
}

/** Images as people get them. */
import { PitlaneError } from '../errors.ts'
import type { Registry } from './types.ts'

/** The half of a registry that reads. */
export type Pullable = Pick<Registry, 'location' | 'hasBlob' | 'openBlob' | 'readManifest' | 'resolveTag' | 'listTags'>

/**
 * Reads without a login, and with the own one what is denied to others.
 *
 * @param self built when something is denied for the first time: looking for a login asks programs of the user's
 * @param onPrivate told of a repository, each time when something of it is there and only who logs in gets it
 */
export function pulledByAnybody(
  anybody: Pullable,
  self: () => Promise<Pullable>,
  onPrivate: (repository: string) => void,
): Pullable {
  let own: Promise<Pullable> | undefined
  async function asked<T>(repository: string, ask: (registry: Pullable) => Promise<T>): Promise<T> {
    try {
      return await ask(anybody)
    } catch (error) {
      if (!(error instanceof PitlaneError) || error.code !== 'REGISTRY_DENIED') throw error
    }
    const found = await ask(await (own ??= self()))
    // Some registries deny what is not there yet, too.
    if (found !== null && found !== false) onPrivate(repository)
    return found
  }
  return {
    location: anybody.location,
    hasBlob: (repository, digest) => asked(repository, (registry) => registry.hasBlob(repository, digest)),
    openBlob: (repository, digest) => asked(repository, (registry) => registry.openBlob(repository, digest)),
    readManifest: (repository, digest) => asked(repository, (registry) => registry.readManifest(repository, digest)),
    resolveTag: (repository, tag) => asked(repository, (registry) => registry.resolveTag(repository, tag)),
    listTags: (repository) => asked(repository, (registry) => registry.listTags(repository)),
  }
}

/** What the tags of an image layout lead to: none of it may be deleted. */
import type { BlobFolder } from './blob-folder.ts'
import { PitlaneError } from '../errors.ts'
import { entriesOf, type LayoutIndex } from './layout-index.ts'
import { partsOfAny } from './manifest.ts'
import { MANIFEST_LIMIT } from './media-types.ts'
import { isDigest } from './names.ts'

/** Bytes of manifests lead on at most so deep: image index, manifest, and what other tools put in between. */
const DEPTH = 4

/**
 * Digests of every manifest and blob that an entry of the index names, directly or through others.
 * @throws PitlaneError `STORAGE_FAILED` when a manifest can't be understood: what it names is not known then
 */
export async function reachable(index: LayoutIndex, blobs: BlobFolder, where: string): Promise<ReadonlySet<string>> {
  const found = new Set<string>()
  let level = entriesOf(index)
  for (let depth = 0; level.length > 0; depth += 1) {
    const next: { readonly digest: string; readonly mediaType: string }[] = []
    for (const { digest } of level) {
      if (found.has(digest) || !isDigest(digest)) continue
      found.add(digest)
      const bytes = depth < DEPTH ? await blobs.read(digest, MANIFEST_LIMIT) : null
      if (bytes === null) continue
      const parts = partsOfAny(bytes)
      if ('problem' in parts)
        throw new PitlaneError('STORAGE_FAILED', `${where}: ${digest} cannot be read as a manifest: ${parts.problem}`, {
          hint: 'Nothing is deleted while it is not known what it names. Was it written by another tool? Move it to a layout of its own.',
        })
      for (const { digest: blob } of parts.value.blobs) found.add(blob)
      next.push(...parts.value.manifests)
    }
    level = next
  }
  return found
}

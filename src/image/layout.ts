/**
 * A registry that is a folder: an OCI image layout (OCI image specification 1.1, image-layout.md) with several repositories. Blobs and
 * manifests are shared by all of them and named by digest; see `layout-index.ts` for the tags.
 *
 * A missing folder is an empty registry. The caller holds the project's lock while it writes; readers need none, since every file
 * appears whole. What another tool left in the layout is kept.
 */
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { exclusively } from '../parallel.ts'
import { PitlaneError } from '../errors.ts'
import { storageFailed } from '../files/storage-failed.ts'
import { makeFolder, writeAll, writeWhole } from '../files/whole-files.ts'
import { requireWritableFolder } from '../files/writable.ts'
import { blobFolder } from './blob-folder.ts'
import {
  EMPTY_INDEX,
  encodeLayoutIndex,
  findTag,
  LAYOUT_MARKER,
  type LayoutIndex,
  parseLayoutIndex,
  parseLayoutMarker,
  tagsOf,
  withoutTag,
  withTag,
} from './layout-index.ts'
import { readParts } from './manifest.ts'
import { MANIFEST_LIMIT } from './media-types.ts'
import { digestOf, requireDigest, requireRepository, requireTag } from './names.ts'
import { readSmall, unfinished } from './layout-files.ts'
import { reachable } from './layout-reach.ts'
import type { Deletion, Descriptor, Registry } from './types.ts'

/** Bytes: some hundred thousand tags. */
const INDEX_LIMIT = 64 * 1024 * 1024
const MARKER_LIMIT = 4096
const LOST = 'The layout has lost a file: run the same command again, or put the file back from a copy.'

/** No file is touched before the first call. */
export function layoutRegistry(folder: string): Registry {
  const blobs = blobFolder(join(folder, 'blobs', 'sha256'))
  const indexPath = join(folder, 'index.json')
  const markerPath = join(folder, 'oci-layout')

  async function readIndex(): Promise<LayoutIndex> {
    const marker = await readSmall(markerPath, MARKER_LIMIT)
    if (marker !== null) parseLayoutMarker(marker, markerPath)
    const bytes = await readSmall(indexPath, INDEX_LIMIT)
    return bytes === null ? EMPTY_INDEX : parseLayoutIndex(bytes, indexPath)
  }

  async function replace(path: string, name: string, bytes: Buffer): Promise<void> {
    await writeWhole(unfinished(folder, name), async (handle) => {
      await writeAll(handle, bytes, 0)
      return { path }
    })
  }

  /** Makes the folder a layout before the first blob, so that it is a readable, empty one at every moment. */
  function prepare(): Promise<void> {
    return exclusively(indexPath, async () => {
      await makeFolder(blobs.folder)
      if ((await readSmall(markerPath, MARKER_LIMIT)) === null) await replace(markerPath, 'oci-layout', LAYOUT_MARKER)
      const index = await readIndex()
      if (index === EMPTY_INDEX) await replace(indexPath, 'index.json', encodeLayoutIndex(EMPTY_INDEX))
    })
  }

  async function putBlob(digest: string, size: number, open: () => Readable): Promise<void> {
    await prepare()
    await blobs.put(digest, size, open)
  }

  async function requirePart(part: Descriptor, of: string): Promise<void> {
    const size = await blobs.sizeOf(part.digest)
    if (size === part.size) return
    if (size === null) {
      throw new PitlaneError('NOT_FOUND', `${folder}: ${of} names ${part.digest}, which is not there`, { hint: LOST })
    }
    throw new PitlaneError(
      'CONTRADICTION',
      `${folder}: ${of} says ${part.size} bytes for ${part.digest}, which has ${size}`,
    )
  }

  /** Fails unless the tag is free, names this digest already or the one that it moves on from, and the manifest is there. */
  async function requireTaggable(
    name: string,
    present: Descriptor | null,
    wanted: Descriptor,
    from: string | null,
  ): Promise<void> {
    if (present !== null && present.digest !== wanted.digest && present.digest !== from) {
      throw new PitlaneError(
        'CONTRADICTION',
        `${folder}: the tag ${name} names ${present.digest} and would be moved to ${wanted.digest}`,
        { hint: 'A published tag never moves. Publish the other image under another version.' },
      )
    }
    const bytes = await blobs.read(wanted.digest, MANIFEST_LIMIT)
    if (bytes === null)
      throw new PitlaneError('NOT_FOUND', `${folder}: there is no manifest ${wanted.digest} to tag ${name}`, {
        hint: LOST,
      })
    if (bytes.length !== wanted.size) {
      throw new PitlaneError(
        'CONTRADICTION',
        `${folder}: ${wanted.digest} has ${bytes.length} bytes, the tag ${name} would say ${wanted.size}`,
      )
    }
    const parts = readParts(wanted.mediaType, bytes)
    if ('problem' in parts)
      throw new PitlaneError('CONTRADICTION', `${folder}: ${wanted.digest} cannot be tagged: ${parts.problem}`)
  }

  /** For one state of the tags: manifests and blobs never change. */
  let reach: { readonly tags: string; readonly digests: ReadonlySet<string> } | null = null

  async function remove(repository: string, digest: string): Promise<Deletion> {
    requireRepository(repository)
    requireDigest(digest)
    return exclusively(indexPath, async () => {
      if ((await blobs.sizeOf(digest)) === null) return 'absent'
      const index = await readIndex()
      const tags = digestOf(encodeLayoutIndex(index))
      if (reach?.tags !== tags) reach = { tags, digests: await reachable(index, blobs, folder) }
      if (reach.digests.has(digest)) return 'in-use'
      return (await blobs.remove(digest)) ? 'deleted' : 'absent'
    })
  }

  return {
    location: folder,

    async requireWritable(repository) {
      requireRepository(repository)
      await requireWritableFolder(folder).catch((error: unknown) => {
        throw storageFailed('writing to it', folder, error)
      })
    },

    async hasBlob(repository, digest) {
      requireRepository(repository)
      requireDigest(digest)
      return blobs.has(digest)
    },

    async putBlob(repository, blob) {
      requireRepository(repository)
      requireDigest(blob.digest)
      await putBlob(blob.digest, blob.size, () => blob.open())
    },

    async openBlob(repository, digest) {
      requireRepository(repository)
      return blobs.open(digest)
    },

    async putManifest(repository, mediaType, bytes) {
      requireRepository(repository)
      if (bytes.length > MANIFEST_LIMIT) {
        throw new PitlaneError('INTERNAL', `a manifest of ${bytes.length} bytes is larger than registries accept`)
      }
      const parts = readParts(mediaType, bytes)
      if ('problem' in parts) throw new PitlaneError('INTERNAL', `the manifest is not valid: ${parts.problem}`)
      const digest = digestOf(bytes)
      for (const part of [...parts.value.blobs, ...parts.value.manifests]) await requirePart(part, digest)
      await putBlob(digest, bytes.length, () => Readable.from([bytes]))
      return { mediaType, digest, size: bytes.length }
    },

    async readManifest(repository, digest) {
      requireRepository(repository)
      return blobs.read(digest, MANIFEST_LIMIT)
    },

    async resolveTag(repository, tag) {
      requireRepository(repository)
      requireTag(tag)
      return findTag(await readIndex(), repository, tag, indexPath)
    },

    async putTag(repository, tag, descriptor, from = null) {
      requireRepository(repository)
      requireTag(tag)
      requireDigest(descriptor.digest)
      await prepare()
      await exclusively(indexPath, async () => {
        const index = await readIndex()
        const present = findTag(index, repository, tag, indexPath)
        await requireTaggable(`${repository}:${tag}`, present, descriptor, from)
        if (present?.digest === descriptor.digest) return
        const free = withoutTag(index, repository, tag)
        await replace(indexPath, 'index.json', encodeLayoutIndex(withTag(free, repository, tag, descriptor)))
      })
    },

    async listTags(repository) {
      requireRepository(repository)
      return tagsOf(await readIndex(), repository)
    },

    async deleteTag(repository, tag, digest) {
      requireRepository(repository)
      requireTag(tag)
      requireDigest(digest)
      return exclusively(indexPath, async () => {
        const index = await readIndex()
        const present = findTag(index, repository, tag, indexPath)
        if (present === null) return 'absent'
        if (present.digest !== digest)
          throw new PitlaneError(
            'CONTRADICTION',
            `${folder}: the tag ${repository}:${tag} names ${present.digest}, and ${digest} was to lose it`,
            { hint: 'Somebody has moved the tag: it stays as it is.' },
          )
        await replace(indexPath, 'index.json', encodeLayoutIndex(withoutTag(index, repository, tag)))
        return 'deleted'
      })
    },

    deleteManifest: remove,
    deleteBlob: remove,
  }
}

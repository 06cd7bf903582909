/** One operation carried out. Only the journal does that, which has written it down before; each finds out by itself whether it has happened. */
import type { Bucket } from '../buckets/types.ts'
import { PitlaneError } from '../errors.ts'
import { readIndex } from '../image/manifest.ts'
import type { Registry } from '../image/types.ts'
import type { Piece } from '../run/meter.ts'
import { countedBody } from './counted.ts'
import { measureThere } from './digest.ts'
import { requireOwn } from './lists/floating.ts'
import type { Entry, Operation } from './publication.ts'
import type { Published } from './verify/verify-document.ts'

/** Where operations have their effect; null where none of them is. */
export interface Places {
  readonly bucket: Bucket | null
  readonly registry: Registry | null
}

/** Bytes: what is shorter costs less to be read than to be asked for. */
const LONG = 64 * 1024

/** What goes over the line for it, if anything does. */
export function bytesOf(operation: Operation): number {
  switch (operation.to) {
    case 'bucket':
    case 'blob':
      return operation.body.size
    case 'manifest':
      return operation.bytes.length
    case 'removal':
    case 'tag':
    case 'floating':
      return 0
  }
}

/** @param found whether the object is there, for a caller that has just asked; null: nobody has */
export async function perform(
  { bucket, registry }: Places,
  entry: Entry,
  operation: Operation,
  piece: Piece,
  found: boolean | null = null,
): Promise<void> {
  if (operation.to === 'bucket') {
    if (bucket === null) throw new PitlaneError('INTERNAL', 'an operation on a bucket without a bucket')
    const isAsked = entry.kind === 'ask-then-do'
    if (isAsked && (found ?? (await isThere(bucket, operation)))) return
    await bucket.put(operation.key, countedBody(operation.body, piece), { ...operation.options, looked: isAsked })
    return
  }
  if (operation.to === 'removal') return bucket?.delete(operation.key)
  if (registry === null) throw new PitlaneError('INTERNAL', 'an image operation without a registry')
  // A registry has no lock of its own.
  await bucket?.requireHeld?.()
  switch (operation.to) {
    case 'blob': {
      const body = countedBody(operation.body, piece)
      return registry.putBlob(operation.repository, {
        digest: `sha256:${body.sha256}`,
        size: body.size,
        open: () => body.open(),
      })
    }
    case 'manifest':
      await registry.putManifest(operation.repository, operation.mediaType, operation.bytes)
      return piece.at(operation.bytes.length)
    case 'tag':
      return registry.putTag(operation.repository, operation.tag, operation.descriptor)
    case 'floating':
      return moveTag(registry, operation)
  }
}

/** Whether the bucket has exactly this object, and sends readers where it should. */
export async function isThere(
  bucket: Published,
  { key, body, options }: Extract<Operation, { to: 'bucket' }>,
): Promise<boolean> {
  const { redirect } = options
  // Where everybody reads, its bytes are not what is served.
  if (redirect !== undefined && bucket.redirectOf !== undefined) return (await bucket.redirectOf(key)) === redirect
  // What has another size is another one: a long list that has grown is not fetched to see that.
  if (body.size >= LONG && bucket.head !== undefined && (await bucket.head(key))?.size !== body.size) return false
  return (await measureThere(await bucket.open(key)))?.sha256 === body.sha256
}

async function moveTag(registry: Registry, operation: Extract<Operation, { to: 'floating' }>): Promise<void> {
  const { repository, tag, digest } = operation
  const present = (await registry.resolveTag(repository, tag))?.digest ?? null
  if (present === digest) return
  if (present !== null) requireOwn(`${repository}:${tag}`, present, operation)
  if (digest === null) {
    // One that does not delete tags keeps it: `verify` says so.
    if (present !== null) await registry.deleteTag(repository, tag, present)
    return
  }
  const bytes = await registry.readManifest(repository, digest)
  const index = bytes === null ? null : readIndex(bytes)
  if (bytes === null || index === null || 'problem' in index)
    throw new PitlaneError('NOT_FOUND', `${registry.location}/${repository} has no image ${digest} for ${tag}`, {
      hint: 'The registry has lost it: put it back from a copy, by digest, or withdraw the version that it is of.',
    })
  await registry.putTag(repository, tag, { mediaType: index.value.mediaType, digest, size: bytes.length }, present)
}

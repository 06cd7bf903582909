/**
 * `index.json` of an OCI image layout (OCI image specification 1.1, image-layout.md), which is where a layout keeps its tags. Pure.
 *
 * One layout holds several repositories: a tag is an entry whose annotation `org.opencontainers.image.ref.name` is
 * `<repository>:<tag>`. skopeo and podman take it as it is, as in `oci:FOLDER:dxflrs/garage:v1.0.0`, as long as it keeps to that
 * annotation's grammar: letters and digits with *single* separators between them (or `--`). A tag such as `v1_-x` or a repository
 * such as `a__b` is legal for a registry and stands here all the same, but those tools can't spell it.
 */
import { z } from 'zod'
import { PitlaneError } from '../errors.ts'
import { isDigest, isTag } from './names.ts'
import type { Descriptor } from './types.ts'

const REF_NAME = 'org.opencontainers.image.ref.name'

/** Only what is used is checked; everything else is kept as it stands. */
const Entry = z.looseObject({
  mediaType: z.string(),
  digest: z.string().refine(isDigest, 'is not a sha256 digest'),
  size: z.int().nonnegative(),
  annotations: z.record(z.string(), z.string()).optional(),
})
/** A foreign entry may use another digest algorithm or none of our words; only one that is read as a tag must be sound. */
const LayoutIndex = z.looseObject({
  schemaVersion: z.literal(2),
  manifests: z.array(z.looseObject({ annotations: z.looseObject({}).optional() })),
})
export type LayoutIndex = z.infer<typeof LayoutIndex>

const LayoutMarker = z.looseObject({ imageLayoutVersion: z.string().regex(/^1\.\d+\.\d+$/) })

export const EMPTY_INDEX: LayoutIndex = { schemaVersion: 2, manifests: [] }

/** Content of the file `oci-layout`. */
export const LAYOUT_MARKER = Buffer.from('{"imageLayoutVersion":"1.0.0"}')

/** @throws PitlaneError `STORAGE_FAILED` when the bytes are not an index: what can't be read is not empty */
export function parseLayoutIndex(bytes: Buffer, where: string): LayoutIndex {
  return parse(LayoutIndex, bytes, where)
}

/** @throws PitlaneError `STORAGE_FAILED` when the layout is of a version that isn't known here */
export function parseLayoutMarker(bytes: Buffer, where: string): void {
  parse(LayoutMarker, bytes, where)
}

/** Annotations last, whether an entry was read or made: the same tags are the same bytes, in whatever order they were put. */
export function encodeLayoutIndex(index: LayoutIndex): Buffer {
  const manifests = index.manifests.map(({ annotations, ...entry }) => ({
    ...entry,
    ...(annotations && { annotations }),
  }))
  return Buffer.from(JSON.stringify({ ...index, manifests }))
}

/**
 * What a tag names, or null.
 * @throws PitlaneError `CONTRADICTION` when two entries give the tag two digests; `STORAGE_FAILED` when its entry is malformed
 */
export function findTag(index: LayoutIndex, repository: string, tag: string, where: string): Descriptor | null {
  const name = `${repository}:${tag}`
  let found: Descriptor | null = null
  for (const raw of index.manifests) {
    if (nameOf(raw) !== name) continue
    const entry = Entry.safeParse(raw)
    if (!entry.success) throw malformed(where, `the entry ${name} ${reasonOf(entry.error)}`)
    const { mediaType, digest, size } = entry.data
    if (found !== null && found.digest !== digest) {
      throw new PitlaneError('CONTRADICTION', `${where}: the tag ${name} names both ${found.digest} and ${digest}`)
    }
    found = { mediaType, digest, size }
  }
  return found
}

/**
 * The index with one more tag. Entries stand in the order of their names, so that the order in which tags were put doesn't show;
 * nothing that was there is changed or moved.
 */
export function withTag(index: LayoutIndex, repository: string, tag: string, descriptor: Descriptor): LayoutIndex {
  const name = `${repository}:${tag}`
  const entry = {
    mediaType: descriptor.mediaType,
    digest: descriptor.digest,
    size: descriptor.size,
    ...(descriptor.platform && { platform: descriptor.platform }),
    annotations: { ...descriptor.annotations, [REF_NAME]: name },
  }
  const after = index.manifests.findIndex((other) => {
    const otherName = nameOf(other)
    return otherName !== null && otherName > name
  })
  const position = after === -1 ? index.manifests.length : after
  return { ...index, manifests: index.manifests.toSpliced(position, 0, entry) }
}

/** The index without a tag; nothing else is changed or moved. */
export function withoutTag(index: LayoutIndex, repository: string, tag: string): LayoutIndex {
  const name = `${repository}:${tag}`
  return { ...index, manifests: index.manifests.filter((entry) => nameOf(entry) !== name) }
}

/** Everything that stands in the index, also what other tools put there: media type and digest. */
export function entriesOf(index: LayoutIndex): readonly Pick<Descriptor, 'mediaType' | 'digest'>[] {
  return index.manifests.map(({ mediaType, digest }) => ({
    mediaType: typeof mediaType === 'string' ? mediaType : '',
    digest: typeof digest === 'string' ? digest : '',
  }))
}

/** The tags of a repository, sorted. Entries that other tools named otherwise are not tags. */
export function tagsOf(index: LayoutIndex, repository: string): readonly string[] {
  const tags = index.manifests.flatMap((entry) => {
    const name = nameOf(entry)
    const tag = name?.startsWith(`${repository}:`) === true ? name.slice(repository.length + 1) : ''
    return isTag(tag) ? [tag] : []
  })
  return [...new Set(tags)].sort()
}

function nameOf(entry: LayoutIndex['manifests'][number]): string | null {
  const name = entry.annotations?.[REF_NAME]
  return typeof name === 'string' ? name : null
}

function parse<T>(schema: z.ZodType<T>, bytes: Buffer, where: string): T {
  let content: unknown
  try {
    content = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch (error) {
    throw malformed(where, error instanceof Error ? error.message : String(error))
  }
  const result = schema.safeParse(content)
  if (!result.success) throw malformed(where, reasonOf(result.error))
  return result.data
}

function reasonOf(error: z.ZodError): string {
  const issue = error.issues[0]
  return issue === undefined ? 'is not valid' : `${issue.path.join('.')} ${issue.message}`
}

function malformed(where: string, reason: string): PitlaneError {
  return new PitlaneError('STORAGE_FAILED', `${where} is malformed: ${reason}`, {
    hint: 'Restore the file, or publish into another folder: its tags cannot be known, so nothing is written.',
  })
}

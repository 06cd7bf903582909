/**
 * What a release is: this list, in this order. Each entry turns the release into operations, which say what will be where, under which
 * digest. They are data: only the journal performs them. Until `tags`, nothing that people or programs look at names the version.
 */
import type { Body, PutOptions } from '../buckets/types.ts'
import type { Descriptor } from '../image/types.ts'

export type EntryId =
  | 'objects'
  | 'manifests'
  | 'image-index'
  | 'documents'
  | 'read-back'
  | 'proof'
  | 'tags'
  | 'lists'
  | 'verify'

export interface Entry {
  readonly id: EntryId
  /** For people, as a sentence without a verb. */
  readonly title: string
  /** `put-if-absent` may be done again blindly, `ask-then-do` looks first; a `check` has no effect of its own. */
  readonly kind: 'put-if-absent' | 'ask-then-do' | 'check'
  /** Whether its operations have to happen one after the other, as listed. */
  readonly ordered: boolean
}

export const PUBLICATION: readonly Entry[] = [
  {
    id: 'objects',
    title: 'binaries, their checksums and signatures, image blobs',
    kind: 'put-if-absent',
    ordered: false,
  },
  { id: 'manifests', title: 'image manifests, by digest', kind: 'put-if-absent', ordered: false },
  { id: 'image-index', title: 'multi-platform image index, by digest', kind: 'put-if-absent', ordered: false },
  { id: 'documents', title: 'release.json, SHA256SUMS and their signatures', kind: 'put-if-absent', ordered: true },
  { id: 'read-back', title: 'everything so far read back', kind: 'check', ordered: true },
  {
    id: 'proof',
    title: 'the tag, the commit and every obligation of the plan proved again',
    kind: 'check',
    ordered: true,
  },
  { id: 'tags', title: 'image tags, the multi-platform one last', kind: 'ask-then-do', ordered: true },
  { id: 'lists', title: 'page, lists, feeds and pointers, index.json last', kind: 'ask-then-do', ordered: true },
  { id: 'verify', title: 'the release verified as a stranger would', kind: 'check', ordered: true },
]

/** One outside effect: where, and what will be there. */
export type Operation =
  | {
      readonly to: 'bucket'
      readonly entry: EntryId
      readonly key: string
      readonly body: Body
      readonly options: PutOptions
    }
  | {
      /** Something computed that is not computed any more: it has to go. */
      readonly to: 'removal'
      readonly entry: EntryId
      readonly key: string
    }
  | { readonly to: 'blob'; readonly entry: EntryId; readonly repository: string; readonly body: Body }
  | {
      readonly to: 'manifest'
      readonly entry: EntryId
      readonly repository: string
      readonly mediaType: string
      readonly bytes: Buffer
      readonly sha256: string
    }
  | {
      readonly to: 'tag'
      readonly entry: EntryId
      readonly repository: string
      readonly tag: string
      readonly descriptor: Descriptor
    }
  | {
      /** A tag that moves on: see `floating.ts`. */
      readonly to: 'floating'
      readonly entry: EntryId
      readonly repository: string
      readonly tag: string
      /** Null: it is to be taken away, where the registry does that. */
      readonly digest: string | null
      /** What it may name now. */
      readonly own: ReadonlySet<string>
      readonly take: boolean
    }

/** Name, digest and size under which the journal keeps an operation. */
export function operationFacts(operation: Operation): { destination: string; sha256: string; size: number } {
  switch (operation.to) {
    case 'bucket':
      return { destination: operation.key, sha256: operation.body.sha256, size: operation.body.size }
    case 'removal':
      return { destination: operation.key, sha256: '', size: 0 }
    case 'blob':
      return {
        destination: `${operation.repository}@sha256:${operation.body.sha256}`,
        sha256: operation.body.sha256,
        size: operation.body.size,
      }
    case 'manifest':
      return {
        destination: `${operation.repository}@sha256:${operation.sha256}`,
        sha256: operation.sha256,
        size: operation.bytes.length,
      }
    case 'tag':
      return {
        destination: `${operation.repository}:${operation.tag}`,
        sha256: operation.descriptor.digest.replace(/^sha256:/, ''),
        size: operation.descriptor.size,
      }
    case 'floating':
      return {
        destination: `${operation.repository}:${operation.tag}`,
        sha256: operation.digest?.replace(/^sha256:/, '') ?? '',
        size: 0,
      }
  }
}

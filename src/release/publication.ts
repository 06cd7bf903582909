/**
 * What a release is: this list, in this order. Each entry turns the release into operations, which say what will be where, under which
 * digest. They are data: only the journal performs them. Until `tags`, nothing that people or programs look at names the version.
 */
import type { Body, PutOptions } from '../buckets/types.ts'
import { PitlaneError } from '../errors.ts'
import type { Descriptor } from '../image/types.ts'
import { isPointer, KEYS } from '../plan/keys.ts'

export type EntryId =
  | 'objects'
  | 'manifests'
  | 'image-index'
  | 'documents'
  | 'read-back'
  | 'proof'
  | 'tags'
  | 'site-announced'
  | 'site-assets'
  | 'site-new-pages'
  | 'site-begun-pages'
  | 'site-pages'
  | 'site-top'
  | 'lists'
  | 'verify'

export interface Entry {
  readonly id: EntryId
  /** For people, as a sentence without a verb. */
  readonly title: string
  /** `put-if-absent` may be done again blindly, `ask-then-do` looks first; a `check` has no effect of its own. */
  readonly kind: 'put-if-absent' | 'ask-then-do' | 'check'
  /**
   * Which of its operations wait for which: all of a turn happen before any of the next, those of one turn at the same time.
   * @param at place in the list of `count` operations
   */
  readonly turn: (operation: Operation, at: number, count: number) => number
  /** Where its operations stand in the journal: what an earlier version has written down is found there, so it never changes. */
  readonly place: number
}

const atOnce = () => 0
const oneByOne = (_: Operation, at: number) => at
const lastAlone = (_: Operation, at: number, count: number) => (at === count - 1 ? 1 : 0)

/** Whoever finds a document finds what proves it; `release.json`, which comes last, says that everything is there. */
function documentTurn(operation: Operation, at: number, count: number): number {
  return isSignature(operation) ? 0 : 1 + lastAlone(operation, at, count)
}

/** Documents that come back, each after its signatures, then what names releases, then what leads to one, then the list that says so. */
function listTurn(operation: Operation, at: number, count: number): number {
  if (operation.to !== 'bucket') return 3
  const { key, options } = operation
  if (key.startsWith(KEYS.index)) return 4 + lastAlone(operation, at, count)
  if (isPointer(key)) return 3
  if (options.exclusive) return 1
  return isSignature(operation) ? 0 : 2
}

/** A signature says nothing before what it signs is there. */
function isSignature(operation: Operation): boolean {
  return operation.to === 'bucket' && /\.(minisig|sig)$/.test(operation.key)
}

export const PUBLICATION: readonly Entry[] = [
  {
    id: 'objects',
    title: 'binaries, their checksums and signatures, image blobs',
    kind: 'put-if-absent',
    turn: atOnce,
    place: 0,
  },
  { id: 'manifests', title: 'image manifests, by digest', kind: 'put-if-absent', turn: atOnce, place: 1 },
  {
    id: 'image-index',
    title: 'multi-platform image index, by digest',
    kind: 'put-if-absent',
    turn: atOnce,
    place: 2,
  },
  {
    id: 'documents',
    title: 'release.json, SHA256SUMS and their signatures',
    kind: 'put-if-absent',
    turn: documentTurn,
    place: 3,
  },
  { id: 'read-back', title: 'everything so far read back', kind: 'check', turn: atOnce, place: 4 },
  {
    id: 'proof',
    title: 'the tag, the commit and every obligation of the plan proved again',
    kind: 'check',
    turn: atOnce,
    place: 5,
  },
  { id: 'tags', title: 'image tags, the multi-platform one last', kind: 'ask-then-do', turn: lastAlone, place: 6 },
  // The documentation site, where this release is the newest: no page of it names a file before it is there.
  {
    id: 'site-announced',
    title: 'documentation: what it is about to hold',
    kind: 'ask-then-do',
    turn: oneByOne,
    place: 9,
  },
  { id: 'site-assets', title: 'documentation: what pages name', kind: 'ask-then-do', turn: atOnce, place: 10 },
  { id: 'site-new-pages', title: 'documentation: new pages', kind: 'ask-then-do', turn: atOnce, place: 11 },
  {
    id: 'site-begun-pages',
    title: 'documentation: pages that somebody began to put',
    kind: 'ask-then-do',
    turn: atOnce,
    place: 14,
  },
  { id: 'site-pages', title: 'documentation: changed pages', kind: 'ask-then-do', turn: atOnce, place: 12 },
  {
    id: 'site-top',
    title: 'documentation: its first page, and what it holds now',
    kind: 'ask-then-do',
    turn: oneByOne,
    place: 13,
  },
  {
    id: 'lists',
    title: 'page, lists, feeds and pointers, index.json last',
    kind: 'ask-then-do',
    turn: listTurn,
    place: 7,
  },
  { id: 'verify', title: 'the release verified as a stranger would', kind: 'check', turn: atOnce, place: 8 },
]

export function entryOf(id: EntryId): Entry {
  const entry = PUBLICATION.find((candidate) => candidate.id === id)
  if (entry === undefined) throw new PitlaneError('INTERNAL', `a publication without ${id}`)
  return entry
}

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

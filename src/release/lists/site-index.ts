/**
 * Shape of `_releases/index.json`, the commit object of every publication: written last by `pages/index-json.ts`, read back here.
 */
import { z } from 'zod'
import { hex64, isoDate, objectKey } from '../document.ts'
import { parseFormat } from '../format.ts'
import { StateFacts } from '../states/state-document.ts'

/** Bytes of the index, and of each page and list beside it: more is neither written nor read. Some fifty thousand releases of four targets. */
export const LIST_LIMIT = 256 * 1024 * 1024

/** How many releases a feed names at most; the index names them all. */
export const FEED_ENTRIES = 100

/** One publication in each second of thirty thousand years: what is higher was not counted. */
const MAX_SERIAL = 999_999_999_999

const address = z.string().regex(/^(https?|file):\/\//)

const Signatures = {
  /** Ed25519 over the BLAKE2b-512 of the file, minisign's format; null when the release is not signed. */
  minisigUrl: address.nullable(),
  /** Ed25519 over the file itself, 64 bytes; null when the release is not signed. */
  sigUrl: address.nullable(),
}

const IndexFile = z.strictObject({
  name: z.string(),
  url: address,
  /** Bytes. */
  size: z.int().nonnegative(),
  /** Null of an adopted release whose digests nobody has computed. */
  sha256: hex64.nullable(),
  platform: z.string(),
  /** Triple. */
  target: z.string(),
  kind: z.literal('binary'),
  /** minisign's format; null when the release is not signed. */
  signatureUrl: address.nullable(),
  /** One line that `sha256sum --check` reads; null of an adopted release. */
  checksumUrl: address.nullable(),
})

const IndexRelease = z.strictObject({
  /** The tag, or the full commit id. */
  version: z.string(),
  releaseTimestamp: isoDate,
  changelogUrl: address,
  isStable: z.boolean(),
  isDeprecated: z.boolean(),
  sourceUrl: address.optional(),
  /** Of the multi-platform image; absent when the release has none. */
  digest: z.string().optional(),
  /** When it was published, the same as `releaseTimestamp`. */
  date: isoDate,
  channel: z.string(),
  tag: z.string().nullable(),
  /** Null of an adopted release that is not named by its commit. */
  commit: z.string().nullable(),
  /** Not to be used; `state` says why. */
  withdrawn: z.boolean(),
  /** Whether its files are; never of an adopted release, whose document is all the same. */
  signed: z.boolean(),
  files: z.array(IndexFile),
  image: z
    .strictObject({
      /** `repository:tag@digest`. */
      reference: z.string(),
      digest: z.string(),
      platforms: z.array(z.strictObject({ platform: z.string(), digest: z.string() })),
    })
    .nullable(),
  tests: z.array(
    z.strictObject({
      target: z.string(),
      platform: z.string(),
      result: z.enum(['passed', 'not-run', 'none']),
      mode: z.enum(['native', 'qemu']).nullable(),
      /** Whether the test ran the binary; absent where that can't be told. */
      executed: z.boolean().optional(),
      reason: z.string().nullable(),
    }),
  ),
  document: z.strictObject({ url: address, sha256: hex64, ...Signatures }),
  /** Null of an adopted release whose digests nobody has computed. */
  checksums: z.strictObject({ url: address, ...Signatures }).nullable(),
  /** Of this version; absent where none was built. */
  documentation: z
    .strictObject({
      /** First page of what is kept under the version; null where it is not kept. */
      url: address.nullable(),
      /** The list of its files. */
      files: z.strictObject({ url: address, sha256: hex64 }),
    })
    .optional(),
  /** Only of a release made by hand: its tests were not run, and `missing` names declared targets that it lacks. */
  byHand: z
    .strictObject({
      /** Which revision of its document this is; the newest, unless the list is an old one. */
      revision: z.int().positive(),
      missing: z.array(z.string()),
      unchecked: z.array(z.string()),
    })
    .optional(),
  /** Only of a release that was in the bucket before it had a document: not built, tested or signed by Pitlane. */
  adopted: z
    .strictObject({
      /** As in `byHand`. */
      revision: z.int().positive(),
      /** When it was adopted; `date` is that of its files. */
      date: isoDate,
      digests: z.enum(['unknown', 'computed']),
    })
    .optional(),
  /** What became of it since; absent while nothing has. */
  state: z
    .strictObject({ ...StateFacts, document: z.strictObject({ url: address, sha256: hex64, ...Signatures }) })
    .optional(),
})

/** More than any project has channels. */
const MOST_PAGES = 1000
const FloatingTag = z.strictObject({
  /** Where its repository is, as in release documents; absent for a layout. */
  registry: z.string().optional(),
  repository: z.string(),
  tag: z.string(),
  /** Where it leads; null when every version that names it is withdrawn. */
  version: z.string().nullable(),
  digest: z.string().nullable(),
})
export type FloatingTag = z.infer<typeof FloatingTag>

export const SiteIndex = z.strictObject({
  format: z.literal('pitlane-index/1'),
  name: z.string(),
  /** Goes up with each publication: who has seen a higher one is being shown an old list. */
  serial: z.int().nonnegative().max(MAX_SERIAL),
  generatedAt: isoDate,
  /** After this a list is not to be trusted to be the newest. */
  expiresAt: isoDate,
  homepage: address,
  sourceUrl: address.optional(),
  publicKey: z
    .strictObject({
      /** Base64, for `minisign -P`. */
      minisign: z.string(),
      keyId: z.string(),
      minisignUrl: address,
      pemUrl: address,
    })
    .nullable(),
  /** What the documentation site is of; absent where there is none. */
  documentation: z
    .strictObject({
      /** Its first page. */
      url: address,
      /** Prefix in the bucket. */
      path: z.string(),
      /** The release that it is of; null where somebody put it who named none. */
      version: z.string().nullable(),
      serial: z.int().positive(),
      document: z.strictObject({ url: address, sha256: hex64, ...Signatures }),
    })
    .optional(),
  /** Newest version of each channel that has one. */
  pointers: z.record(z.string(), z.string()),
  /**
   * Everything else that was computed with it: page, lists, feeds, pointers, installer and keys. None of them is signed by itself; who trusts
   * this document can tell whether they are the ones. Absent in an index that was made before it named them.
   */
  pages: z
    .array(
      z.strictObject({
        /** Key in the bucket. */
        path: objectKey,
        /** Bytes. */
        size: z.int().nonnegative(),
        sha256: hex64,
      }),
    )
    .max(MOST_PAGES)
    .optional(),
  /** Whether `_releases/_latest/<target>/<binary>` sends readers on to the newest stable release; absent where the store can't. */
  stableLinks: z.literal(true).optional(),
  /** Image tags that move on from version to version; absent where no release names any. */
  floating: z.array(FloatingTag).optional(),
  /** Stable versions, oldest first: mise takes the last one as the latest. */
  versions: z.array(z.string()),
  /** Stable, then extra, then development, each newest first; then in the same order what is withdrawn. */
  releases: z.array(IndexRelease),
})
export type SiteIndex = z.infer<typeof SiteIndex>
export type IndexPage = NonNullable<SiteIndex['pages']>[number]
export type IndexRelease = z.infer<typeof IndexRelease>

/** Throws `STATE_NEWER`, and `VERIFICATION_FAILED` when the bytes are not an index that this version reads. */
export function parseSiteIndex(bytes: Buffer, name: string): SiteIndex {
  return parseFormat(bytes, name, { format: 'pitlane-index/1', schema: SiteIndex, what: 'an index of releases' })
}

/** Which revision of its document a release is listed with. */
export function listedRevision({ byHand, adopted }: Pick<IndexRelease, 'byHand' | 'adopted'>): number {
  return byHand?.revision ?? adopted?.revision ?? 1
}

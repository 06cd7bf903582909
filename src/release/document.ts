/**
 * `release.json`: one per version, immutable, signed; the truth that page, lists, feeds and pointers are computed from.
 * Everything in it is fixed by the plan, the outcomes and the journal's date, so that writing it again gives the same bytes.
 */
import { z } from 'zod'

export const hex64 = z.string().regex(/^[0-9a-f]{64}$/)
export const imageDigest = z.string().regex(/^sha256:[0-9a-f]{64}$/)
/** A day that there is, too: what is no date can't be compared with one. */
export const isoDate = z
  .string()
  .regex(/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z$/)
  .refine((text) => {
    const time = Date.parse(text)
    return !Number.isNaN(time) && isoSeconds(time) === text
  }, 'is not a date')
/** A version is one folder name: see `plan/version.ts`. */
export const versionName = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._+-]{0,127}$/)
/** A key in the bucket: relative, `/`-separated. */
export const objectKey = z.string().regex(/^[A-Za-z0-9._+-]+(\/[A-Za-z0-9._+-]+)*$/)
const size = z.int().nonnegative()
/** More than any project has targets. */
export const MOST_REVISIONS = 999

const ReleaseFile = z.strictObject({
  kind: z.literal('binary'),
  /** File name, the last segment of `path`. */
  name: z.string(),
  /** Key in the bucket. Beside it stand `<path>.sha256` and, when signed, `<path>.minisig`. */
  path: objectKey,
  /** Bytes. */
  size,
  sha256: hex64,
  mediaType: z.string(),
  /** Triple. */
  target: z.string(),
  platform: z.string(),
  /** Null for a file put by hand without a look at it that is no executable. */
  elf: z
    .strictObject({
      class: z.union([z.literal(32), z.literal(64)]),
      machine: z.string(),
      /** No interpreter and no needed library. */
      static: z.boolean(),
      pie: z.boolean(),
      /** ARM architecture version and where it was read; null for other machines. */
      arm: z.strictObject({ version: z.int(), source: z.enum(['attributes', 'go-buildinfo', 'run']) }).nullable(),
    })
    .nullable(),
})

const ReleaseImage = z.strictObject({
  repository: z.string(),
  tag: z.string(),
  /** Of the multi-platform index. */
  digest: imageDigest,
  /** Where the layout lies, relative to the bucket's root; null for a registry that is a server. */
  layout: z.string().nullable(),
  /** What stands in front of the repositories in the names of images: `docker.io`, `registry.example.org:5000/team`; absent for a layout. */
  registry: z.string().optional(),
  /** Tags that lead to the index as long as no newer stable release names them; absent: none. */
  floating: z.array(z.string()).optional(),
  platforms: z.array(
    z.strictObject({
      platform: z.string(),
      target: z.string(),
      repository: z.string(),
      tag: z.string(),
      /** Of the platform's manifest. */
      digest: imageDigest,
      /** Bytes of the compressed layer. */
      size,
    }),
  ),
})

/** The documentation that was built from the same commit. */
const Documentation = z.strictObject({
  /** SHA-256 of `documentation.json` beside this document, which names every file. */
  sha256: hex64,
  files: z.int().positive(),
  /** Bytes of all files. */
  size,
  /** Prefix of the keys under which it stays; null where it was only that of the newest release. */
  kept: z.string().nullable(),
})

const ReleaseTest = z.strictObject({
  target: z.string(),
  platform: z.string(),
  /** `none`: the project declares no release test. Neither `not-run` nor `none` ever counts as passed. */
  result: z.enum(['passed', 'not-run', 'none']),
  mode: z.enum(['native', 'qemu']).nullable(),
  /** Digest of the exact binary that the test was given; null when none was. */
  binarySha256: hex64.nullable(),
  /**
   * Of a test that passed: true when it ran the binary, seen by what started the emulator; false when it did not, and so tells nothing about it. Absent
   * where neither is certain: natively a binary that was opened may have been run.
   */
  executed: z.boolean().optional(),
  /** Why it did not run, in words. */
  reason: z.string().nullable(),
})

/** Made target by target with `pitlane publish binary`: no checks, no tests, and perhaps not all targets. */
const ByHand = z.strictObject({
  /** Counts from 1. Revision 1 is `release.json`, each later one has a name of its own (`release.2.json`). */
  revision: z.int().positive().max(MOST_REVISIONS),
  /** When this revision was made; `publishedAt` is when the first one was. */
  revisedAt: isoDate,
  /** SHA-256 of the bytes of the revision before; null for the first. */
  previousSha256: hex64.nullable(),
  /** Targets that the project declares and this release does not have (yet). */
  missing: z.array(z.string()),
  /** Targets whose file was put without holding it against its target. */
  unchecked: z.array(z.string()),
})

export const ReleaseDocument = z.strictObject({
  format: z.literal('pitlane-release/1'),
  name: z.string(),
  version: versionName,
  channel: z.string(),
  tag: z.string().nullable(),
  commit: z.string().regex(/^([0-9a-f]{40}|[0-9a-f]{64})$/),
  tree: z.string().regex(/^([0-9a-f]{40}|[0-9a-f]{64})$/),
  subject: z.string(),
  committedAt: isoDate,
  publishedAt: isoDate,
  notes: z.string().nullable(),
  plan: z.string(),
  configuration: z.strictObject({ file: z.string(), sha256: hex64 }),
  signing: z.discriminatedUnion('scheme', [
    z.strictObject({
      scheme: z.literal('minisign'),
      /** Minisign public key, base64, as in the second line of a `.pub` file. */
      publicKey: z.string(),
      /** Upper-case hex digits without leading zeros, as minisign prints it. */
      keyId: z.string(),
    }),
    z.strictObject({ scheme: z.literal('none') }),
  ]),
  builder: z.strictObject({
    pitlane: z.string(),
    executor: z.string(),
    /** `not-run`: made by hand. */
    isolation: z.enum(['pid-namespace', 'process-group', 'not-run']),
  }),
  /** `build`: in which the checks were green; null where it was made by hand. */
  promotion: z.strictObject({ actor: z.string(), reason: z.string().nullable(), build: z.int().nullable() }),
  /** Absent for whatever `pitlane release` made. */
  byHand: ByHand.optional(),
  files: z.array(ReleaseFile),
  image: ReleaseImage.nullable(),
  /** Absent where none was built. */
  documentation: Documentation.optional(),
  checks: z.array(z.strictObject({ name: z.string(), result: z.literal('passed') })),
  tests: z.array(ReleaseTest),
})
export type ReleaseDocument = z.infer<typeof ReleaseDocument>
export type ReleaseFile = z.infer<typeof ReleaseFile>
export type ReleaseImage = z.infer<typeof ReleaseImage>
export type ReleaseTest = z.infer<typeof ReleaseTest>

export type ByHand = z.infer<typeof ByHand>

/** Which revision of its release a document is: names of documents and checksums say it from the second on. */
export function revisionOf({ byHand }: Pick<ReleaseDocument, 'byHand'>): number {
  return byHand?.revision ?? 1
}

/** The document as it is stored and signed: two-space JSON in schema order, one final newline. */
export function encodeDocument(document: ReleaseDocument): Buffer {
  return Buffer.from(`${JSON.stringify(ReleaseDocument.parse(document), null, 2)}\n`)
}

/** ISO 8601 in UTC with whole seconds. */
export function isoSeconds(milliseconds: number): string {
  return `${new Date(milliseconds).toISOString().slice(0, 19)}Z`
}

/**
 * `_releases/index.json`: everything that people otherwise scrape, in one document. Read as it is by mise (`versions`, the last one is the
 * latest) and by Renovate's custom datasource (`releases`, with its field names). Those optional fields are left out when there is nothing to
 * say, because Renovate refuses null; our own fields are always there and null then.
 */
import { createHash } from 'node:crypto'
import { z } from 'zod'
import { encodeDocument, isoSeconds, KEYS, type ReleaseDocument } from '../release/document.ts'
import { absoluteUrl } from './address.ts'
import type { Catalogue } from './catalogue.ts'

const hex64 = z.string().regex(/^[0-9a-f]{64}$/)
const isoDate = z.string().regex(/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z$/)
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
  sha256: hex64,
  platform: z.string(),
  /** Triple. */
  target: z.string(),
  kind: z.literal('binary'),
  /** minisign's format; null when the release is not signed. */
  signatureUrl: address.nullable(),
  /** One line that `sha256sum --check` reads. */
  checksumUrl: address,
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
  commit: z.string(),
  withdrawn: z.literal(false),
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
      reason: z.string().nullable(),
    }),
  ),
  document: z.strictObject({ url: address, sha256: hex64, ...Signatures }),
  checksums: z.strictObject({ url: address, ...Signatures }),
})

export const SiteIndex = z.strictObject({
  format: z.literal('pitlane-index/1'),
  name: z.string(),
  /** Goes up with each publication: who has seen a higher one is being shown an old list. */
  serial: z.int().nonnegative(),
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
  /** Newest version of each channel that has one. */
  pointers: z.record(z.string(), z.string()),
  /** Stable versions, oldest first: mise takes the last one as the latest. */
  versions: z.array(z.string()),
  /** Stable, then extra, then development, each newest first. */
  releases: z.array(IndexRelease),
})
export type SiteIndex = z.infer<typeof SiteIndex>
type IndexRelease = z.infer<typeof IndexRelease>

const DAY = 86_400_000
const EXPIRY_DAYS = 90

export function siteIndex(catalogue: Catalogue): SiteIndex {
  const { baseUrl, publicKey, sourceUrl } = catalogue
  return {
    format: 'pitlane-index/1',
    name: catalogue.name,
    serial: catalogue.serial,
    generatedAt: isoSeconds(catalogue.generatedAt),
    expiresAt: isoSeconds(catalogue.generatedAt + EXPIRY_DAYS * DAY),
    homepage: absoluteUrl(baseUrl, KEYS.page),
    ...(sourceUrl === null ? {} : { sourceUrl }),
    publicKey: publicKey && {
      minisign: minisignKeyLine(publicKey.minisign),
      keyId: publicKey.keyId,
      minisignUrl: absoluteUrl(baseUrl, KEYS.publicKey),
      pemUrl: absoluteUrl(baseUrl, KEYS.publicKeyPem),
    },
    pointers: Object.fromEntries(catalogue.pointers),
    versions: catalogue.stable.map(({ version }) => version).toReversed(),
    releases: catalogue.all.map((document) => indexRelease(document, catalogue)),
  }
}

/** The base64 line of a minisign public key file. */
export function minisignKeyLine(text: string): string {
  return text.trim().split('\n').at(-1)?.trim() ?? ''
}

function indexRelease(document: ReleaseDocument, { baseUrl, sourceUrl }: Catalogue): IndexRelease {
  const signed = document.signing.scheme === 'minisign'
  const url = (key: string) => absoluteUrl(baseUrl, key)
  const signatures = (key: string) => ({
    minisigUrl: signed ? url(`${key}.minisig`) : null,
    sigUrl: signed ? url(`${key}.sig`) : null,
  })
  const { image } = document
  return {
    version: document.version,
    releaseTimestamp: document.publishedAt,
    changelogUrl: `${url(KEYS.page)}#${document.version}`,
    isStable: document.channel === 'stable',
    isDeprecated: false,
    ...(sourceUrl === null ? {} : { sourceUrl }),
    ...(image === null ? {} : { digest: image.digest }),
    date: document.publishedAt,
    channel: document.channel,
    tag: document.tag,
    commit: document.commit,
    withdrawn: false,
    signed,
    files: document.files.map((file) => ({
      name: file.name,
      url: url(file.path),
      size: file.size,
      sha256: file.sha256,
      platform: file.platform,
      target: file.target,
      kind: file.kind,
      signatureUrl: signed ? url(`${file.path}.minisig`) : null,
      checksumUrl: url(`${file.path}.sha256`),
    })),
    image: image && {
      reference: `${image.repository}:${image.tag}@${image.digest}`,
      digest: image.digest,
      platforms: image.platforms.map(({ platform, digest }) => ({ platform, digest })),
    },
    tests: document.tests.map(({ target, platform, result, mode, reason }) => ({
      target,
      platform,
      result,
      mode,
      reason,
    })),
    document: {
      url: url(KEYS.document(document.version)),
      sha256: createHash('sha256').update(encodeDocument(document)).digest('hex'),
      ...signatures(KEYS.document(document.version)),
    },
    checksums: { url: url(KEYS.sums(document.version)), ...signatures(KEYS.sums(document.version)) },
  }
}

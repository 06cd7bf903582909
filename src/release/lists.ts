/** Page, lists, feeds and pointers: rendered from every document in the bucket, signed, and put in the order of `PUBLICATION`. */
import type { Bucket } from '../buckets/types.ts'
import { PitlaneError } from '../errors.ts'
import type { Registry } from '../image/types.ts'
import { KEYS } from '../plan/keys.ts'
import { compareVersions } from '../plan/version.ts'
import { bodyOf, digestOf } from './digest.ts'
import type { ReleaseDocument } from './document.ts'
import { type DocumentCheck, readDocuments } from './documents.ts'
import { listable } from './listable.ts'
import { signDocument } from './materials.ts'
import type { Operation } from './publication.ts'
import type { Signer } from './sign.ts'
import { type SiteIndex, parseSiteIndex } from './site-index.ts'

export interface SiteFile {
  readonly key: string
  readonly bytes: Buffer
  readonly contentType: string
  readonly cacheControl: string
}

/** Given by composition: `pages/site.ts`, which this room must not know. `index.json` comes last. */
export type RenderSite = (input: {
  readonly name: string
  readonly baseUrl: string
  readonly documents: readonly ReleaseDocument[]
  readonly documentSha256: (document: ReleaseDocument) => string
  readonly publicKey: { readonly minisign: string; readonly pem: string; readonly keyId: string } | null
  readonly serial: number
  readonly generatedAt: number
  readonly compare: (a: string, b: string) => number
}) => readonly SiteFile[]

export interface ListParts {
  readonly bucket: Bucket
  /** Null where the project publishes no image. */
  readonly registry: Registry | null
  readonly signer: Signer | null
  readonly check: DocumentCheck | null
  readonly render: RenderSite
  readonly name: string
  readonly baseUrl: string
  /** Told what was left out, and why. */
  readonly note: (message: string) => void
}

const INDEX_LIMIT = 64 * 1024 * 1024

/**
 * The index that readers see now; null where there is none yet.
 * @throws PitlaneError `VERIFICATION_FAILED` when there is one that can't be read
 */
export async function readIndex(bucket: Bucket): Promise<SiteIndex | null> {
  const bytes = await bucket.read(KEYS.index, INDEX_LIMIT)
  if (bytes === null) return null
  try {
    return parseSiteIndex(bytes, `${bucket.location}/${KEYS.index}`)
  } catch (error) {
    if (!(error instanceof PitlaneError)) throw error
    throw new PitlaneError(error.code, error.message, {
      hint: 'Somebody changed it. `pitlane pages rebuild` computes it again from the documents in the bucket.',
      cause: error,
    })
  }
}

/** A bucket belongs to one project and is signed with one key: another one would make every earlier release look forged. */
export async function requireSameOwner(parts: ListParts): Promise<void> {
  compareOwner(parts, await readIndex(parts.bucket))
}

/** Throws `PROJECT_CHANGED`, `KEY_CHANGED`. */
export function compareOwner({ bucket, name, signer }: ListParts, index: SiteIndex | null): void {
  if (index === null) return
  if (index.name !== name) throw projectChanged(bucket, index.name, name)
  const before = index.publicKey
  // Nothing that says it is unsigned can be told from what somebody else has put there.
  const same =
    before === null ? signer === null || index.releases.length === 0 : before.minisign === signer?.publicKey.line
  if (same) return
  throw new PitlaneError(
    'KEY_CHANGED',
    `${bucket.location} is signed with key ${before?.keyId ?? 'none'}, and this one is ${signer?.keyId ?? 'none'}`,
    {
      hint: 'Use the key that signed the earlier releases (PITLANE_SIGNING_KEY), or publish to a new bucket.',
    },
  )
}

function projectChanged(bucket: Bucket, there: string, name: string): PitlaneError {
  return new PitlaneError('PROJECT_CHANGED', `${bucket.location} holds releases of ${there}, and this is ${name}`, {
    hint: 'Lists and pointers are of one project: publish to a bucket of its own, or give the project its name back.',
  })
}

/**
 * What the lists have to be with this serial and date, as operations; refuses to move a pointer backwards.
 * @param before the index that readers see now, where the caller knows it
 */
export async function listOperations(
  parts: ListParts,
  serial: number,
  generatedAt: number,
  before?: SiteIndex | null,
): Promise<readonly Operation[]> {
  const now = before === undefined ? await readIndex(parts.bucket) : before
  const { listed: stored, incomplete } = await listable(parts, await readDocuments(parts.bucket, parts.check), now)
  for (const { version, lacks } of incomplete) parts.note(`${version} is not listed: it lacks ${lacks}`)
  const documents = stored.map(({ document }) => document)
  const foreign = documents.find((document) => document.name !== parts.name)
  if (foreign !== undefined) throw projectChanged(parts.bucket, foreign.name, parts.name)
  const digests = new Map(stored.map(({ document, sha256 }) => [document, sha256]))
  const { name, baseUrl, signer } = parts
  const publicKey = signer === null ? null : signer.publicKey
  const documentSha256 = (document: ReleaseDocument) => {
    const sha256 = digests.get(document)
    if (sha256 === undefined) throw new PitlaneError('INTERNAL', `${document.version} was not read from the bucket`)
    return sha256
  }
  const files = parts.render({
    name,
    baseUrl,
    documents,
    documentSha256,
    publicKey,
    serial,
    generatedAt,
    compare: compareVersions,
  })
  const index = files.at(-1)
  if (index?.key !== KEYS.index) throw new PitlaneError('INTERNAL', 'index.json has to be rendered last')
  // Rendered right here, and read as strangers read it when it is published.
  const next = JSON.parse(index.bytes.toString('utf8')) as Pick<SiteIndex, 'pointers'>
  if (now !== null) refuseBackwards(now, next)

  // The signatures of the index go right before it: what they sign appears with the next operation.
  const signed = signer === null ? [] : signDocument(signer, name, `serial-${serial}`, KEYS.index, index.bytes)
  return [...files.slice(0, -1), ...signed.map((side) => ({ ...side, cacheControl: index.cacheControl })), index].map(
    ({ key, bytes, contentType, cacheControl }) => ({
      to: 'bucket',
      entry: 'lists',
      key,
      body: bodyOf(bytes),
      options: { contentType, cacheControl, exclusive: false },
    }),
  )
}

function refuseBackwards(now: SiteIndex, next: Pick<SiteIndex, 'pointers'>): void {
  const before = now.pointers['stable']
  const after = next.pointers['stable']
  if (before === undefined || (after !== undefined && compareVersions(after, before) >= 0)) return
  throw new PitlaneError(
    'PLAN_CONTRADICTION',
    `the newest stable version would go back from ${before} to ${after ?? 'none'}`,
    {
      hint: `Pointers only move forward. The document of ${before} is missing from the bucket: put it back.`,
    },
  )
}

/** Which of these operations' objects the bucket does not have yet with these bytes. */
export async function staleOperations(bucket: Bucket, operations: readonly Operation[]): Promise<readonly Operation[]> {
  const stale: Operation[] = []
  for (const operation of operations) {
    if (operation.to !== 'bucket') continue
    const there = await digestOf(await bucket.open(operation.key))
    if (there?.sha256 !== operation.body.sha256) stale.push(operation)
  }
  return stale
}

/** Reading release documents back from a bucket: signed ones are verified, and whatever can't be read stops the work. */
import { createHash } from 'node:crypto'
import type { Bucket } from '../buckets/types.ts'
import { PitlaneError } from '../errors.ts'
import { inParallel } from '../parallel.ts'
import { KEYS } from '../plan/keys.ts'
import { ReleaseDocument } from './document.ts'
import type { PublicKey } from './public-key.ts'
import { trustedCommentOf } from './sign.ts'
import { refuseNewerFormat } from './site-index.ts'
import { verifyFile } from './verify-signature.ts'

/** 4 MiB: a document of some hundred files. */
export const DOCUMENT_LIMIT = 4 * 1024 * 1024
const SIGNATURE_LIMIT = 4096
/** How many documents are read at once. */
const PARALLEL = 16

export interface DocumentCheck {
  /** Throws when the `.minisig` text is not the signature of these bytes under this key in the bucket. */
  verify(bytes: Buffer, minisig: string, key: string, document: Pick<ReleaseDocument, 'name' | 'version'>): void
}

/** Checks documents with the project's own public key. */
export function documentCheck(key: PublicKey): DocumentCheck {
  return {
    verify(bytes, minisig, path, { name, version }) {
      const blake2b512 = createHash('blake2b512').update(bytes).digest()
      verifyFile(key, { blake2b512 }, minisig, trustedCommentOf({ name, version, path }), `${path}.minisig`)
    },
  }
}

export async function readDocument(
  bucket: Bucket,
  version: string,
): Promise<{ document: ReleaseDocument; bytes: Buffer } | null> {
  const key = KEYS.document(version)
  const bytes = await bucket.read(key, DOCUMENT_LIMIT)
  return bytes === null ? null : { document: parseDocument(bytes, `${bucket.location}/${key}`, version), bytes }
}

/** For a first look, before anything is trusted; null when it can't be read as a document. */
export async function readDocumentOf(bucket: Pick<Bucket, 'read'>, version: string): Promise<ReleaseDocument | null> {
  const bytes = await bucket.read(KEYS.document(version), DOCUMENT_LIMIT)
  if (bytes === null) return null
  try {
    return parseDocument(bytes, KEYS.document(version), version)
  } catch {
    return null
  }
}

/** A document with the SHA-256 of the bytes it was read from: a later version may write the same facts differently. */
export interface StoredDocument {
  readonly document: ReleaseDocument
  readonly sha256: string
}

/** Every release in the bucket, sorted by key. */
export async function readDocuments(bucket: Bucket, check: DocumentCheck | null): Promise<readonly StoredDocument[]> {
  const versions = await bucket.folders(KEYS.releases)
  // Without a document it is a publication that has begun, or something else: no release.
  const found = await inParallel(versions, PARALLEL, (version) => readTrustedDocument(bucket, version, check))
  return found.filter((stored) => stored !== null)
}

/** Every list is computed from all documents: one that can't be trusted stops the work, and says what to do. */
export async function readTrustedDocument(
  bucket: Bucket,
  version: string,
  check: DocumentCheck | null,
): Promise<StoredDocument | null> {
  try {
    return await readTrusted(bucket, version, check)
  } catch (error) {
    if (!(error instanceof PitlaneError) || error.code !== 'VERIFICATION_FAILED') throw error
    throw new PitlaneError(error.code, error.message, {
      hint: `Lists are computed from the documents of all releases, and this one is not as the project signed it: put ${KEYS.folder(version)} back from a copy, or remove it when it is not yours.`,
      cause: error,
    })
  }
}

async function readTrusted(
  bucket: Bucket,
  version: string,
  check: DocumentCheck | null,
): Promise<StoredDocument | null> {
  const found = await readDocument(bucket, version)
  if (found === null) return null
  if (check !== null) {
    // Or whoever may write to the bucket could add a release that says it needs no signature.
    if (found.document.signing.scheme === 'none') {
      throw new PitlaneError(
        'VERIFICATION_FAILED',
        `${bucket.location}/${KEYS.document(version)} says that it is not signed, and this project signs`,
      )
    }
    const key = `${KEYS.document(version)}.minisig`
    const minisig = await bucket.read(key, SIGNATURE_LIMIT)
    if (minisig === null) {
      throw new PitlaneError(
        'VERIFICATION_FAILED',
        `${bucket.location}/${key} is missing, and release.json says that it is signed`,
      )
    }
    check.verify(found.bytes, minisig.toString('utf8'), KEYS.document(version), found.document)
  }
  return { document: found.document, sha256: createHash('sha256').update(found.bytes).digest('hex') }
}

export function parseDocument(bytes: Buffer, name: string, version: string): ReleaseDocument {
  let value: unknown
  try {
    value = JSON.parse(bytes.toString('utf8'))
  } catch (error) {
    throw new PitlaneError(
      'VERIFICATION_FAILED',
      `${name} is not JSON: ${(error as Error).message.replaceAll(/\s+/g, ' ')}`,
    )
  }
  refuseNewerFormat(value, 'pitlane-release', 'pitlane-release/1', name)
  const parsed = ReleaseDocument.safeParse(value)
  if (!parsed.success) {
    const [issue] = parsed.error.issues
    throw new PitlaneError(
      'VERIFICATION_FAILED',
      `${name} is not a release document: ${issue?.path.join('.') ?? ''} ${issue?.message ?? ''}`,
    )
  }
  if (parsed.data.version !== version) {
    throw new PitlaneError('VERIFICATION_FAILED', `${name} is the document of ${parsed.data.version}`)
  }
  return parsed.data
}

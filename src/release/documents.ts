/** Reading release documents back from a bucket: signed ones are verified, and whatever can't be read stops the work. */
import { createHash } from 'node:crypto'
import type { Bucket } from '../buckets/types.ts'
import { PitlaneError } from '../errors.ts'
import { inParallel } from '../parallel.ts'
import { KEYS } from '../plan/keys.ts'
import { AdoptedDocument, BuiltDocument, type ReleaseDocument, versionName } from './document.ts'
import { type Fetch, type Fetched, plainFetch } from './fetch.ts'
import { parseFormat } from './format.ts'
import type { PublicKey } from './keys/public-key.ts'
import { trustedCommentOf } from './keys/sign.ts'
import { followRevisions, newestInBucket, revisionNumber, type StoredDocument } from './revisions.ts'
import { verifyFile, verifyRaw } from './keys/verify-signature.ts'

/** 4 MiB: a document of some hundred files. */
export const DOCUMENT_LIMIT = 4 * 1024 * 1024
/** How many documents are read at once. */
const PARALLEL = 16

/** What the signature of a document says besides its key. */
type SignedDocument = Pick<ReleaseDocument, 'name' | 'version'>

export interface DocumentCheck {
  /** Throws when the `.minisig` text is not the signature of these bytes under this key in the bucket. */
  verify(bytes: Buffer, minisig: string, key: string, document: SignedDocument): void
  /** The same for the `.sig`, which says nothing of a key in the bucket: what the document itself says has to be enough. */
  verifyRaw(bytes: Buffer, signature: Buffer, key: string): void
}

/** Checks documents with the project's own public key. */
export function documentCheck(key: PublicKey): DocumentCheck {
  return {
    verify(bytes, minisig, path, { name, version }) {
      const blake2b512 = createHash('blake2b512').update(bytes).digest()
      verifyFile(key, { blake2b512 }, minisig, trustedCommentOf({ name, version, path }), `${path}.minisig`)
    },
    verifyRaw: (bytes, signature, path) => verifyRaw(key, bytes, signature, `${path}.sig`),
  }
}

/** Every release in the bucket, sorted by key; of those made by hand the newest revision. */
export async function readDocuments(bucket: Bucket, check: DocumentCheck | null): Promise<readonly StoredDocument[]> {
  // Others put what they like beside releases: what can't be the name of one is not asked for. Marks of retired versions are among that.
  const versions = (await bucket.folders(KEYS.releases)).filter((name) => versionName.safeParse(name).success)
  // Without a document it is a publication that has begun, or something else: no release.
  const found = await inParallel(versions, PARALLEL, (version) => readTrustedDocument(bucket, version, check))
  return found.filter((stored) => stored !== null)
}

/**
 * The same by one listing, which costs a request for a thousand objects, and not one for each folder: only documents that it shows are asked for. For
 * whoever removes nothing because a document is not there.
 */
export async function listedDocuments(bucket: Bucket, check: DocumentCheck | null): Promise<readonly StoredDocument[]> {
  const folders = await bucket.contents(KEYS.releases, (name) => /^release(\.[0-9]+)?\.json$/.test(name))
  const shown = [...folders].filter(
    ([version, objects]) =>
      versionName.safeParse(version).success &&
      objects.some(({ name }) => KEYS.folder(version) + name === KEYS.document(version)),
  )
  const found = await inParallel(shown, PARALLEL, ([version, objects]) =>
    readTrustedDocument(bucket, version, check, {
      newestOf: async () => Math.max(1, ...objects.map(({ name }) => revisionNumber(name.replace('release.', '')))),
    }),
  )
  return found.filter((stored) => stored !== null)
}

/** Every list is computed from all documents: one that can't be trusted stops the work, and says what to do. */
export async function readTrustedDocument(
  bucket: Bucket,
  version: string,
  check: DocumentCheck | null,
  {
    fetch = plainFetch(bucket),
    newestOf = () => newestInBucket(bucket, version),
  }: { readonly fetch?: Fetch; readonly newestOf?: () => Promise<number> } = {},
): Promise<StoredDocument | null> {
  try {
    return await readTrusted(bucket, version, check, { fetch, newestOf })
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
  { fetch, newestOf }: { readonly fetch: Fetch; readonly newestOf: () => Promise<number> },
): Promise<StoredDocument | null> {
  const read = async (key: string) => {
    const fetched = await fetch(key, DOCUMENT_LIMIT)
    if (fetched === null) return null
    const { bytes } = fetched
    const document = fetched.isProven ? parseAgain(bytes) : parseDocument(bytes, `${bucket.location}/${key}`, version)
    if (check !== null) await requireSigned(bucket, key, document, fetched, check)
    fetched.proven()
    return { document, bytes }
  }
  return followRevisions(version, read, newestOf)
}

async function requireSigned(
  bucket: Bucket,
  path: string,
  document: ReleaseDocument,
  { bytes, isProven, signature }: Fetched,
  check: DocumentCheck,
): Promise<void> {
  // Or whoever may write to the bucket could add a release that says it needs no signature.
  if (document.signing.scheme === 'none') {
    throw new PitlaneError(
      'VERIFICATION_FAILED',
      `${bucket.location}/${path} says that it is not signed, and this project signs`,
    )
  }
  if (isProven) return
  const key = `${path}.minisig`
  const minisig = await signature()
  if (minisig === null) {
    throw new PitlaneError(
      'VERIFICATION_FAILED',
      `${bucket.location}/${key} is missing, and release.json says that it is signed`,
    )
  }
  check.verify(bytes, minisig.toString('utf8'), path, document)
}

/** Of bytes that this version of Pitlane has held against its rules, under the same name. */
export function parseAgain(bytes: Buffer): ReleaseDocument {
  return JSON.parse(bytes.toString('utf8')) as ReleaseDocument
}

export function parseDocument(bytes: Buffer, name: string, version: string): ReleaseDocument {
  const document = parseFormat(bytes, name, {
    format: 'pitlane-release/1',
    schema: schemaFor,
    what: 'a release document',
  })
  if (document.version !== version) {
    throw new PitlaneError('VERIFICATION_FAILED', `${name} is the document of ${document.version}`)
  }
  return document
}

function schemaFor(value: unknown): typeof BuiltDocument | typeof AdoptedDocument {
  return typeof value === 'object' && value !== null && 'adopted' in value ? AdoptedDocument : BuiltDocument
}

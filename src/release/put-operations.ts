/** How a binary and the documents of a release are put into a bucket: with what beside them, in which order. */
import { createHash } from 'node:crypto'
import type { Body } from '../buckets/types.ts'
import { KEYS } from '../plan/keys.ts'
import { bodyOf } from './digest.ts'
import { digestedFiles, encodeDocument, type ReleaseDocument, type ReleaseFile, revisionOf } from './document.ts'
import type { EntryId, Operation } from './publication.ts'
import { type Signer, trustedCommentOf } from './keys/sign.ts'

export const IMMUTABLE = 'public, max-age=31536000, immutable'
const TEXT = 'text/plain; charset=utf-8'

interface Named {
  /** The project. */
  readonly name: string
  readonly version: string
  /** Null when the project asked for `sign: none`. */
  readonly signer: Signer | null
}

/** A binary, its checksum file and its signature. */
export function binaryOperations(
  { name, version, signer }: Named,
  file: Pick<ReleaseFile, 'path' | 'name' | 'sha256' | 'mediaType'>,
  blake2b512: Buffer,
  body: Body,
): Operation[] {
  const line = bodyOf(Buffer.from(`${file.sha256}  ${file.name}\n`))
  const operations = [
    put('objects', file.path, body, file.mediaType),
    put('objects', `${file.path}.sha256`, line, TEXT),
  ]
  if (signer !== null) {
    const minisig = signer.signFile({ blake2b512 }, trustedCommentOf({ name, version, path: file.path }))
    operations.push(put('objects', `${file.path}.minisig`, bodyOf(Buffer.from(minisig)), TEXT))
  }
  return operations
}

/**
 * `SHA256SUMS` and `release.json` of the document's revision, each after its signatures: whoever finds one finds what proves it. The document
 * comes last.
 * @param replace what a run that died has left beside a document that never came, as nobody was told of it; `signatures`: of that, what signs it
 */
export function documentOperations(
  document: ReleaseDocument,
  signer: Signer | null,
  { replace }: { readonly replace: 'nothing' | 'signatures' | 'all' } = { replace: 'nothing' },
): Operation[] {
  const { name, version } = document
  const revision = revisionOf(document)
  const documentKey = KEYS.document(version, revision)
  const sums = checksums(document)
  const parts = [
    ...(sums === null ? [] : [[KEYS.sums(version, revision), Buffer.from(sums), TEXT] as const]),
    [documentKey, encodeDocument(document), 'application/json'] as const,
  ]
  return parts.flatMap(([key, bytes, type]) => [
    ...(signer === null ? [] : signDocument(signer, name, version, key, bytes)).map((side) =>
      put('documents', side.key, bodyOf(side.bytes), side.contentType, replace === 'nothing'),
    ),
    put('documents', key, bodyOf(bytes), type, replace !== 'all' || key === documentKey),
  ])
}

function put(entry: EntryId, key: string, body: Body, contentType: string, exclusive = true): Operation {
  return { to: 'bucket', entry, key, body, options: { contentType, cacheControl: IMMUTABLE, exclusive } }
}

/** Both signatures of a document: `.minisig` for minisign, `.sig` for openssl and cosign. */
export function signDocument(
  signer: Signer,
  project: string,
  version: string,
  key: string,
  bytes: Buffer,
): readonly { readonly key: string; readonly bytes: Buffer; readonly contentType: string }[] {
  const blake2b512 = createHash('blake2b512').update(bytes).digest()
  const minisig = signer.signFile({ blake2b512 }, trustedCommentOf({ name: project, version, path: key }))
  return [
    { key: `${key}.minisig`, bytes: Buffer.from(minisig), contentType: TEXT },
    { key: `${key}.sig`, bytes: signer.signRaw(bytes), contentType: 'application/octet-stream' },
  ]
}

/** As `sha256sum` writes and checks it, with paths relative to the version's folder; null where digests are unknown. */
export function checksums(document: ReleaseDocument): string | null {
  const folder = KEYS.folder(document.version)
  return (
    digestedFiles(document)
      ?.map((file) => `${file.sha256}  ${file.path.slice(folder.length)}\n`)
      .join('') ?? null
  )
}

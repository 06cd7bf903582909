/** Where a stranger reads from, and the signatures beside a document. */
import { createHash } from 'node:crypto'
import type { Bucket } from '../../buckets/types.ts'
import { ahead } from '../../parallel.ts'
import { wrong } from './findings.ts'
import type { PublicKey } from '../keys/public-key.ts'
import { type SignedName, trustedCommentOf } from '../keys/sign.ts'
import { verifyFile, verifyRaw } from '../keys/verify-signature.ts'

/** What verification reads: a folder or an address. */
export type Published = Pick<Bucket, 'location' | 'read' | 'open'> &
  Partial<Pick<Bucket, 'list' | 'redirectOf' | 'head'>>

/** Bytes; a signature file has some 300. */
export const SIDE_LIMIT = 16 * 1024

/** Both signatures of a document, on their way. */
export interface Sides {
  readonly minisig: Promise<Buffer>
  readonly raw: Promise<Buffer>
}

/** For whoever reads what they sign at the same time; whoever does not need them after all leaves them. */
export function readSides(bucket: Published, path: string): Sides {
  return { minisig: ahead(readSide(bucket, `${path}.minisig`)), raw: ahead(readSide(bucket, `${path}.sig`)) }
}

/** Both signatures of a document; fails with `VERIFICATION_FAILED`. */
export async function verifySigned(
  bucket: Published,
  bytes: Buffer,
  signed: SignedName,
  key: PublicKey,
  { minisig, raw }: Sides = readSides(bucket, signed.path),
): Promise<void> {
  const { path } = signed
  const blake2b512 = createHash('blake2b512').update(bytes).digest()
  verifyFile(key, { blake2b512 }, (await minisig).toString('utf8'), trustedCommentOf(signed), `${path}.minisig`)
  verifyRaw(key, bytes, await raw, `${path}.sig`)
}

export async function readSide(bucket: Published, name: string): Promise<Buffer> {
  const bytes = await bucket.read(name, SIDE_LIMIT)
  if (bytes === null) throw wrong(`${name} is missing`)
  return bytes
}

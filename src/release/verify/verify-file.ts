/** One file of a release, read whole, and what stands beside it. */
import { createHash } from 'node:crypto'
import { giveBack } from '../../bytes/chunks.ts'
import { ahead } from '../../parallel.ts'
import { type AdoptedFile, isAdopted, type ReleaseDocument, type ReleaseFile } from '../document.ts'
import type { Piece } from '../../run/meter.ts'
import { counted } from '../counted.ts'
import { type Findings, wrong } from './findings.ts'
import type { PublicKey } from '../keys/public-key.ts'
import { trustedCommentOf } from '../keys/sign.ts'
import { type Published, readSide, SIDE_LIMIT } from './verify-document.ts'
import { verifyFile } from '../keys/verify-signature.ts'

interface FileRequest {
  readonly bucket: Published
  /** Null where nothing is signed. */
  readonly key: PublicKey | null
  readonly piece: Piece
}

/** What was adopted has nothing beside it, and perhaps no digest: then its size is all that can be compared. */
export async function verifyFileOf(
  { bucket, key, piece }: FileRequest,
  document: ReleaseDocument,
  file: ReleaseFile | AdoptedFile,
  found: Findings,
): Promise<void> {
  const { path, sha256: expected } = file
  const digest = expected === null ? 'digest unknown' : `sha256 ${expected}`
  await found.check(`${file.target}/${file.name}  ${file.size} bytes  ${digest}`, async () => {
    const isSigned = !isAdopted(document) && key !== null
    const digestLine = isAdopted(document) ? null : ahead(bucket.read(`${path}.sha256`, SIDE_LIMIT))
    const signature = isSigned ? ahead(readSide(bucket, `${path}.minisig`)) : null
    const stream = await bucket.open(path)
    if (stream === null) throw wrong(`${path} is missing`)
    const { size, sha256, blake2b512 } = await digestsOf(
      counted(() => stream, piece),
      file.size,
    )
    if (size !== file.size) {
      throw wrong(`${path} has ${size} bytes${size > file.size ? ' or more' : ''}, release.json says ${file.size}`)
    }
    if (expected !== null && sha256 !== expected)
      throw wrong(`${path} has SHA-256 ${sha256}, release.json says ${expected}`)
    if (digestLine === null) return
    const line = await digestLine
    if (line?.toString('utf8') !== `${expected}  ${file.name}\n`) {
      throw wrong(`${path}.sha256 says something else than release.json`)
    }
    if (key === null || signature === null) return
    const comment = trustedCommentOf({ name: document.name, version: document.version, path })
    const minisig = await signature
    verifyFile(key, { blake2b512 }, minisig.toString('utf8'), comment, `${path}.minisig`)
  })
}

/** Stops reading once there is more than expected. */
export async function digestsOf(
  stream: AsyncIterable<Uint8Array>,
  expected: number,
): Promise<{ size: number; sha256: string; blake2b512: Buffer }> {
  const sha256 = createHash('sha256')
  const blake2b512 = createHash('blake2b512')
  let size = 0
  for await (const chunk of stream) {
    size += chunk.length
    if (size > expected) break
    sha256.update(chunk)
    blake2b512.update(chunk)
    giveBack(chunk)
  }
  return { size, sha256: sha256.digest('hex'), blake2b512: blake2b512.digest() }
}

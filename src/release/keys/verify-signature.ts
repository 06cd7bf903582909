/** Checking signatures with nothing but a public key. */
import { verify } from 'node:crypto'
import { PitlaneError } from '../../errors.ts'
import { publicKeyOf, SIGNATURE_BYTES } from './ed25519.ts'
import { formatKeyId, parseSignature, sameKeyId } from './minisign.ts'
import type { PublicKey } from './public-key.ts'

/**
 * Checks a `.minisig`: the key, the file's hash, and that the signed comment is the expected one.
 * @param trustedComment from `trustedCommentOf`; null takes any, for files that somebody else signed
 * @returns the trusted comment
 * @throws PitlaneError `VERIFICATION_FAILED`
 */
export function verifyFile(
  publicKey: PublicKey,
  digests: { readonly blake2b512: Buffer },
  signatureText: string,
  trustedComment: string | null,
  where: string,
): string {
  const parsed = parseSignature(signatureText, where)
  if (publicKey.keyId !== null && !sameKeyId(parsed.keyId, publicKey.keyId)) {
    throw failed(where, `signed with the key ${formatKeyId(parsed.keyId)}, not with ${formatKeyId(publicKey.keyId)}`)
  }
  const key = publicKeyOf(publicKey.key)
  if (digests.blake2b512.length !== 64 || !verify(null, digests.blake2b512, key, parsed.signature)) {
    throw failed(where, 'the signature is not one of this file by this key')
  }
  if (
    !verify(null, Buffer.concat([parsed.signature, Buffer.from(parsed.trustedComment)]), key, parsed.globalSignature)
  ) {
    throw failed(where, 'the trusted comment was changed after it was signed')
  }
  if (trustedComment !== null && parsed.trustedComment !== trustedComment) {
    throw failed(
      where,
      `the file was signed as ${JSON.stringify(parsed.trustedComment)}, not as ${JSON.stringify(trustedComment)}`,
    )
  }
  return parsed.trustedComment
}

/**
 * Checks a plain `.sig` of a document.
 * @throws PitlaneError `VERIFICATION_FAILED`
 */
export function verifyRaw(publicKey: PublicKey, document: Buffer, signature: Buffer, where: string): void {
  if (signature.length !== SIGNATURE_BYTES)
    throw failed(where, `a plain signature has 64 bytes, this has ${signature.length}`)
  if (verify(null, document, publicKeyOf(publicKey.key), signature)) return
  throw failed(where, 'the signature is not one of this document by this key')
}

function failed(where: string, reason: string): PitlaneError {
  return new PitlaneError('VERIFICATION_FAILED', `${where}: ${reason}`)
}

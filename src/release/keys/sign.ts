/**
 * Signing what a release publishes, with one Ed25519 key, in two forms:
 *
 * - `.minisig` for every file and document: minisign's prehashed form, over the file's BLAKE2b-512, with a trusted comment that says
 *   of what project, version and path the file is, so that an older file can't be served under another name.
 * - `.sig` beside the documents: the plain Ed25519 signature of the document's bytes (RFC 8032 §5.1.6), its 64 bytes as they are.
 *   openssl reads exactly that; cosign takes base64 or, tried with 2.4.1, raw bytes, which it encodes itself.
 *
 * Ed25519 is deterministic: signing again gives the same bytes.
 */
import { createHash, type KeyObject, sign } from 'node:crypto'
import { PitlaneError } from '../../errors.ts'
import { privateKeyOf } from './ed25519.ts'
import { encodeSignature, type MinisignSecretKey } from './minisign.ts'
import { formsOf, type PublicKeyForms } from './public-key.ts'

/** The BLAKE2b-512 that `signFile` and `verifyFile` take, of bytes or of a stream of any length. */
export async function blake2b512Of(source: Iterable<Uint8Array> | AsyncIterable<Uint8Array>): Promise<Buffer> {
  const hash = createHash('blake2b512')
  for await (const chunk of source) hash.update(chunk)
  return hash.digest()
}

export interface Signer {
  readonly publicKey: PublicKeyForms
  /** Upper-case hex digits without leading zeros, as minisign prints it. */
  readonly keyId: string
  /** The text of the `.minisig` file. */
  signFile(digests: { readonly blake2b512: Buffer }, trustedComment: string): string
  /**
   * The 64 bytes of the `.sig` file. Only for text documents, since the same key signs hashes (64 bytes) and minisign's
   * signature ‖ comment: a document that could be one of them, or a DSSE envelope's payload, is refused.
   */
  signRaw(document: Buffer): Buffer
}

export function createSigner(secret: MinisignSecretKey): Signer {
  const key = privateKeyOf(secret.seed)
  const publicKey = formsOf(secret)
  return {
    publicKey,
    keyId: publicKey.keyId,
    signFile: ({ blake2b512 }, trustedComment) => signFile(key, secret.keyId, blake2b512, trustedComment),
    signRaw(document) {
      requireDocument(document)
      return sign(null, document, key)
    },
  }
}

/** The public half alone, for who only looks at what was signed: it signs nothing. */
export function publicHalf(publicKey: PublicKeyForms): Signer {
  const refuse = (): never => {
    throw new PitlaneError('KEY_MISSING', 'this needs the signing key, and only the public one is here', {
      hint: 'Set PITLANE_SIGNING_KEY.',
    })
  }
  return { publicKey, keyId: publicKey.keyId, signFile: refuse, signRaw: refuse }
}

/** What a signed file is, as its trusted comment says it: `pitlane <name> <version> file:<path>`. */
export interface SignedName {
  /** The project. */
  readonly name: string
  readonly version: string
  /** Key in the bucket. */
  readonly path: string
}

/** No part may hold a space or a control character, so that no two names have one comment. */
export function trustedCommentOf(signed: SignedName): string {
  for (const part of [signed.name, signed.version, signed.path]) {
    if (!/^[\x21-\x7e]{1,1024}$/.test(part))
      throw new PitlaneError('INTERNAL', `${JSON.stringify(part)} cannot be signed as a name`)
  }
  return trustedCommentText(signed)
}

/** The same for showing it, of any name. */
export function trustedCommentText({ name, version, path }: SignedName): string {
  return `pitlane ${name} ${version} file:${path}`
}

function signFile(key: KeyObject, keyId: Buffer, blake2b512: Buffer, trustedComment: string): string {
  if (blake2b512.length !== 64)
    throw new PitlaneError('INTERNAL', `a BLAKE2b-512 has 64 bytes, not ${blake2b512.length}`)
  if (!/^[\x20-\x7e]{1,4096}$/.test(trustedComment)) {
    throw new PitlaneError('INTERNAL', `${JSON.stringify(trustedComment)} cannot be a trusted comment`)
  }
  const signature = sign(null, blake2b512, key)
  const globalSignature = sign(null, Buffer.concat([signature, Buffer.from(trustedComment)]), key)
  return encodeSignature({ keyId, signature, trustedComment, globalSignature })
}

function requireDocument(document: Buffer): void {
  const reason = document.subarray(0, 7).equals(Buffer.from('DSSEv1 '))
    ? 'it begins like the payload of a DSSE envelope'
    : document.length === 64
      ? 'it is as long as a hash'
      : isText(document)
        ? undefined
        : 'it is not UTF-8 text'
  if (reason === undefined) return
  throw new PitlaneError('INTERNAL', `the document must not be signed as it is: ${reason}`)
}

function isText(bytes: Buffer): boolean {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes) !== ''
  } catch {
    return false
  }
}

/** Ed25519 keys (RFC 8032) as raw bytes, and as what node:crypto and other tools take (RFC 8410: PKCS #8 and SPKI). */
import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto'

/** RFC 8410 §7: everything of the DER before the 32 bytes of the seed. */
const PKCS8_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex')
/** RFC 8410 §4: everything of the DER before the 32 bytes of the public key. */
const SPKI_PREFIX = Buffer.from('302a300506032b6570032100', 'hex')

export const KEY_BYTES = 32
export const SIGNATURE_BYTES = 64

export function privateKeyOf(seed: Buffer): KeyObject {
  return createPrivateKey({ key: Buffer.concat([PKCS8_PREFIX, seed]), format: 'der', type: 'pkcs8' })
}

/** Made once for each key: a bucket has one, and thousands of signatures by it. */
const publicKeys = new Map<string, KeyObject>()
const KEPT = 16

export function publicKeyOf(raw: Buffer): KeyObject {
  const name = raw.toString('hex')
  const known = publicKeys.get(name)
  if (known !== undefined) return known
  const key = createPublicKey({ key: Buffer.concat([SPKI_PREFIX, raw]), format: 'der', type: 'spki' })
  if (publicKeys.size < KEPT) publicKeys.set(name, key)
  return key
}

/** The 32 bytes of a public key, or of the public half of a private one. */
export function rawPublicKey(key: KeyObject): Buffer {
  const publicKey = key.type === 'public' ? key : createPublicKey(key)
  return publicKey.export({ format: 'der', type: 'spki' }).subarray(SPKI_PREFIX.length)
}

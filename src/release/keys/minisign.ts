/**
 * The files of minisign (https://jedisct1.github.io/minisign/, "Signature format", "Public key format", "Private key format"): reading and
 * writing, no signing. Everything is text of two or four lines, each binary part one line of base64:
 *
 * - public key: algorithm `Ed` (2 bytes), key id (8), Ed25519 public key (32)
 * - secret key: algorithm `Ed` (2), key derivation (2: zeros when there is no password), checksum algorithm `B2` (2), salt (32),
 *   operations (8), memory (8), then key id (8), seed (32), public key (32), checksum (32)
 * - signature: algorithm `ED` (2), key id (8), Ed25519 signature of the file's BLAKE2b-512 (64); then a trusted comment and, as a line of
 *   its own, the Ed25519 signature of (signature ‖ trusted comment) (64)
 *
 * The older algorithm `Ed` of signatures, over the file itself, is neither written nor accepted: it takes the whole file in memory, and
 * a plain signature of any document could be passed off as one.
 */
import { timingSafeEqual } from 'node:crypto'
import { PitlaneError } from '../../errors.ts'
import { KEY_BYTES, privateKeyOf, rawPublicKey, SIGNATURE_BYTES } from './ed25519.ts'
import { decode, Fields, failing, linesOf } from './minisign-text.ts'

export const KEY_ID_BYTES = 8

export interface MinisignPublicKey {
  readonly keyId: Buffer
  /** The 32 bytes of the Ed25519 key. */
  readonly key: Buffer
}

export interface MinisignSecretKey extends MinisignPublicKey {
  /** The 32 bytes that everything else of the key pair follows from. */
  readonly seed: Buffer
}

export interface MinisignSignature {
  readonly keyId: Buffer
  /** Over the BLAKE2b-512 of the file. */
  readonly signature: Buffer
  readonly trustedComment: string
  /** Over the signature and the trusted comment. */
  readonly globalSignature: Buffer
}

const ALGORITHM = Buffer.from('Ed')
const PREHASHED = Buffer.from('ED')
const CHECKSUM_ALGORITHM = Buffer.from('B2')
/** "Sc": scrypt. */
const SCRYPT = Buffer.from('Sc')
const SECRET_KEY_BYTES = 158
const UNTRUSTED = 'untrusted comment: '
const TRUSTED = 'trusted comment: '

/** As minisign prints it: the id is a little-endian number, in upper-case hex digits without leading zeros. */
export function formatKeyId(keyId: Buffer): string {
  return keyId.readBigUInt64LE().toString(16).toUpperCase()
}

/** Whether two key ids are the same, without telling by the time it takes where they differ. */
export function sameKeyId(a: Buffer, b: Buffer): boolean {
  return a.length === b.length && timingSafeEqual(a, b)
}

/** The base64 line alone: what `minisign -P` takes, and the second line of a `.pub` file. */
export function encodePublicKeyLine(key: MinisignPublicKey): string {
  return Buffer.concat([ALGORITHM, key.keyId, key.key]).toString('base64')
}

export function encodePublicKey(key: MinisignPublicKey): string {
  return `${UNTRUSTED}minisign public key ${formatKeyId(key.keyId)}\n${encodePublicKeyLine(key)}\n`
}

/**
 * Reads the text of a `.pub` file, or the base64 line alone.
 * @throws PitlaneError `KEY_INVALID`
 */
export function parsePublicKeyText(text: string, where: string): MinisignPublicKey {
  const fail = failing('KEY_INVALID', where)
  const lines = linesOf(text, fail)
  const commented = lines[0]?.startsWith('untrusted comment:') === true
  const position = commented ? 1 : 0
  if (lines.length !== position + 1) fail(1, `a public key has ${position + 1} lines, this has ${lines.length}`)
  const bytes = decode(lines[position] ?? '', position + 1, fail)
  if (bytes.length === SECRET_KEY_BYTES) fail(position + 1, 'this is a secret key, not a public one')
  if (bytes.length !== ALGORITHM.length + KEY_ID_BYTES + KEY_BYTES) {
    fail(position + 1, `a public key has 42 bytes, this has ${bytes.length}`)
  }
  const read = new Fields(bytes)
  if (!read.next(2).equals(ALGORITHM)) fail(position + 1, 'the key is not for Ed25519')
  return { keyId: read.next(KEY_ID_BYTES), key: read.next(KEY_BYTES) }
}

/** A secret key without a password, as `minisign -G -W` writes it. */
export function encodeSecretKey(key: MinisignSecretKey): string {
  const bytes = Buffer.concat([
    ALGORITHM,
    Buffer.alloc(2),
    CHECKSUM_ALGORITHM,
    Buffer.alloc(48),
    key.keyId,
    key.seed,
    key.key,
    Buffer.alloc(32),
  ])
  return `${UNTRUSTED}minisign encrypted secret key\n${bytes.toString('base64')}\n`
}

/**
 * Reads the text of a secret key file, or the base64 line alone. The error never contains any of it.
 * @throws PitlaneError `KEY_INVALID`; also when the key has a password
 */
export function parseSecretKey(text: string, where: string): MinisignSecretKey {
  const fail = failing('KEY_INVALID', where)
  const lines = linesOf(text, fail)
  const position = lines[0]?.startsWith('untrusted comment:') === true ? 1 : 0
  if (lines.length !== position + 1) fail(1, `a secret key has ${position + 1} lines, this has ${lines.length}`)
  const bytes = decode(lines[position] ?? '', position + 1, fail)
  if (bytes.length === ALGORITHM.length + KEY_ID_BYTES + KEY_BYTES)
    fail(position + 1, 'this is a public key, not a secret one')
  if (bytes.length !== SECRET_KEY_BYTES) fail(position + 1, `a secret key has 158 bytes, this has ${bytes.length}`)
  const read = new Fields(bytes)
  if (!read.next(2).equals(ALGORITHM)) fail(position + 1, 'the key is not for Ed25519')
  const derivation = read.next(2)
  if (derivation.equals(SCRYPT)) {
    throw new PitlaneError('KEY_INVALID', `${where}: the secret key is protected by a password`, {
      hint: 'A release cannot ask for one. Make a copy without it (`minisign -C -W -s COPY`) and keep that readable by its owner only.',
    })
  }
  if (!derivation.equals(Buffer.alloc(2))) fail(position + 1, 'the key derivation is not known')
  if (!read.next(2).equals(CHECKSUM_ALGORITHM)) fail(position + 1, 'the checksum algorithm is not known')
  read.next(48)
  const keyId = read.next(KEY_ID_BYTES)
  const seed = read.next(KEY_BYTES)
  const key = read.next(KEY_BYTES)
  // Without a password the checksum is not filled in; that the halves fit together says more.
  if (!timingSafeEqual(rawPublicKey(privateKeyOf(seed)), key)) {
    fail(position + 1, 'the secret and the public half of the key do not belong together')
  }
  return { keyId, seed, key }
}

export function encodeSignature(signature: MinisignSignature): string {
  const first = Buffer.concat([PREHASHED, signature.keyId, signature.signature]).toString('base64')
  const second = signature.globalSignature.toString('base64')
  const comment = `signature by the key ${formatKeyId(signature.keyId)}`
  return `${UNTRUSTED}${comment}\n${first}\n${TRUSTED}${signature.trustedComment}\n${second}\n`
}

/**
 * Reads the text of a `.minisig` file; says nothing about whether it is true.
 * @throws PitlaneError `VERIFICATION_FAILED`
 */
export function parseSignature(text: string, where: string): MinisignSignature {
  const fail = failing('VERIFICATION_FAILED', where)
  const lines = linesOf(text, fail)
  if (lines.length !== 4) fail(1, `a signature has 4 lines, this has ${lines.length}`)
  const [untrusted = '', first = '', trusted = '', second = ''] = lines
  if (!untrusted.startsWith('untrusted comment:')) fail(1, 'the line does not begin with "untrusted comment:"')
  if (!trusted.startsWith(TRUSTED)) fail(3, 'the line does not begin with "trusted comment: "')
  const bytes = decode(first, 2, fail)
  if (bytes.length !== 2 + KEY_ID_BYTES + SIGNATURE_BYTES) fail(2, `a signature has 74 bytes, this has ${bytes.length}`)
  const read = new Fields(bytes)
  const algorithm = read.next(2)
  if (algorithm.equals(ALGORITHM))
    fail(2, 'the signature has the older form, over the file instead of its hash, which is not accepted')
  if (!algorithm.equals(PREHASHED)) fail(2, 'the signature algorithm is not known')
  const globalSignature = decode(second, 4, fail)
  if (globalSignature.length !== SIGNATURE_BYTES) {
    fail(4, `the signature of the trusted comment has 64 bytes, this has ${globalSignature.length}`)
  }
  return {
    keyId: read.next(KEY_ID_BYTES),
    signature: read.next(SIGNATURE_BYTES),
    trustedComment: trusted.slice(TRUSTED.length),
    globalSignature,
  }
}

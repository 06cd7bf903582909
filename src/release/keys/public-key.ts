/** The key that a stranger has: what verification trusts, and nothing else. */
import { createPublicKey } from 'node:crypto'
import { PitlaneError } from '../../errors.ts'
import { publicKeyOf, rawPublicKey } from './ed25519.ts'
import {
  encodePublicKey,
  encodePublicKeyLine,
  formatKeyId,
  type MinisignPublicKey,
  parsePublicKeyText,
} from './minisign.ts'
import { FILE_LIMIT } from './minisign-text.ts'

export interface PublicKey {
  /** Null when the key came as PEM, which holds no id: then ids are not compared. */
  readonly keyId: Buffer | null
  /** The 32 bytes of the Ed25519 key. */
  readonly key: Buffer
}

/** A public key in every form that people take it in. */
export interface PublicKeyForms {
  /** The text of a `.pub` file. */
  readonly minisign: string
  /** Its second line: for `minisign -P`, and for release documents. */
  readonly line: string
  /** SPKI, for openssl and cosign. */
  readonly pem: string
  /** Upper-case hex digits without leading zeros, as minisign prints it. */
  readonly keyId: string
}

export function formsOf(key: MinisignPublicKey): PublicKeyForms {
  return {
    minisign: encodePublicKey(key),
    line: encodePublicKeyLine(key),
    pem: encodePem(key.key),
    keyId: formatKeyId(key.keyId),
  }
}

export function encodePem(key: Buffer): string {
  return publicKeyOf(key).export({ format: 'pem', type: 'spki' }).toString()
}

/**
 * Reads a public key: the text of a minisign `.pub` file, its base64 line alone (`RW…`), or PEM.
 * @param where for messages: the file, or the option that the text came from
 * @throws PitlaneError `KEY_INVALID`
 */
export function parsePublicKey(text: string, where: string): PublicKey {
  return text.trimStart().startsWith('-----BEGIN') ? parsePem(text, where) : parsePublicKeyText(text, where)
}

function parsePem(text: string, where: string): PublicKey {
  const invalid = (reason: string, cause?: unknown) => new PitlaneError('KEY_INVALID', `${where}: ${reason}`, { cause })
  if (text.length > FILE_LIMIT)
    throw invalid(`the text has ${text.length} characters, more than the ${FILE_LIMIT} that are read`)
  // Anything else would do for node:crypto too: it would take the public half of a private key.
  if (!/^\s*-----BEGIN PUBLIC KEY-----\r?\n[A-Za-z0-9+/=\r\n]+-----END PUBLIC KEY-----\s*$/.test(text)) {
    throw invalid('the PEM text is not one PUBLIC KEY')
  }
  try {
    const key = createPublicKey(text)
    if (key.asymmetricKeyType !== 'ed25519')
      throw invalid(`the key is for ${key.asymmetricKeyType ?? 'nothing known'}, not for Ed25519`)
    return { keyId: null, key: rawPublicKey(key) }
  } catch (error) {
    throw error instanceof PitlaneError ? error : invalid('the PEM text cannot be read', error)
  }
}

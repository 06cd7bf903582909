/** The serial of an index that is lost, from the signature that is still beside it. */
import { verify } from 'node:crypto'
import type { Bucket } from '../../buckets/types.ts'
import { KEYS } from '../../plan/keys.ts'
import { PitlaneError } from '../../errors.ts'
import { publicKeyOf } from '../keys/ed25519.ts'
import { parseSignature } from '../keys/minisign.ts'
import type { PublicKey } from '../keys/public-key.ts'
import { trustedCommentOf } from '../keys/sign.ts'
import { SIDE_LIMIT } from '../verify/verify-document.ts'

/**
 * Readers who have seen a serial refuse lower ones, so that a lost index must not make counting begin anew. The trusted comment of its
 * signature says the number, and is signed itself. 0 when there is no signature of this key and project that says one.
 */
export async function lastSerial(bucket: Pick<Bucket, 'read'>, key: PublicKey, name: string): Promise<number> {
  const where = `${KEYS.index}.minisig`
  const text = await bucket.read(where, SIDE_LIMIT)
  if (text === null) return 0
  const comment = signedComment(text.toString('utf8'), where, key)
  const [, serial = '0'] = / serial-([0-9]{1,12}) /.exec(comment ?? '') ?? []
  return comment === trustedCommentOf({ name, version: `serial-${serial}`, path: KEYS.index }) ? Number(serial) : 0
}

/** The trusted comment of a `.minisig` whose file is not there; null when this key has not signed it. */
export function signedComment(text: string, where: string, key: PublicKey): string | null {
  try {
    const { signature, trustedComment, globalSignature } = parseSignature(text, where)
    const signed = Buffer.concat([signature, Buffer.from(trustedComment)])
    return verify(null, signed, publicKeyOf(key.key), globalSignature) ? trustedComment : null
  } catch (error) {
    if (error instanceof PitlaneError && error.code === 'VERIFICATION_FAILED') return null
    throw error
  }
}

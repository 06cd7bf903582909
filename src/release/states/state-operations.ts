/** A state document and its signatures as operations. */
import { KEYS } from '../../plan/keys.ts'
import { bodyOf } from '../digest.ts'
import { IMMUTABLE, signDocument } from '../put-operations.ts'
import type { EntryId, Operation } from '../publication.ts'
import type { Signer } from '../keys/sign.ts'
import { encodeState, type StateDocument } from './state-document.ts'

/**
 * The signatures come first: whoever finds the document finds them. Those of a document that never came may be replaced, the document never.
 * @param signer null when the project asked for `sign: none`
 */
export function stateOperations(signer: Signer | null, state: StateDocument, entry: EntryId): readonly Operation[] {
  const { name, version, revision } = state
  const key = KEYS.state(version, revision)
  const bytes = encodeState(state)
  const sides = signer === null ? [] : signDocument(signer, name, version, key, bytes)
  return [...sides, { key, bytes, contentType: 'application/json' }].map((object) => ({
    to: 'bucket',
    entry,
    key: object.key,
    body: bodyOf(object.bytes),
    options: { contentType: object.contentType, cacheControl: IMMUTABLE, exclusive: object.key === key },
  }))
}

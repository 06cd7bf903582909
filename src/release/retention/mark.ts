/** Puts the marks of retired versions, and takes them away. */
import { PitlaneError } from '../../errors.ts'
import { KEYS } from '../../plan/keys.ts'
import { bodyOf } from '../digest.ts'
import { isoSeconds } from '../document.ts'
import type { ListParts } from '../lists/list-parts.ts'
import { signDocument } from '../put-operations.ts'
import type { IndexRelease } from '../lists/site-index.ts'
import { encodeRetired, NEVER, type RetiredDocument } from './retired.ts'
import type { PlannedVersion } from './plan.ts'

/** @param at and `after`: milliseconds since 1970 */
export async function putMark(lists: ListParts, planned: PlannedVersion, at: number, after: number): Promise<void> {
  const { version, channel, publishedAt, document, reason, contents } = planned
  if (document === null || contents === null) throw new PitlaneError('INTERNAL', `${version} has nothing to retire`)
  const removeAfter = isoSeconds(Math.ceil(after / 1000) * 1000)
  const retiredAt = isoSeconds(at)
  await putRetired(lists, { version, channel, document, publishedAt, retiredAt, removeAfter, reason, contents })
}

const NOTHING = { tags: [], manifests: [], blobs: [], objects: [] }

/** That a version whose document was lost is given up: it removes nothing, and stays. */
export async function putGivenUp(lists: ListParts, lost: IndexRelease): Promise<void> {
  const { version, channel, date: publishedAt } = lost
  const retiredAt = isoSeconds(lists.clock.now())
  const reason = 'its document was lost, and it was given up'
  const about = { version, channel, document: lost.document.sha256, publishedAt, retiredAt, removeAfter: NEVER, reason }
  await putRetired(lists, { ...about, contents: NOTHING })
}

async function putRetired(
  { bucket, signer, name }: ListParts,
  retired: Omit<RetiredDocument, 'format' | 'name'>,
): Promise<void> {
  const { version } = retired
  const key = KEYS.retired(version)
  const bytes = encodeRetired({ format: 'pitlane-retired/1', name, ...retired })
  // Signatures first: they say nothing without the mark, and a run that died before it may have left others.
  const sides = signer === null ? [] : signDocument(signer, name, version, key, bytes)
  for (const side of sides)
    await bucket.put(side.key, bodyOf(side.bytes), {
      contentType: side.contentType,
      cacheControl: 'no-cache',
      exclusive: false,
    })
  const options = { contentType: 'application/json', cacheControl: 'no-cache', exclusive: true }
  await bucket.put(key, bodyOf(bytes), options)
}

/** The signature that says whose it is goes last: what is left of a mark can be told by it. */
export async function removeMark({ bucket }: ListParts, version: string): Promise<void> {
  const key = KEYS.retired(version)
  for (const side of ['', '.sig', '.minisig']) await bucket.delete(`${key}${side}`)
}

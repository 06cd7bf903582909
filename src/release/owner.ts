/** Whose bucket it is: it belongs to one project and is signed with one key. */
import type { Bucket } from '../buckets/types.ts'
import { PitlaneError } from '../errors.ts'
import { listedDocuments } from './documents.ts'
import type { ListParts } from './lists/list-parts.ts'
import type { SiteIndex } from './lists/site-index.ts'
import type { Standing } from './lists/standing.ts'

/**
 * Another project or key would make every earlier release look forged. An index in doubt that names one is believed unless the releases in the
 * bucket are all signed by this project: then it is the index that somebody else has put there.
 * @throws PitlaneError `PROJECT_CHANGED`, `KEY_CHANGED`
 */
export async function requireSameOwner(parts: ListParts, { index, claim }: Standing): Promise<void> {
  if (index !== null) return compareOwner(parts, index)
  if (claim === null) return
  try {
    compareOwner(parts, claim)
  } catch (error) {
    if (!(await holdsOwnReleases(parts))) throw error
  }
}

function compareOwner({ bucket, name, signer }: ListParts, index: SiteIndex): void {
  if (index.name !== name) throw projectChanged(bucket, index.name, name)
  const before = index.publicKey
  // Nothing that says it is unsigned can be told from what somebody else has put there.
  const same =
    before === null ? signer === null || index.releases.length === 0 : before.minisign === signer?.publicKey.line
  if (same) return
  throw new PitlaneError(
    'KEY_CHANGED',
    `${bucket.location} is signed with key ${before?.keyId ?? 'none'}, and this one is ${signer?.keyId ?? 'none'}`,
    {
      hint: 'Use the key that signed the earlier releases (PITLANE_SIGNING_KEY), or publish to a new bucket.',
    },
  )
}

/** Whether there are releases, and every one is signed with this project's key under its name. */
async function holdsOwnReleases({ bucket, check, name }: ListParts): Promise<boolean> {
  if (check === null) return false
  try {
    const documents = await listedDocuments(bucket, check)
    return documents.length > 0 && documents.every(({ document }) => document.name === name)
  } catch (error) {
    if (error instanceof PitlaneError && error.code === 'VERIFICATION_FAILED') return false
    throw error
  }
}

export function projectChanged(bucket: Pick<Bucket, 'location'>, there: string, name: string): PitlaneError {
  return new PitlaneError('PROJECT_CHANGED', `${bucket.location} holds releases of ${there}, and this is ${name}`, {
    hint: 'Lists and pointers are of one project: publish to a bucket of its own, or give the project its name back.',
  })
}

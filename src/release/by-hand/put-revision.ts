/** Puts the next document of a release that is made by hand. Only for a caller that keeps others from publishing meanwhile. */
import { KEYS } from '../../plan/keys.ts'
import { type ByHandJournal, carryOutByHand } from './by-hand-journal.ts'
import { type BuiltDocument, revisionOf } from '../document.ts'
import { announceChange } from '../lists/changing.ts'
import type { ListParts } from '../lists/list-parts.ts'
import { readSite } from '../lists/read-site.ts'
import { requireSameOwner } from '../owner.ts'
import { documentOperations } from '../put-operations.ts'
import { requireOffered } from '../states/refuse-withdrawn.ts'
import { requireNotRetired } from '../retention/retired.ts'
import type { StoredDocument } from '../revisions.ts'
import { readStanding, type Standing } from '../lists/standing.ts'

/**
 * @param make the document as of a date, milliseconds since 1970
 * @throws PitlaneError `WITHDRAWN`, `CONTRADICTION` for a version that was retired
 */
export async function putRevision(
  lists: ListParts,
  journal: ByHandJournal,
  before: StoredDocument<BuiltDocument> | null,
  make: (at: number) => BuiltDocument,
): Promise<BuiltDocument> {
  const standing = await readStanding(lists)
  await requireSameOwner(lists, standing)
  // A document in the bucket that can't be trusted would stop the lists at the end, with this one out.
  const { states } = await readSite(lists, standing, 'changes')
  const document = make(nextDate(lists, standing, before?.document.byHand?.revisedAt ?? null))
  requireOffered(states, document.version)
  await requireNotRetired(lists.bucket, document.version, lists.check)
  // Nobody else writes here now, and there is no document under this name: what lies beside it is left over from a run that died.
  const operations = documentOperations(document, lists.signer, { replace: 'all' })
  const { version } = document
  // Whoever goes by the lists would not look at a version that they name already.
  if (before !== null) await announceChange(lists.bucket)
  await carryOutByHand(journal, `${version} ${KEYS.document(version, revisionOf(document))}`, operations)
  return document
}

/**
 * When the next document is made, never before what it follows: the clock may have gone back.
 * @param last of the revision before
 */
export function nextDate({ clock }: Pick<ListParts, 'clock'>, standing: Standing, last: string | null): number {
  const now = Math.floor(clock.now() / 1000) * 1000
  return Math.max(now, standing.generatedAt, last === null ? 0 : Date.parse(last))
}

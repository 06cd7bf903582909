/**
 * The document of a release that is made by hand learns of its multi-platform image, once that is in the registry: from then on page, lists and
 * `verify` know it.
 */
import { checkImage } from '../../image/check.ts'
import type { Registry } from '../../image/types.ts'
import { PitlaneError } from '../../errors.ts'
import type { Plan } from '../../plan/plan.ts'
import { requireSameCommit, withImage } from './by-hand.ts'
import type { ByHandJournal } from './by-hand-journal.ts'
import { type BuiltDocument, builtOf, type ReleaseImage, revisionOf } from '../document.ts'
import { readTrustedDocument } from '../documents.ts'
import { contradiction } from '../contradictions.ts'
import { requireOwnTags } from '../lists/floating.ts'
import type { ListParts } from '../lists/list-parts.ts'
import { readSite, releasesOf } from '../lists/read-site.ts'
import { requireSameOwner } from '../owner.ts'
import { putRevision } from './put-revision.ts'
import { refreshPages } from '../lists/rebuild-pages.ts'
import { refuseWithdrawn } from '../states/refuse-withdrawn.ts'
import { requireNotRetired } from '../retention/retired.ts'
import { requireAsShown } from '../lists/lost-releases.ts'
import { settledStanding } from '../lists/standing.ts'

/**
 * A tag that is pushed stays: what its release would not take is found before.
 * @throws PitlaneError `CONTRADICTION`, `WITHDRAWN`
 */
export async function requireRecordable(
  lists: ListParts,
  { plan, image }: { readonly plan: Plan; readonly image: Pick<ReleaseImage, 'digest' | 'repository' | 'floating'> },
): Promise<void> {
  const before = await readTrustedDocument(lists.bucket, plan.version, lists.check)
  const standing = await settledStanding(lists)
  requireAsShown(lists.bucket, standing, plan.version, before)
  if (before === null) return
  await requireSameOwner(lists, standing)
  await requireNotRetired(lists.bucket, plan.version, lists.check)
  await refuseWithdrawn(lists, plan.version, standing)
  const document = builtOf(before.document)
  // What is adopted has images of its own, which its document does not know.
  if (document !== null) requireFits(document, plan, image)
  const releases = releasesOf(await readSite(lists, standing, 'changes'))
  await requireOwnTags(lists.registry, image, releases, lists.takeTags === true)
}

function requireFits(document: BuiltDocument, plan: Plan, image: Pick<ReleaseImage, 'digest'>): void {
  requireSameCommit(document, plan)
  const there = document.image?.digest
  if (there !== undefined && there !== image.digest)
    throw contradiction(`the image of ${plan.version}`, there, image.digest)
}

/**
 * @returns in words, what came of it; null when the version has no document that was made by hand: then there is nothing to record
 * @throws PitlaneError `CONTRADICTION` when the document names another image, `VERIFICATION_FAILED` when the image holds other binaries
 */
export async function recordImage(
  lists: ListParts & { readonly registry: Registry },
  stop: AbortSignal,
  request: { readonly plan: Plan; readonly image: ReleaseImage; readonly pitlaneVersion: string },
): Promise<string | null> {
  const { plan, image, pitlaneVersion } = request
  const { writer, bucket, registry, metering } = lists
  return lists.exclusively(async () => {
    const before = await readTrustedDocument(bucket, plan.version, lists.check)
    const document = before === null ? null : builtOf(before.document)
    if (before === null || document?.byHand === undefined) return null
    requireFits(document, plan, image)
    const files = new Map(document.files.map((file) => [file.target, file]))
    const without = image.platforms.filter(({ target }) => !files.has(target)).map(({ target }) => target)
    if (without.length > 0)
      return `not in the document of ${plan.version}, which has no file for ${without.join(', ')}: put it, then do this again`
    const findings = await checkImage(registry, image, files)
    if (findings.length > 0) throw otherBytes(plan.version, findings)
    const journal: ByHandJournal = { writer, bucket, registry: null, metering, stop }
    const make = (at: number) => withImage({ ...before, document }, image, { at, pitlaneVersion })
    const now = document.image === null ? await putRevision(lists, journal, { ...before, document }, make) : document
    await refreshPages(lists, stop)
    return `in revision ${revisionOf(now)} of the document of ${plan.version}`
  })
}

function otherBytes(version: string, findings: readonly { readonly subject: string; readonly problem: string }[]) {
  const list = findings.map(({ subject, problem }) => `${subject}: ${problem}`).join('\n  ')
  return new PitlaneError('VERIFICATION_FAILED', `the image is not of the files of ${version}:\n  ${list}`, {
    hint: 'It is in the registry, and the release does not name it. Make image and files of the same binaries, under another version.',
  })
}

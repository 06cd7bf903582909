/**
 * Releases that readers are shown and whose documents are gone. Lists made now would drop them without anybody having decided it: nothing that was shown
 * leaves them but by a mark of retention, or when it is named.
 */
import { PitlaneError } from '../../errors.ts'
import { KEYS } from '../../plan/keys.ts'
import { checkVersionName } from '../../plan/version-name.ts'
import { putGivenUp } from '../retention/mark.ts'
import { readMark, type RetiredDocument } from '../retention/retired.ts'
import { revisionOf } from '../document.ts'
import type { StoredDocument } from '../revisions.ts'
import type { ListParts } from './list-parts.ts'
import { type IndexRelease, listedRevision } from './site-index.ts'
import type { Standing } from './standing.ts'

/** How many versions are named in an error. */
const NAMED = 5

/** What lists that are proven show and of which there is no document, whatever became of it. */
export function lostReleases(
  { proven, index }: Pick<Standing, 'proven' | 'index'>,
  documents: readonly StoredDocument[],
): readonly IndexRelease[] {
  const there = new Set(documents.map(({ document }) => document.version))
  // Only what this project has listed: anybody can put another list there.
  return ((proven && index?.releases) || []).filter(({ version }) => !there.has(version))
}

/** One that is retired, or was given up: its mark keeps the name. */
export function mayLeave({ version }: IndexRelease, marks: readonly RetiredDocument[]): boolean {
  return marks.some((mark) => mark.version === version)
}

/**
 * Notes those that may go: retired ones, and those that were named.
 * @param marks of retired versions
 * @throws PitlaneError `RELEASE_LOST` for all others
 */
export function refuseLost(
  { bucket, without, returning, note }: Pick<ListParts, 'bucket' | 'without' | 'returning' | 'note'>,
  lost: readonly IndexRelease[],
  marks: readonly RetiredDocument[],
): void {
  const mayGo = (release: IndexRelease) => mayLeave(release, marks) || without?.has(release.version) === true
  const gone = lost.filter(({ version }) => version !== returning)
  for (const { version } of gone.filter(mayGo))
    note(`${version} is not listed any more: ${KEYS.document(version)} is gone from the bucket`)
  const refused = gone.filter((release) => !mayGo(release))
  if (refused.length > 0) throw releaseLost(bucket, refused)
}

function releaseLost({ location }: Pick<ListParts['bucket'], 'location'>, lost: readonly IndexRelease[]): PitlaneError {
  const names = lost.map(({ version }) => version)
  const [first = ''] = names
  const isOne = names.length === 1
  const some = names.slice(0, NAMED).join(', ') + (names.length > NAMED ? ` and ${names.length - NAMED} others` : '')
  const flags = names.slice(0, NAMED).map((version) => `--without ${version}`)
  return new PitlaneError(
    'RELEASE_LOST',
    `${location} has lost ${KEYS.document(first)}, and readers are shown ${some}: lists made now would not name ${isOne ? 'it' : 'them'}`,
    {
      hint: `Put ${isOne ? KEYS.folder(first) : 'their folders'} back from a copy, or release it again where it was published. Where there is neither, \`pitlane pages rebuild ${flags.join(' ')}\`${names.length > NAMED ? ' and so on' : ''} makes lists without ${isOne ? 'it' : 'them'}.`,
    },
  )
}

/**
 * Before anything is put beside a version: it is there as readers are shown it, in its newest revision.
 * @param before its newest document; null where there is none
 * @throws PitlaneError `RELEASE_LOST`, `PLAN_CONTRADICTION`
 */
export function requireAsShown(
  bucket: Pick<ListParts['bucket'], 'location'>,
  { proven, index }: Pick<Standing, 'proven' | 'index'>,
  version: string,
  before: StoredDocument | null,
): void {
  const listed = proven ? index?.releases.find((release) => release.version === version) : undefined
  if (listed === undefined) return
  if (before === null) throw releaseLost(bucket, [listed])
  const there = revisionOf(before.document)
  if (there < listedRevision(listed)) throw revisionGone(bucket, version, there, listedRevision(listed))
}

/** A release was listed with a later document than there is: readers would be shown an older one. */
export function revisionGone(
  { location }: Pick<ListParts['bucket'], 'location'>,
  version: string,
  there: number,
  listed: number,
): PitlaneError {
  return new PitlaneError(
    'PLAN_CONTRADICTION',
    `${version} would go back from revision ${listed} of its document to revision ${there}`,
    {
      hint: `${location}/${KEYS.document(version, listed)} is gone: put it back from a copy, with its signatures. Where there is none, remove ${KEYS.document(version)} as well, and give ${version} up with \`pitlane pages rebuild --without ${version}\`.`,
    },
  )
}

/**
 * Before `--without` does anything.
 * @throws PitlaneError `VERSION_NAME`; `USAGE` for a version whose document is there (nothing but withdrawal and retention concern that), and for
 * one that readers are not shown
 */
export async function requireLost(
  { bucket, check, without = new Set() }: Pick<ListParts, 'bucket' | 'check' | 'without'>,
  { proven, index }: Pick<Standing, 'proven' | 'index'>,
): Promise<void> {
  for (const version of without) {
    checkVersionName(version)
    if ((await bucket.head(KEYS.document(version))) !== null)
      throw new PitlaneError('USAGE', `--without ${version}: ${bucket.location} has its document`, {
        hint: `It is for releases whose document is lost. What nobody should use is withdrawn (\`pitlane releases withdraw ${version}\`); what is old is retired (\`pitlane retention\`). One that is damaged, and of which there is no copy, is removed first.`,
      })
    const isListed = proven && index?.releases.some((release) => release.version === version) === true
    // One that was given up a moment ago, by a run that was cut off.
    if (isListed || (await readMark(bucket, version, check)) !== null) continue
    throw new PitlaneError('USAGE', `--without ${version}: no list names it, so that it leaves none`, {
      hint: 'What is lost is named by `pitlane audit`.',
    })
  }
}

/**
 * Says for ever that what is named was given up, before any list leaves it out: else its name could be used again, for other bytes. Not to be called
 * but by the one who may publish.
 */
export async function giveUp(lists: ListParts, { proven, index }: Pick<Standing, 'proven' | 'index'>): Promise<void> {
  for (const release of (proven && index?.releases) || []) {
    if (lists.without?.has(release.version) !== true) continue
    if ((await readMark(lists.bucket, release.version, lists.check)) === null) await putGivenUp(lists, release)
  }
}

/**
 * Releases that readers are shown and whose documents are gone. Lists made now would drop them without anybody having decided it: nothing that was shown
 * leaves them but by a mark of retention, or when it is named.
 */
import { PitlaneError } from '../../errors.ts'
import { KEYS } from '../../plan/keys.ts'
import type { RetiredDocument } from '../retention/retired.ts'
import type { StoredDocument } from '../revisions.ts'
import type { ListParts } from './lists.ts'
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

/**
 * Notes those that may go: retired ones, which are on their way out; withdrawn ones, which nobody is led to; and those that were named.
 * @param marks of retired versions
 * @throws PitlaneError `RELEASE_LOST` for all others
 */
export function refuseLost(
  { bucket, without, note }: Pick<ListParts, 'bucket' | 'without' | 'note'>,
  lost: readonly IndexRelease[],
  marks: readonly RetiredDocument[],
): void {
  const retired = new Set(marks.map(({ version }) => version))
  const mayGo = ({ version, withdrawn }: IndexRelease) =>
    withdrawn || retired.has(version) || without?.has(version) === true
  for (const { version } of lost.filter(mayGo))
    note(`${version} is not listed any more: ${KEYS.document(version)} is gone from the bucket`)
  const refused = lost.filter((release) => !mayGo(release))
  const [first] = refused
  if (first === undefined) return
  const names = refused.map(({ version }) => version)
  const some = names.slice(0, NAMED).join(', ') + (names.length > NAMED ? ` and ${names.length - NAMED} others` : '')
  const flags = names.slice(0, NAMED).map((version) => `--without ${version}`)
  throw new PitlaneError(
    'RELEASE_LOST',
    `${bucket.location} has lost ${KEYS.document(first.version, listedRevision(first))}, and readers are shown ${some}: lists made now would not name ${names.length === 1 ? 'it' : 'them'}`,
    {
      hint: `Put ${names.length === 1 ? KEYS.folder(first.version) : 'their folders'} back from a copy. Where there is none, \`pitlane pages rebuild ${flags.join(' ')}\`${names.length > NAMED ? ' and so on' : ''} makes lists without ${names.length === 1 ? 'it' : 'them'}.`,
    },
  )
}

/** @throws PitlaneError `USAGE` for a version whose document is there: nothing but withdrawal and retention concern that */
export async function requireLost({
  bucket,
  without = new Set(),
}: Pick<ListParts, 'bucket' | 'without'>): Promise<void> {
  for (const version of without) {
    if ((await bucket.head(KEYS.document(version))) === null) continue
    throw new PitlaneError('USAGE', `--without ${version}: ${bucket.location} has its document`, {
      hint: `It is for releases whose document is lost. What nobody should use is withdrawn (\`pitlane releases withdraw ${version}\`); what is old is retired (\`pitlane retention\`).`,
    })
  }
}

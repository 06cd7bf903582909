/** What lists are computed from, read once: documents without those that were retired, what became of them, and what of it may be shown. */
import { ahead } from '../../parallel.ts'
import { KEYS } from '../../plan/keys.ts'
import { documentedAt, type ReleaseDocument, revisionOf } from '../document.ts'
import { isChanging } from './changing.ts'
import { readSiteNow, type StoredSite } from '../documentation/read-site.ts'
import { projectChanged } from '../owner.ts'
import { listable } from './listable.ts'
import { lostReleases, refuseLost, revisionGone } from './lost-releases.ts'
import { type FoundReleases, readChanges, readListing } from './read-documents.ts'
import { listRetired, readRetired, type RetiredDocument, type RetiredListing, retires } from '../retention/retired.ts'
import type { StoredDocument } from '../revisions.ts'
import { type IndexRelease, listedRevision } from './site-index.ts'
import type { Standing } from './standing.ts'
import { type States, type StoredState } from '../states/state-document.ts'
import { type FoundStates, knownStates } from '../states/states.ts'
import type { ListParts } from './list-parts.ts'

/** Everything that lists are computed from, read once. */
export interface Site {
  readonly standing: Standing
  /** The releases that are listed. */
  readonly stored: readonly StoredDocument[]
  /** The releases that have left the lists and are still there. */
  readonly retired: readonly RetiredRelease[]
  /** What became of all of them. */
  readonly states: States
  /** States that hold and whose documents are gone: they are put again with the lists. */
  readonly lost: readonly StoredState[]
  /** What the documentation site holds; null where there is none. */
  readonly documentation: StoredSite | null
  /** Milliseconds since 1970: lists are not dated before the ones that they follow, nor before what they list. */
  readonly notBefore: number
  /** Whether addresses that stay lead to the newest stable release. */
  readonly stableLinks: boolean
  /** Whether somebody has announced documents that the lists may not name: over once lists made of this site are out. */
  readonly isChanging: boolean
}

/**
 * @param from `changes`: what this state's own lists name already is believed to be there; `bucket`: whatever the bucket shows, and nothing else
 * @param complete when everything is out that lists may name, for whoever is putting some of it, but no more documents: what is not listed yet is looked at then
 */
export async function readSite(
  parts: ListParts,
  standing: Standing,
  from: 'changes' | 'bucket',
  complete: Promise<void> = Promise.resolve(),
): Promise<Site> {
  const retiring = ahead(listRetired(parts.bucket))
  const documented = ahead(readSiteNow(parts.bucket, parts.name, parts.check))
  const changing = ahead(isChanging(parts.bucket))
  const own = from === 'changes' && standing.isOwn ? standing.index : null
  const found =
    own !== null && !(await changing)
      ? await readChanges(parts, own)
      : await readListing(parts, standing.proven ? standing.index : null)
  const { documents } = found
  const lostDocuments = lostReleases(standing, documents)
  const marked = { documents, lost: lostDocuments, all: from === 'bucket' }
  const { present, retired, marks } = await withoutRetired(parts, marked, await retiring)
  refuseLost(parts, lostDocuments, marks)
  await complete
  const { listed: stored, incomplete } = await listable(parts, present, standing.proven ? standing.index : null)
  for (const { version, lacks } of incomplete) parts.note(`${version} is not listed: it lacks ${lacks}`)
  const there = new Map(documents.map(({ document }) => [document.version, revisionOf(document)]))
  for (const listed of (standing.proven && standing.index?.releases) || []) {
    const { version } = listed
    const revision = there.get(version)
    if (revision !== undefined && revision < listedRevision(listed))
      throw revisionGone(parts.bucket, version, revision, listedRevision(listed))
  }
  const foreign = stored.find(({ document }) => document.name !== parts.name)
  if (foreign !== undefined) throw projectChanged(parts.bucket, foreign.document.name, parts.name)
  const everything = [...stored, ...retired.map((release) => release.stored)]
  const { states, lost } = await readSiteStates(parts, standing, found, everything)
  // A date that nobody signed is shown where it stands, and moves no other.
  const signed = [
    ...stored.map(({ document }) => documentedAt(document)),
    ...[...states.values()].map(({ state }) => state.date),
  ]
  const dates = parts.check === null ? [] : signed.map((date) => Date.parse(date))
  const notBefore = dates.reduce((a, b) => Math.max(a, b), standing.generatedAt)
  const stableLinks = parts.sendsOn !== undefined && standing.index?.stableLinks === true
  const documentation = await documented
  await parts.memory?.save()
  return { standing, stored, retired, states, lost, documentation, notBefore, stableLinks, isChanging: await changing }
}

/** Every release that there is, listed or not. */
export function releasesOf({ stored, retired }: Pick<Site, 'stored' | 'retired'>): readonly ReleaseDocument[] {
  return [...stored, ...retired.map((release) => release.stored)].map(({ document }) => document)
}

async function readSiteStates(
  parts: ListParts,
  standing: Standing,
  releases: FoundReleases,
  stored: readonly StoredDocument[],
): Promise<FoundStates> {
  // Where nothing is signed, the index is as good as the documents.
  const index = standing.proven || parts.signer === null ? standing.index : null
  const known = await knownStates(parts.writer.db, parts.place, parts.name, index)
  const found = await releases.statesOf(stored, known)
  for (const { state } of found.lost) {
    const key = KEYS.state(state.version, state.revision)
    parts.note(
      `${key} is gone from the bucket: readers were shown it, so that it holds, and it comes back with the lists`,
    )
  }
  return found
}

export interface RetiredRelease {
  readonly stored: StoredDocument
  readonly mark: RetiredDocument
}

interface Marked {
  readonly documents: readonly StoredDocument[]
  readonly lost: readonly IndexRelease[]
  /** Whether marks are read that decide nothing, too: of versions that are gone there may be many. */
  readonly all: boolean
}

/** A mark of another document than the one that is there says nothing of this one. */
async function withoutRetired(parts: ListParts, { documents, lost, all }: Marked, listing: RetiredListing) {
  const there = new Map(documents.map((stored) => [stored.document.version, stored]))
  const deciding = new Set([...there.keys(), ...lost.map(({ version }) => version)])
  const asked = all ? listing : { ...listing, versions: listing.versions.filter((version) => deciding.has(version)) }
  const { marks, strays } = await readRetired(parts.bucket, asked, new Set(there.keys()), parts.check)
  for (const stray of strays) parts.note(stray)
  const retired: RetiredRelease[] = []
  for (const mark of marks) {
    const stored = there.get(mark.version)
    if (stored === undefined) continue
    if (retires(mark, stored)) retired.push({ stored, mark })
    else if (stored.sha256 !== mark.document)
      parts.note(`${KEYS.retired(mark.version)} does not count: it is of another document of ${mark.version}`)
  }
  const gone = new Set(retired.map(({ stored }) => stored))
  return { present: documents.filter((stored) => !gone.has(stored)), retired, marks }
}

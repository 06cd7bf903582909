/** A documentation site that somebody has built, put by hand: as a release puts its own, and with the lists that say whose it is. */
import type { Body } from '../../buckets/types.ts'
import { PitlaneError } from '../../errors.ts'
import { suggestion } from '../../words/nearest.ts'
import { defaultPlace } from '../../plan/documentation.ts'
import { isCommitId } from '../../plan/version-name.ts'
import { compareVersions } from '../../plan/version.ts'
import { bodyOf } from '../digest.ts'
import { documentationIn } from '../document.ts'
import type { Journal } from '../journal.ts'
import type { ListParts } from '../lists/list-parts.ts'
import { readSite, type Site } from '../lists/read-site.ts'
import { refuseOlderLists } from '../lists/older-lists.ts'
import { requireSameOwner } from '../owner.ts'
import { refreshPages } from '../lists/rebuild-pages.ts'
import { noteDoubt, readStanding, settledStanding, type Standing } from '../lists/standing.ts'
import { isWithdrawn } from '../states/state-document.ts'
import { changeSite, planChange, readSiteDocuments, type SiteChange } from './change-site.ts'
import { type DocumentationFile, encodeFiles, entriesBelow } from './documents.ts'
import { requireNoVersion } from './own-site.ts'

export interface SiteRequest {
  readonly files: readonly DocumentationFile[]
  /** The release that it is of; null where none was named. */
  readonly version: string | null
  /** Stored bytes. */
  readonly open: (sha256: string) => Promise<Body>
}

/** What would be done; null when nothing would. Nothing is written. */
export async function previewSite(parts: ListParts, request: SiteRequest): Promise<SiteChange | null> {
  return (await consider(parts, await settledStanding(parts), request)).change
}

/**
 * @returns what was done; null when nothing was
 * @throws PitlaneError `NOT_FOUND` for an unknown version, `PLAN_CONTRADICTION` when the site would go back, `CONTRADICTION` when the release has other
 * documentation, or a name is taken
 */
export function publishSite(parts: ListParts, stop: AbortSignal, request: SiteRequest): Promise<SiteChange | null> {
  return parts.exclusively(async () => {
    const standing = await readStanding(parts)
    noteDoubt(parts, standing)
    const { change } = await consider(parts, standing, request)
    const { writer, bucket, registry, metering } = parts
    const journal: Journal = {
      writer,
      bucket,
      registry,
      metering,
      version: '(by hand) documentation',
      title: 'publishing the documentation',
      stop,
    }
    if (change !== null) await changeSite(journal, change)
    await refreshPages(parts, stop)
    return change
  })
}

async function consider(parts: ListParts, standing: Standing, { files, version, open }: SiteRequest) {
  await requireSameOwner(parts, standing)
  await refuseOlderLists(parts, standing)
  const site = await readSite(parts, standing, 'changes')
  const place = parts.documentation ?? defaultPlace()
  const documents = await readSiteDocuments(parts)
  if (version !== null) requireVersion(parts, site, { files, version, shown: documents.now?.version ?? null })
  const wanted = entriesBelow(place.path, files)
  requireNoVersion(site, place, wanted, null)
  const body = ({ sha256 }: { readonly sha256: string }) => open(sha256)
  const target = { name: parts.name, path: place.path, version, files: wanted, body }
  return { change: await planChange(parts, documents, target, { at: parts.clock.now(), grace: place.grace }) }
}

interface Claim {
  readonly files: readonly DocumentationFile[]
  readonly version: string
  /** What the site is of now. */
  readonly shown: string | null
}

function requireVersion({ bucket, name }: ListParts, { stored, states }: Site, { files, version, shown }: Claim): void {
  const known = stored.map(({ document }) => document.version)
  const document = stored.find((candidate) => candidate.document.version === version)?.document
  if (document === undefined)
    throw new PitlaneError(
      'NOT_FOUND',
      `${bucket.location} lists no release ${version}; ${suggestion(version, known.slice(-20))}`,
      { hint: 'See `pitlane releases list`, or leave --version out: then the site is of no release.' },
    )
  const own = bodyOf(encodeFiles({ format: 'pitlane-documentation/1', name, version, files: [...files] })).sha256
  const documentation = documentationIn(document)
  if (documentation !== undefined && documentation.sha256 !== own)
    throw new PitlaneError(
      'CONTRADICTION',
      `the release ${version} has other documentation\n  there:  ${documentation.sha256}\n  here:   ${own}`,
      { hint: 'Leave --version out: then the site is of no release. Or release a new version with it.' },
    )
  if (shown === null || isWithdrawn(states, shown) || isCommitId(shown) || isCommitId(version)) return
  if (compareVersions(version, shown) >= 0) return
  throw new PitlaneError('PLAN_CONTRADICTION', `the documentation would go back from ${shown} to ${version}`, {
    hint: `Pointers only move forward. Withdraw ${shown} first, or leave --version out: then the site is of no release.`,
  })
}

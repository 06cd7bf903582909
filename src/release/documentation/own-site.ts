/** The documentation that a release brings along: whether the site becomes it, and whether it can. */
import type { Body } from '../../buckets/types.ts'
import { PitlaneError } from '../../errors.ts'
import type { PlannedDocumentation, Plan } from '../../plan/plan.ts'
import { documentationIn } from '../document.ts'
import type { ListParts } from '../lists/list-parts.ts'
import type { Site } from '../lists/read-site.ts'
import { pointersOf } from '../lists/pointers.ts'
import { planChange, readSiteDocuments, type SiteChange } from './change-site.ts'
import { changeOf } from './difference.ts'
import { type DocumentationFile, entriesBelow } from './documents.ts'
import { mayBecome } from './follow.ts'

export interface OwnDocumentation {
  readonly plan: Plan
  readonly files: readonly DocumentationFile[]
  /** Stored bytes. Throws `STORAGE_FAILED` when they are gone. */
  readonly open: (sha256: string) => Promise<Body>
}

/** Null where the site is not this release's, or is it already. `site` has the release among those that are listed. */
export async function planOwnSite(
  parts: ListParts,
  site: Site,
  { plan, files, open }: OwnDocumentation,
): Promise<SiteChange | null> {
  const planned = plan.release?.documentation
  if (planned?.newest !== true || files.length === 0) return null
  const documents = await readSiteDocuments(parts)
  const pointer = (await pointersOf(parts, site))[planned.channel]
  if (pointer !== plan.version || !mayBecome(site, documents.now?.version ?? null, plan.version)) return null
  const target = {
    name: plan.project,
    path: planned.path,
    version: plan.version,
    files: entriesBelow(planned.path, files),
    body: ({ sha256 }: { readonly sha256: string }) => open(sha256),
  }
  return planChange(parts, documents, target, { at: parts.clock.now(), grace: planned.grace })
}

/**
 * Before anything of the release goes out: names that the layout, another version's documentation or the site itself has taken.
 * @throws PitlaneError `OUTPUT_UNFIT`, `CONTRADICTION`
 */
export async function requireOwnNames(
  parts: ListParts,
  site: Site,
  { release, version, project }: Plan,
  files: readonly DocumentationFile[],
): Promise<void> {
  const planned = release?.documentation
  if (planned === undefined || files.length === 0) return
  const documents = await readSiteDocuments(parts)
  if (planned.kept !== null) {
    entriesBelow(planned.kept, files)
    const known = [documents.now, documents.next].flatMap((one) => [...(one?.files ?? []), ...(one?.leaving ?? [])])
    const inside = known.find(({ key }) => isIn(planned.kept ?? '', key))
    if (inside !== undefined) throw taken(inside.key, planned, version)
  }
  if (!planned.newest) return
  const wanted = entriesBelow(planned.path, files)
  requireNoVersion(site, planned, wanted, version)
  const { grace } = planned
  changeOf(
    documents,
    { name: project, path: planned.path, version, files: wanted },
    { there: null, at: parts.clock.now(), grace },
  )
}

/** The site may have no file where documentation is kept under its version. */
export function requireNoVersion(
  { stored, retired }: Site,
  place: Pick<PlannedDocumentation, 'path'> & { readonly kept?: string | null },
  wanted: readonly { readonly key: string }[],
  version: string | null,
): void {
  const everything = [...stored, ...retired.map((release) => release.stored)].map(({ document }) => document)
  const folders = new Map(
    everything.flatMap((document) => {
      const kept = documentationIn(document)?.kept
      return kept ? [[kept, document.version]] : []
    }),
  )
  if (place.kept != null && version !== null) folders.set(place.kept, version)
  for (const { key } of wanted) for (const [folder, of] of folders) if (isIn(folder, key)) throw taken(key, place, of)
}

/** Also a file with the folder's own name. */
function isIn(folder: string, key: string): boolean {
  return `${key}/`.startsWith(folder)
}

function taken(key: string, { path }: { readonly path: string }, version: string): PitlaneError {
  return new PitlaneError(
    'CONTRADICTION',
    `${key} is a name of the documentation, and the documentation of ${version} is kept there`,
    {
      hint: `${path}${version}/ is for that version alone: give the folder of the site another name.`,
    },
  )
}

/**
 * Whose documentation the site is: of the release that the pointer of its channel names. A release brings its own; when the pointer moves
 * without one, as it does for a withdrawal, the site follows from what is kept under the version. Without that it stays as it is, and that is said.
 */
import { isCommitId } from '../../plan/version-name.ts'
import { compareVersions } from '../../plan/version.ts'
import type { DocumentationPlace } from '../../plan/documentation.ts'
import { documentationIn, type ReleaseDocument } from '../document.ts'
import type { Journal } from '../journal.ts'
import type { ListParts } from '../lists/list-parts.ts'
import type { Site } from '../lists/read-site.ts'
import { pointersOf } from '../lists/pointers.ts'
import { operationFacts } from '../publication.ts'
import { isWithdrawn } from '../states/state-document.ts'
import {
  changeSite,
  copyOf,
  planChange,
  readSiteDocuments,
  type SiteChange,
  sizes,
  type Target,
} from './change-site.ts'
import { begunOf, type SiteDocuments } from './difference.ts'
import { type DocumentationSite, entriesBelow, type SiteEntry } from './documents.ts'
import { readFiles, readSiteNow } from './read-site.ts'

/** In the place of a version in the journal: the site without a release of its own. No version can have this name. */
const SITE = '(documentation)'

/**
 * Whether the site may become that of a release, which the pointer of its channel names: it does not go back, unless what it is of is withdrawn.
 * @param version what the site is of; null where that is not known
 */
export function mayBecome({ stored, states }: Site, version: string | null, pointer: string): boolean {
  if (version === null || version === pointer || isWithdrawn(states, version)) return true
  // A pointer names the newest of its channel; of what is not listed only the name is known.
  if (stored.some(({ document }) => document.version === version)) return true
  return !isCommitId(version) && !isCommitId(pointer) && compareVersions(pointer, version) > 0
}

/** Whether somebody has begun to make the site that of the release, and not ended. */
export async function isSiteBegun(
  parts: Pick<ListParts, 'bucket' | 'name' | 'check' | 'signer'>,
  document: ReleaseDocument,
): Promise<boolean> {
  const { version } = document
  return documentationIn(document) !== undefined && begunOf(await readSiteDocuments(parts))?.version === version
}

/** What has to be done so that the site is what it should be; null when nothing has, or nothing can. */
export async function planFollowing(parts: ListParts, site: Site): Promise<SiteChange | null> {
  const place = parts.documentation
  if (place === null) return null
  const documents = await readSiteDocuments(parts)
  const target = await targetOf(parts, place, site, documents)
  if (target === null) return null
  return planChange(parts, documents, target, { at: parts.clock.now(), grace: place.grace })
}

/**
 * Does it. Only for a caller that keeps others from publishing meanwhile.
 * @returns what lists are computed from then, and the keys that were put
 */
export async function followPointer(
  parts: ListParts,
  site: Site,
  stop: AbortSignal,
): Promise<{ readonly site: Site; readonly keys: readonly string[] }> {
  const change = await planFollowing(parts, site)
  if (change === null) return { site, keys: [] }
  const { writer, bucket, registry, metering, name, check } = parts
  const title = 'the change of the documentation site'
  const journal: Journal = { writer, bucket, registry, metering, version: SITE, title, stop }
  await changeSite(journal, change)
  if (change.remove.length > 0)
    parts.note(`removed from the documentation, which has not had them for long enough: ${change.remove.join(', ')}`)
  return { site: { ...site, documentation: await readSiteNow(bucket, name, check) }, keys: putKeys(change) }
}

/** In the order in which they are put. */
export function putKeys({ operations }: SiteChange): readonly string[] {
  return operations.map((operation) => operationFacts(operation).destination)
}

async function targetOf(
  parts: ListParts,
  place: DocumentationPlace,
  site: Site,
  documents: SiteDocuments,
): Promise<Target | null> {
  const { now } = documents
  const begun = begunOf(documents)
  const pointer = (await pointersOf(parts, site))[place.channel] ?? null
  // Somebody put it who named no release: it is theirs until the next release.
  const isByHand = now !== null && now.version === null && begun === null
  const kept =
    isByHand || pointer === null || !mayBecome(site, now?.version ?? null, pointer)
      ? null
      : await keptTarget(parts, place, site, pointer)
  if (kept !== null) return kept
  if (begun !== null) {
    const how = begun.version === null ? '`pitlane publish site`' : `\`pitlane release ${begun.version}\``
    parts.note(`the documentation of ${begun.version ?? 'somebody'} was begun and is not whole: ${how} goes on with it`)
    return null
  }
  if (now === null) return null
  if (now.version !== null && isWithdrawn(site.states, now.version))
    parts.note(
      `the documentation stays that of ${now.version}, which is withdrawn: none of ${pointer ?? 'another release'} is kept in the bucket. \`pitlane publish site FOLDER\` puts another.`,
    )
  await noteLost(parts, now)
  // Only what has left it for long enough goes.
  return { ...now, body: null }
}

/** What somebody has removed of the site can't be put again from here. */
async function noteLost({ bucket, note }: ListParts, now: DocumentationSite): Promise<void> {
  const there = await sizes(bucket, now)
  const lost = now.files.filter(({ key, size }) => there.get(key) !== size)
  const [first] = lost
  if (first === undefined) return
  const more = lost.length === 1 ? '' : ` and ${lost.length - 1} more`
  note(`${first.key}${more} is gone from the documentation: \`pitlane publish site FOLDER\` puts it again`)
}

/** From the files that are kept under a version. */
async function keptTarget(
  { bucket, name }: ListParts,
  { path }: DocumentationPlace,
  { stored }: Site,
  version: string,
): Promise<Target | null> {
  const document = stored.find((candidate) => candidate.document.version === version)?.document
  const kept = document === undefined ? null : (documentationIn(document)?.kept ?? null)
  if (document === undefined || kept === null) return null
  const files = entriesBelow(path, await readFiles(bucket, document))
  const body = async (file: SiteEntry) => copyOf(bucket, `${kept}${file.key.slice(path.length)}`, file)
  return { name, path, version, files, body }
}

/** Page, lists, feeds and pointers against what the documents say, and objects that nothing accounts for. */
import { createHash } from 'node:crypto'
import type { ListedObject } from '../../buckets/types.ts'
import { inParallel } from '../../parallel.ts'
import { KEYS, reservedUnderReleases } from '../../plan/keys.ts'
import { measureThere } from '../digest.ts'
import { wrong } from '../verify/findings.ts'
import { lostReleases, mayLeave } from '../lists/lost-releases.ts'
import { listFiles } from '../lists/lists.ts'
import type { ListParts, SiteFile } from '../lists/list-parts.ts'
import { readSite, type Site } from '../lists/read-site.ts'
import type { PublicKey } from '../keys/public-key.ts'
import { LIST_LIMIT } from '../lists/site-index.ts'
import type { Standing } from '../lists/standing.ts'
import { verifySigned } from '../verify/verify-document.ts'
import { Differences } from './difference.ts'
import { SITE_DOCUMENTS } from './documentation.ts'
import type { AuditedVersions } from './versions.ts'

/** How many pages and lists are read at once. */
const PARALLEL = 8

export interface AuditedLists {
  readonly differences: Differences['all']
  /** What has to be there, as it has to be; null where that can't be computed. */
  readonly files: readonly SiteFile[] | null
  /** What they are computed from; null where that could not be read. */
  readonly site: Site | null
}

export async function auditLists(
  lists: ListParts,
  key: PublicKey | null,
  standing: Standing,
  { stored, unread, marks }: AuditedVersions,
): Promise<AuditedLists> {
  const found = new Differences('bucket')
  const cannot = (): AuditedLists => ({ differences: found.all, files: null, site: null })
  if (unread.size > 0) {
    found.add(KEYS.index, 'is not compared, nor are page, lists, feeds and pointers, while a document is not good')
    return cannot()
  }
  const { index, doubt } = standing
  if (index === null) {
    if (doubt !== null) found.add(KEYS.index, `does not count: ${doubt}`)
    else if (stored.length > 0) found.add(KEYS.index, 'is missing')
    return doubt === null && stored.length === 0 ? { differences: [], files: [], site: null } : cannot()
  }
  // With `sign: none` there is always that one, of a list from elsewhere.
  if (doubt !== null && key !== null) found.add(KEYS.index, doubt)
  // What is noted on the way is told here.
  const lost = lostReleases(standing, stored)
    .filter((release) => !mayLeave(release, [...marks.values()]))
    .map(({ version }) => version)
  const quiet = { ...lists, note: () => undefined, without: new Set(lost) }
  const site = await found.found(KEYS.index, () => readSite(quiet, standing, 'bucket'))
  if (site === null) return cannot()
  for (const { state } of site.lost)
    found.add(KEYS.state(state.version, state.revision), 'is missing, and readers were shown what it says')
  for (const version of lost)
    found.add(
      KEYS.document(version),
      `is missing, and ${KEYS.index} lists ${version}: put it back from a copy. Without one, \`pitlane pages rebuild --without ${version}\` makes lists that do not name it`,
    )
  for (const { document, sha256 } of stored) {
    const mark = marks.get(document.version)
    if (mark !== undefined && mark.document !== sha256)
      found.add(KEYS.retired(document.version), `is of another document of ${document.version}, and counts for nothing`)
  }
  if (key !== null)
    await found.found(`${KEYS.index}.minisig`, async () => {
      const bytes = await lists.bucket.read(KEYS.index, LIST_LIMIT)
      if (bytes === null) throw wrong('is missing')
      const signed = { name: lists.name, version: `serial-${index.serial}`, path: KEYS.index }
      await verifySigned(lists.bucket, bytes, signed, key)
    })
  if (lists.clock.now() > Date.parse(index.expiresAt))
    found.add(KEYS.index, `expired at ${index.expiresAt}: \`pitlane pages rebuild\` renews it`)
  if (lost.length > 0) {
    found.add(KEYS.index, 'is not compared, nor are page, lists, feeds and pointers, while a document is missing')
    return { differences: found.all, files: null, site }
  }
  const files = await found.found(KEYS.index, () => listFiles(lists, site, index.serial, Date.parse(index.generatedAt)))
  if (files === null) return cannot()
  const there = await inParallel(files, PARALLEL, async (file) => ({
    file,
    now: await measureThere(await lists.bucket.open(file.key)),
  }))
  for (const { file, now } of there) {
    if (now === null) found.add(file.key, 'is missing')
    else if (now.sha256 !== createHash('sha256').update(file.bytes).digest('hex'))
      found.add(file.key, 'is not what the documents say: `pitlane pages rebuild` writes it anew')
  }
  return { differences: found.all, files, site }
}

/** What no document, mark or list accounts for. */
export function strays(
  objects: ReadonlyMap<string, ListedObject>,
  { known, unread }: AuditedVersions,
  { files, site }: Pick<AuditedLists, 'files' | 'site'>,
): Differences['all'] {
  const found = new Differences('bucket')
  const listed = new Set(files?.map(({ key }) => key))
  for (const side of ['.minisig', '.sig']) listed.add(`${KEYS.index}${side}`)
  if (site?.documentation != null) for (const key of SITE_DOCUMENTS) listed.add(key)
  const loose = new Map<string, number>()
  for (const key of objects.keys()) {
    const [, first = '', ...rest] = key.split('/')
    if (known.has(key) || listed.has(key) || (rest.length > 0 && unread.has(first))) continue
    // Pitlane's own, as below.
    if (files === null && KEYS.folder(first) === KEYS.stableFolder) continue
    if (key === KEYS.changing) {
      found.add(
        key,
        'announces a document that the lists may not name yet: `pitlane pages rebuild` looks, and removes it',
      )
    } else if (rest.length === 0) {
      // Where the lists can't be computed, it is not known which of Pitlane's own belong there.
      if (files === null && (first === '' || reservedUnderReleases(first) !== null)) continue
      found.add(key, 'is named by no document')
    } else if (objects.has(KEYS.document(first)) || KEYS.folder(first) === KEYS.retiredFolder)
      found.add(key, 'is named by no document')
    else loose.set(first, (loose.get(first) ?? 0) + 1)
  }
  for (const [version, count] of loose) {
    const what = `${count} ${count === 1 ? 'object' : 'objects'}`
    found.add(
      KEYS.folder(version),
      `holds ${what} and no document: a publication that has begun, or for \`pitlane adopt\``,
    )
  }
  return found.all
}

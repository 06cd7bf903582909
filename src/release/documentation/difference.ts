/**
 * What has to be done so that a documentation site holds what is wanted: which files are put, in which order, what leaves, and what has left long
 * enough ago. Pure: the same state gives the same change.
 */
import { PitlaneError } from '../../errors.ts'
import { TOP_PAGE } from '../../plan/documentation.ts'
import { isoSeconds } from '../document.ts'
import type { DocumentationSite, SiteEntry } from './documents.ts'
import { isPage } from './kinds.ts'

/** The documents in the bucket. */
export interface SiteDocuments {
  readonly now: DocumentationSite | null
  /** What was announced last; where its serial is higher, somebody has begun with it. */
  readonly next: DocumentationSite | null
}

export interface Wanted {
  readonly name: string
  /** Prefix of the keys, as in `DocumentationSite`. */
  readonly path: string
  readonly version: string | null
  readonly files: readonly SiteEntry[]
}

/** In the order of the groups; within one, in any. At no moment does a page that can be reached name a file that is not there yet. */
export interface Put {
  /** What pages name. */
  readonly assets: readonly SiteEntry[]
  /** Pages that are not there, or that no page of now names. */
  readonly newPages: readonly SiteEntry[]
  /** Pages of a site that was begun and not ended: others of it may name them, or they may name what never came. */
  readonly begunPages: readonly SiteEntry[]
  readonly changedPages: readonly SiteEntry[]
  /** `index.html` of the top, or nothing. */
  readonly top: readonly SiteEntry[]
}

export interface Change {
  /** Keys whose time is over: they are removed before anything else. */
  readonly remove: readonly string[]
  /** Whether the site is announced before: where something is put, so that all that may lie there is named by a document. */
  readonly announce: boolean
  readonly put: Put
  /** What the site is afterwards. */
  readonly site: DocumentationSite
}

/** Milliseconds: what was begun longer ago is dated anew, so that what leaves stays its whole time. */
const GO_ON_WITHIN = 3_600_000

/**
 * Null when nothing is to be done.
 * @param there bytes by key of what is in the bucket; null where nothing is put, so that nobody has looked
 * @param at milliseconds since 1970
 * @throws PitlaneError `CONTRADICTION` when a name is a file in one site and a folder in the other
 */
export function changeOf(
  documents: SiteDocuments,
  wanted: Wanted,
  { there, at, grace }: { there: ReadonlyMap<string, number> | null; at: number; grace: number },
): Change | null {
  const { now } = documents
  const begun = begunOf(documents)
  const shown = new Map(now?.files.map((file) => [file.key, file]))
  const announced = new Map(begun?.files.map((file) => [file.key, file]))
  const staying = new Set(wanted.files.map(({ key }) => key))
  const isThere = ({ key, sha256, size }: SiteEntry) => {
    if (shown.get(key)?.sha256 !== sha256 || (there !== null && there.get(key) !== size)) return false
    // Whoever began may have put other bytes there already; of who came before them nothing is known.
    if (begun === null) return true
    const other = announced.get(key)
    return begun.serial === (now?.serial ?? 0) + 1 && (other === undefined || other.sha256 === sha256)
  }
  const missing = wanted.files.filter((file) => !isThere(file))
  const settled = settledOf(documents, begun)
  const put = inOrder(missing, wanted.path, (key) => {
    if (shown.has(key)) return there?.has(key) === false ? 'newPages' : 'changedPages'
    // A page that has left may name what is gone by now: no page of now leads to it.
    return there?.has(key) !== true || settled.has(key) ? 'newPages' : 'begunPages'
  })
  const announce = missing.length > 0
  const goesOn = begun !== null && announce && isSame(begun, wanted) && isRecent(begun, at)
  // While something is begun, pages of different sites stand beside each other: nothing goes that one of them may name.
  const remove = [...settled]
    .filter(([key, removeAfter]) => begun === null && !staying.has(key) && Date.parse(removeAfter) <= at)
    .map(([key]) => key)
  const isUnchanged = now !== null && begun === null && remove.length === 0 && !announce && isSame(now, wanted)
  if (isUnchanged) return null
  const left = [...(now?.leaving ?? []), ...(begun?.leaving ?? [])].map(({ key }) => key)
  const known = new Set([...shown.keys(), ...announced.keys(), ...left])
  const site = goesOn ? begun : siteAfter(documents, wanted, { known, settled, removed: new Set(remove), at, grace })
  refuseOverlap(wanted, site)
  // Pages first: what they name is there as long as they are.
  const order = (a: string, b: string) => Number(isPage(b)) - Number(isPage(a)) || byBytes(a, b)
  return { remove: remove.toSorted(order), announce, put, site }
}

/** What somebody has announced and not ended. */
export function begunOf({ now, next }: SiteDocuments): DocumentationSite | null {
  return next !== null && next.serial > (now?.serial ?? 0) ? next : null
}

interface Facts {
  /** Every key that may be there. */
  readonly known: ReadonlySet<string>
  readonly settled: ReadonlyMap<string, string>
  readonly removed: ReadonlySet<string>
  readonly at: number
  readonly grace: number
}

function siteAfter(
  { now, next }: SiteDocuments,
  { name, path, version, files }: Wanted,
  { known, settled, removed, at, grace }: Facts,
): DocumentationSite {
  const date = Math.max(at, ...[now, next].map((site) => (site === null ? 0 : Date.parse(site.date))))
  const staying = new Set(files.map(({ key }) => key))
  const leaving = [...known]
    .filter((key) => !staying.has(key) && !removed.has(key))
    .map((key) => ({ key, removeAfter: settled.get(key) ?? isoSeconds(date + grace) }))
  return {
    format: 'pitlane-documentation-site/1',
    name,
    serial: Math.max(now?.serial ?? 0, next?.serial ?? 0) + 1,
    date: isoSeconds(date),
    path,
    version,
    files: files.toSorted((a, b) => byBytes(a.key, b.key)),
    leaving: leaving.toSorted((a, b) => byBytes(a.key, b.key)),
  }
}

/**
 * What has left for good, by key, with the time when it goes. What a site names or lets go that was never ended may be on pages that readers
 * have now: it begins to leave with the next one.
 */
function settledOf({ now }: SiteDocuments, begun: DocumentationSite | null): ReadonlyMap<string, string> {
  const left = new Map(now?.leaving.map(({ key, removeAfter }) => [key, removeAfter]))
  for (const { key } of begun?.files ?? []) left.delete(key)
  for (const { key, removeAfter } of begun?.leaving ?? []) if (left.get(key) !== removeAfter) left.delete(key)
  return left
}

function inOrder(
  missing: readonly SiteEntry[],
  path: string,
  groupOf: (key: string) => 'newPages' | 'begunPages' | 'changedPages',
): Put {
  const top = (key: string) => key === `${path}${TOP_PAGE}`
  const pages = missing.filter(({ key }) => isPage(key) && !top(key))
  const group = (wanted: ReturnType<typeof groupOf>) => pages.filter(({ key }) => groupOf(key) === wanted)
  return {
    assets: missing.filter(({ key }) => !isPage(key)),
    newPages: group('newPages'),
    begunPages: group('begunPages'),
    changedPages: group('changedPages'),
    top: missing.filter(({ key }) => top(key)),
  }
}

/** In the order in which they are put. */
export function filesOf({ assets, newPages, begunPages, changedPages, top }: Put): readonly SiteEntry[] {
  return [...assets, ...newPages, ...begunPages, ...changedPages, ...top]
}

function isSame(site: DocumentationSite, { path, version, files }: Wanted): boolean {
  if (site.path !== path || site.version !== version || site.files.length !== files.length) return false
  const there = new Map(site.files.map(({ key, sha256 }) => [key, sha256]))
  return files.every(({ key, sha256 }) => there.get(key) === sha256)
}

function isRecent({ date }: DocumentationSite, at: number): boolean {
  const since = at - Date.parse(date)
  return since > -1000 && since <= GO_ON_WITHIN
}

/** A bucket that is a folder holds no file and folder of one name, and one on a server would not be copied into one. */
function refuseOverlap({ files }: Wanted, { leaving }: DocumentationSite): void {
  const until = new Map(leaving.map(({ key, removeAfter }) => [key, removeAfter]))
  const wanted = new Set(files.map(({ key }) => key))
  const refuse = (file: string, inside: string, removeAfter: string) => {
    throw new PitlaneError(
      'CONTRADICTION',
      `the documentation has ${file} as a file, and ${inside} in a folder of that name`,
      {
        hint: `One of them left the site, and stays until ${removeAfter} for readers of earlier pages. Give the new one another name until then.`,
      },
    )
  }
  for (const key of wanted)
    for (const folder of foldersOf(key)) {
      const removeAfter = until.get(folder)
      if (removeAfter !== undefined) refuse(folder, key, removeAfter)
    }
  for (const [key, removeAfter] of until)
    for (const folder of foldersOf(key)) if (wanted.has(folder)) refuse(folder, key, removeAfter)
}

function foldersOf(key: string): readonly string[] {
  const segments = key.split('/')
  return segments.slice(1).map((_, index) => segments.slice(0, index + 1).join('/'))
}

function byBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b))
}

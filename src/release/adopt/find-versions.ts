/**
 * From the listing of a bucket that older scripts filled (`_releases/<version>/<target>/<binary>`) to the versions in it. Pure. Keys are
 * anybody's: each object belongs to a version that is found, to Pitlane, to a version that has a document, or is told as skipped, with why.
 */
import type { ListedObject } from '../../buckets/types.ts'
import { PitlaneError } from '../../errors.ts'
import { BINARY_NAME } from '../../plan/binary-path.ts'
import { type Channel, classify } from '../../plan/channel.ts'
import { KEYS, reservedUnderReleases, SIDE_FILES } from '../../plan/keys.ts'
import { findTarget, TARGETS } from '../../plan/targets.ts'
import { isCommitId, shown, versionFault } from '../../plan/version-name.ts'
import { isoSeconds, versionName } from '../document.ts'
import type { FoundFile } from './document.ts'

export interface FoundVersion {
  readonly version: string
  readonly channel: string
  /** In the order of the targets, at least one. */
  readonly files: readonly FoundFile[]
  /** Every key below the version's folder, sorted, also of what is skipped. */
  readonly keys: readonly string[]
}

/** What is left as it is. */
export interface Skipped {
  /** A version, a folder below it, or a key; in ASCII where it is not a name that a version could have. */
  readonly name: string
  /** A sentence without a capital and without an end. */
  readonly reason: string
  readonly objects: number
  readonly bytes: number
}

export interface FoundVersions {
  /** In the order of their names' characters. */
  readonly versions: readonly FoundVersion[]
  /** Versions that have a document already, in the same order. */
  readonly documented: readonly string[]
  readonly skipped: readonly Skipped[]
}

export interface FindInput {
  /** Below `_releases/`. */
  readonly objects: readonly ListedObject[]
  /** Names directly below `_releases/`, as a store tells them: of what has no object, too. */
  readonly folders: readonly string[]
  readonly channels: readonly Channel[]
  /** No file may be dated after this: milliseconds since 1970. */
  readonly latest: number
}

/** What of a key tells where it belongs; `version` may be anything. */
type Place =
  | { readonly kind: 'own' }
  | { readonly kind: 'file'; readonly version: string; readonly target: string; readonly name: string }
  | { readonly kind: 'beside'; readonly version: string; readonly unit: string; readonly reason: string }
  | { readonly kind: 'stray'; readonly reason: string }

/** Its document has to be read again. */
const MOST_FILES = 1000

const DOCUMENTS =
  /^(release(\.[0-9]+)?\.json|documentation\.json|SHA256SUMS(\.[0-9]+)?|state-[0-9]+\.json)(\.minisig|\.sig)?$/

export function findVersions({ objects, folders, channels, latest }: FindInput): FoundVersions {
  const documented = new Set(objects.flatMap(({ key }) => documentedVersion(key)))
  const skipping = new Skipping()
  const found = new Map<string, FoundFile[]>()
  const keys = new Map<string, string[]>()
  const documents = new Map<string, ListedObject[]>()
  const firsts = new Set<string>()
  for (const object of objects) {
    const segments = object.key.slice(KEYS.releases.length).split('/')
    const [first = ''] = segments
    const isBelow = segments.length > 1
    if (isBelow) firsts.add(first)
    if (isBelow && isComputed(first)) continue
    const place = placeOf(segments)
    // What else lies beside a document is told by `pitlane audit`; a version of its own is in nobody's document.
    if (isBelow && documented.has(first) && !isNested(place)) continue
    // Whatever it is: a listing of the version's folder names it, too.
    if (isBelow) push(keys, first, object.key)
    if (place.kind === 'own') {
      if (isBelow) push(documents, first, object)
      continue
    }
    if (place.kind === 'stray') {
      skipping.add(shownName(object.key), place.reason, object)
      continue
    }
    if (place.kind === 'beside') {
      skipping.add(shownName(place.unit), place.reason, object)
      continue
    }
    const fault = fileFault(place.name, object)
    if (fault === null) push(found, place.version, foundFile(place, object))
    else if (isSideFile(place.name)) skipping.add(shownName(place.version), fault, object)
    else skipping.add(shownName(object.key), fault, object)
  }
  const versions: FoundVersion[] = []
  for (const [version, files] of [...found].toSorted(byName)) {
    const judged = judge(version, files, channels, latest)
    if ('channel' in judged)
      versions.push({
        version,
        channel: judged.channel,
        files: files.toSorted(byTarget),
        keys: (keys.get(version) ?? []).toSorted(),
      })
    else
      for (const object of [...files, ...(documents.get(version) ?? [])])
        skipping.add(shownName(version), judged.reason, object)
  }
  const taken = new Set(versions.map(({ version }) => version))
  for (const [version, alone] of documents)
    if (!taken.has(version) && !found.has(version))
      for (const object of alone)
        skipping.add(shownName(version), 'documents of a release without one of its files', object)
  for (const name of folders)
    if (!firsts.has(name) && !isComputed(name)) skipping.add(shownName(name), 'nothing is in it', null)
  return { versions, documented: [...documented].toSorted(), skipped: skipping.all() }
}

/** The version whose first document an object is. */
function documentedVersion(key: string): readonly string[] {
  const [version = '', name, ...rest] = key.slice(KEYS.releases.length).split('/')
  const isDocument = rest.length === 0 && name !== undefined && key === KEYS.document(version)
  return isDocument && versionName.safeParse(version).success ? [version] : []
}

/** Pitlane's own folders, which are of no version. */
function isComputed(name: string): boolean {
  return KEYS.folder(name) === KEYS.retiredFolder || KEYS.folder(name) === KEYS.stableFolder
}

/** @param segments of a key, below `_releases/` */
function placeOf(segments: readonly string[]): Place {
  const [first = '', second = ''] = segments
  if (segments.length === 1)
    return reservedUnderReleases(first) === null
      ? { kind: 'stray', reason: 'it is in the folder of no version' }
      : { kind: 'own' }
  if (segments.length === 2)
    return DOCUMENTS.test(second)
      ? { kind: 'own' }
      : { kind: 'beside', version: first, unit: `${first}/${second}`, reason: 'it is in the folder of no target' }
  const folder = segments.slice(0, -1)
  const target = folder.at(-1) ?? ''
  const version = folder.slice(0, -1).join('/')
  const above = folder.findIndex((segment) => findTarget(segment) !== undefined)
  if (above === folder.length - 1) return { kind: 'file', version, target, name: segments.at(-1) ?? '' }
  const unit = folder.join('/')
  if (above > 0)
    return {
      kind: 'beside',
      version: folder.slice(0, above).join('/'),
      unit,
      reason: 'it is a folder below that of a target',
    }
  return { kind: 'beside', version, unit, reason: `Pitlane knows no target ${shown(target)}` }
}

/** Whether it is a file of a version whose name has a `/`, which none can have that is adopted. */
function isNested(place: Place): boolean {
  return place.kind === 'file' && place.version.includes('/')
}

function fileFault(name: string, { size }: ListedObject): string | null {
  if (!BINARY_NAME.test(name)) return `${shown(name)} is no name of a file that can be listed`
  if (isSideFile(name)) return 'digests and signatures that stand beside its files'
  return size === 0 ? 'it is empty' : null
}

function isSideFile(name: string): boolean {
  return SIDE_FILES.some((side) => name.endsWith(side))
}

function foundFile(place: Place & { kind: 'file' }, { key, size, modifiedAt }: ListedObject): FoundFile {
  const platform = findTarget(place.target)?.platform ?? ''
  return { name: place.name, path: key, size, target: place.target, platform, modifiedAt }
}

function judge(
  version: string,
  files: readonly FoundFile[],
  channels: readonly Channel[],
  latest: number,
): { readonly channel: string } | { readonly reason: string } {
  const isCommit = isCommitId(version)
  const fault = isCommit ? null : versionFault(version)
  if (fault !== null) return { reason: `it cannot be the name of a release: ${fault}` }
  if (files.length > MOST_FILES)
    return { reason: `it has ${files.length} files, more than the ${MOST_FILES} that a release can have` }
  const late = files.find(({ modifiedAt }) => !(modifiedAt <= latest && modifiedAt >= 0))
  if (late !== undefined)
    return { reason: `${late.target}/${late.name} has a date that can't be right: ${dateWords(late.modifiedAt)}` }
  try {
    return { channel: classify(channels, { tag: isCommit ? null : version }) }
  } catch (error) {
    if (error instanceof PitlaneError && error.code === 'VERSION_NAME') return { reason: error.message }
    throw error
  }
}

function dateWords(milliseconds: number): string {
  return Math.abs(milliseconds) <= 8.64e15 ? isoSeconds(milliseconds) : String(milliseconds)
}

/** One line for each name and reason, in the order in which they were met. */
class Skipping {
  readonly #lines = new Map<string, Skipped>()

  add(name: string, reason: string, object: { readonly size: number } | null): void {
    const id = JSON.stringify([name, reason])
    const { objects = 0, bytes = 0 } = this.#lines.get(id) ?? {}
    this.#lines.set(id, {
      name,
      reason,
      objects: objects + (object === null ? 0 : 1),
      bytes: bytes + (object?.size ?? 0),
    })
  }

  all(): readonly Skipped[] {
    return [...this.#lines.values()]
  }
}

/** Names of others as a line can hold them. */
function shownName(name: string): string {
  return /^[A-Za-z0-9._+/-]{1,300}$/.test(name) ? name : shown(name)
}

function byTarget(a: FoundFile, b: FoundFile): number {
  const place = (file: FoundFile) => TARGETS.findIndex(({ triple }) => triple === file.target)
  return place(a) - place(b) || (a.name < b.name ? -1 : 1)
}

function byName([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return a < b ? -1 : a > b ? 1 : 0
}

function push<Item>(all: Map<string, Item[]>, name: string, item: Item): void {
  const there = all.get(name)
  if (there === undefined) all.set(name, [item])
  else there.push(item)
}

/** Whether page, lists, feeds and pointers say what the release document says. */
import { KEYS } from '../../plan/keys.ts'
import {
  builtOf,
  commitOf,
  imageIn,
  isAdopted,
  type ReleaseDocument,
  type ReleaseImage,
  revisionOf,
} from '../document.ts'
import type { Pullable } from '../../image/pulling.ts'
import { verifyDocumentation } from '../documentation/verify-documentation.ts'
import { Findings, wrong } from './findings.ts'
import { nameOf } from '../lists/floating.ts'
import type { PublicKey } from '../keys/public-key.ts'
import { absoluteUrl, relativeUrl } from '../../plan/key-url.ts'
import { FEED_ENTRIES, type IndexRelease, LIST_LIMIT, parseSiteIndex, type SiteIndex } from '../lists/site-index.ts'
import type { StateDocument } from '../states/state-document.ts'
import { type Published, readSides, verifySigned } from './verify-document.ts'
import { verifyPages } from './verify-pages.ts'
import { verifyState } from './verify-state.ts'

export interface ListRequest {
  readonly bucket: Published
  /** Null leaves the images out. */
  readonly registryOf: (image: ReleaseImage) => Promise<Pullable | null>
  readonly key: PublicKey | null
  /** Milliseconds since 1970. */
  readonly now: number
}

/** `sha256`: of the document's bytes, as they were read. */
export async function verifyLists(
  request: ListRequest,
  document: ReleaseDocument,
  sha256: string,
  found: Findings,
): Promise<StateDocument | null> {
  let index: SiteIndex | null = null
  await found.check('index.json lists it with the same document, files and image', async () => {
    index = await verifiedIndex(request, document)
    compareWithIndex(document, sha256, index)
    requireFresh(index, request.now)
  })
  if (index === null) {
    found.problems.push(`page, lists, feeds and pointers cannot be compared without ${KEYS.index}`)
    return null
  }
  const state = await verifyState(request, document, index, found)
  await verifyDocumentation(request, document, index, found)
  await verifyContents(request, document, index, found)
  await verifyLinks(request, index, found)
  await verifyTags(request, document, index, found)
  return state
}

/** Only what is the right file is looked into: what is not was told. */
async function verifyContents(
  { bucket, key }: ListRequest,
  document: ReleaseDocument,
  index: SiteIndex,
  found: Findings,
): Promise<void> {
  const pointers = pointersOf(index, document)
  const pages = await verifyPages(bucket, key, index, [...pointers.keys()], found)
  const look = async (line: string, keys: readonly string[], compare: (texts: readonly string[]) => void) => {
    const texts = keys.map((path) => pages.get(path)).filter((text) => text !== undefined)
    if (texts.length === keys.length) await found.check(line, () => compare(texts))
  }
  if (isWithdrawn(index, document))
    await look('_releases.json does not offer it', [KEYS.garageList], ([list = '']) => {
      if (garageEntries(document, list).length > 0)
        throw wrong(`${KEYS.garageList} lists ${document.version}, which is withdrawn`)
    })
  else
    await look('_releases.json lists it with the same files', [KEYS.garageList], ([list = '']) =>
      compareWithGarageList(document, index, list),
    )
  await look('_releases.html shows it with every link and digest', [KEYS.page], ([page = '']) =>
    requireShown(document, page),
  )
  const feeds = document.channel === 'stable' ? [KEYS.atomStable, KEYS.atomAll] : [KEYS.atomAll]
  await look('the feeds name it', feeds, (texts) => {
    for (const [at, text] of texts.entries()) requireNamed(document, text, feeds[at] ?? '')
  })
  await look('the pointers say what index.json says', [...pointers.keys()], (texts) => {
    for (const [at, [path, expected]] of [...pointers].entries()) {
      const value = texts[at] ?? ''
      if (value === expected) continue
      if (expected === '') throw wrong(`${path} names a version, and index.json none`)
      throw wrong(`${path} is ${JSON.stringify(value.slice(0, 100))}, index.json says ${expected.trim()}`)
    }
  })
}

/** At the address that they are of: a mirror has copies of them, which lead nowhere or to the original. */
async function verifyLinks({ bucket }: ListRequest, index: SiteIndex, found: Findings): Promise<void> {
  const newest = index.releases.find(({ version }) => version === index.pointers['stable'])
  if (index.stableLinks !== true || newest === undefined) return
  if (bucket.redirectOf === undefined || !index.homepage.startsWith(`${bucket.location}/`)) return
  await found.check('addresses of the newest release lead to it', async () => {
    for (const { target, name, url } of newest.files) {
      const key = KEYS.stable(target, name)
      const to = (await bucket.redirectOf?.(key)) ?? null
      if (to !== url) throw wrong(`${key} leads to ${to ?? 'nothing'}, and the newest release has ${url}`)
    }
  })
}

/** What the pointers have to be, by key. */
function pointersOf(index: SiteIndex, { channel }: ReleaseDocument): ReadonlyMap<string, string> {
  const keyOf = (of: string) => (of === 'stable' ? KEYS.latest : KEYS.latestOf(of))
  const pointers = new Map(Object.entries(index.pointers).map(([of, version]) => [keyOf(of), `${version}\n`]))
  // Nothing ever pointed to a channel of which no release is whole: there is no pointer that could be asked for.
  const wasPointedTo = index.releases.some((release) => release.channel === channel && !release.byHand?.missing.length)
  if (wasPointedTo && index.pointers[channel] === undefined) pointers.set(keyOf(channel), '')
  return pointers
}

/** As attributes, which end: a version is part of the name of another one. */
function requireShown({ version, files }: ReleaseDocument, page: string): void {
  // Of what nobody has read there is no digest to show.
  const digests = files.flatMap(({ sha256 }) => sha256 ?? [])
  const links = files.map(({ path }) => `href="${relativeUrl(path)}"`)
  for (const needle of [`id="${version}"`, ...links, ...digests])
    if (!page.includes(needle)) throw wrong(`${KEYS.page} does not show ${needle} for ${version}`)
}

function requireNamed({ version }: ReleaseDocument, entries: string, feed: string): void {
  const isNamed = entries.includes(`/${relativeUrl(KEYS.page)}#${version}"`)
  // A full feed holds the newest only.
  if (!isNamed && entries.split('<entry>').length <= FEED_ENTRIES) throw wrong(`${feed} does not name ${version}`)
}

/** Those of the registry that is looked at, where this release's images are. */
async function verifyTags(
  { registryOf }: ListRequest,
  document: ReleaseDocument,
  { floating = [] }: SiteIndex,
  found: Findings,
): Promise<void> {
  const image = imageIn(document)
  const tags = floating.filter((tag) => tag.registry === image?.registry)
  if (image === null || tags.length === 0) return
  // Where that is wrong, looking at the image has told it.
  const place = await new Findings().attempt(() => registryOf(image))
  if (place === null) return
  const registry = place.value
  if (registry === null) {
    const remedy = 'give their registry or layout with --registry'
    return void found.skipped.push({ kind: 'image', what: 'image tags that move on', remedy })
  }
  await found.check('the image tags that move on lead where index.json says', async () => {
    for (const tag of tags) {
      const there = (await registry.resolveTag(tag.repository, tag.tag))?.digest ?? null
      if (tag.digest !== null && there !== tag.digest)
        throw wrong(`${nameOf(tag)} names ${there ?? 'nothing'}, ${KEYS.index} says ${tag.version} (${tag.digest})`)
      // Not every registry takes a tag away: nothing that the publisher could mend.
      if (tag.digest === null && there !== null)
        found.remarks.push(`${nameOf(tag)} still names ${there}, though every release that it led to is withdrawn`)
    }
  })
}

/** As the index says it: its lists have to agree with it, whatever has become of the document behind it. */
function isWithdrawn(index: SiteIndex, { version }: ReleaseDocument): boolean {
  return index.releases.find((release) => release.version === version)?.withdrawn === true
}

async function verifiedIndex(request: ListRequest, document: ReleaseDocument): Promise<SiteIndex> {
  const sides = request.key === null ? undefined : readSides(request.bucket, KEYS.index)
  const bytes = await request.bucket.read(KEYS.index, LIST_LIMIT)
  if (bytes === null) throw wrong(`${KEYS.index} is missing`)
  const index = parseSiteIndex(bytes, KEYS.index)
  if (request.key !== null) {
    const signed = { name: document.name, version: `serial-${index.serial}`, path: KEYS.index }
    await verifySigned(request.bucket, bytes, signed, request.key, sides)
  }
  if (index.name !== document.name) throw wrong(`${KEYS.index} is of ${index.name}, release.json of ${document.name}`)
  return index
}

/** A mirror can show an old list for ever, and so hide what was published or withdrawn since. */
function requireFresh({ expiresAt }: SiteIndex, now: number): void {
  if (now <= Date.parse(expiresAt)) return
  throw wrong(
    `${KEYS.index} expired at ${expiresAt}: this may be an old mirror; the publisher renews it with \`pitlane pages rebuild\``,
  )
}

function compareWithIndex(document: ReleaseDocument, sha256: string, index: SiteIndex): void {
  const { version } = document
  const listed = index.releases.find((release) => release.version === version)
  if (listed === undefined) throw wrong(`${KEYS.index} does not list ${version}`)
  if (listed.document.sha256 !== sha256) {
    throw wrong(`${KEYS.index} names release.json with SHA-256 ${listed.document.sha256}, and it has ${sha256}`)
  }
  if (facts(listed.files) !== facts(document.files)) {
    throw wrong(`${KEYS.index} lists other files for ${version} than release.json`)
  }
  const base = baseOf(index)
  const urls = new Set(listed.files.map((file) => file.url))
  for (const { path } of document.files) {
    const url = absoluteUrl(base, path)
    if (!urls.has(url)) throw wrong(`${KEYS.index} lists another address for ${version} than ${url}`)
  }
  if ((listed.image?.digest ?? null) !== (builtOf(document)?.image?.digest ?? null)) {
    throw wrong(`${KEYS.index} names another image for ${version} than release.json`)
  }
  requireSameKind(listed, document)
  if (listed.channel !== document.channel || listed.commit !== commitOf(document)) {
    throw wrong(`${KEYS.index} names another channel or commit for ${version} than release.json`)
  }
}

/** The public address of the bucket, which the index names its page under. */
function baseOf({ homepage }: SiteIndex): string {
  return homepage.slice(0, -(relativeUrl(KEYS.page).length + 1))
}

/** What was adopted has to be listed as that, and nothing else may be. */
function requireSameKind({ adopted }: IndexRelease, document: ReleaseDocument): void {
  const expected = isAdopted(document)
    ? { revision: revisionOf(document), date: document.adopted.adoptedAt, digests: document.adopted.digests }
    : undefined
  if (
    adopted?.revision === expected?.revision &&
    adopted?.date === expected?.date &&
    adopted?.digests === expected?.digests
  )
    return
  throw wrong(`${KEYS.index} says something else than release.json of whether ${document.version} was adopted`)
}

function facts(files: readonly { target: string; name: string; size: number; sha256: string | null }[]): string {
  const lines = files.map((file) => `${file.target}/${file.name} ${file.size} ${file.sha256}`)
  return lines.sort().join('\n')
}

/** The fields that its readers use: version, platform, path, size, url. */
function compareWithGarageList(document: ReleaseDocument, index: SiteIndex, json: string): void {
  const entries = garageEntries(document, json)
  if (entries.length !== 1)
    throw wrong(
      `${KEYS.garageList} ${entries.length === 0 ? 'does not list' : 'lists more than once'} ${document.version}`,
    )
  const field = (value: unknown) => (typeof value === 'string' ? value : '?')
  const listed = (entries[0]?.builds ?? []).map((build) =>
    ['platform', 'path', 'size', 'url'].map((name) => field(build[name])).join(' '),
  )
  const expected = document.files.map(
    ({ target, path, size }) => `${target} ${path} ${size} ${absoluteUrl(baseOf(index), path)}`,
  )
  if (listed.sort().join('\n') !== expected.sort().join('\n')) {
    throw wrong(`${KEYS.garageList} lists other files for ${document.version} than release.json`)
  }
}

function garageEntries(
  { version }: ReleaseDocument,
  json: string,
): readonly { builds?: readonly Record<string, unknown>[] }[] {
  let list: unknown
  try {
    list = JSON.parse(json)
  } catch {
    throw wrong(`${KEYS.garageList} is not JSON`)
  }
  const sections = Array.isArray(list)
    ? (list as { builds?: { version?: unknown; builds?: Record<string, unknown>[] }[] }[])
    : []
  return sections.flatMap((section) => section.builds ?? []).filter((build) => build.version === version)
}

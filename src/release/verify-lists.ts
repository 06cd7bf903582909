/** Whether page, lists, feeds and pointers say what the release document says. */
import { KEYS } from '../plan/keys.ts'
import { builtOf, commitOf, isAdopted, type ReleaseDocument, revisionOf } from './document.ts'
import { type Findings, wrong } from './findings.ts'
import type { PublicKey } from './public-key.ts'
import { FEED_ENTRIES, type IndexRelease, parseSiteIndex, type SiteIndex } from './site-index.ts'
import type { StateDocument } from './state-document.ts'
import { type Published, verifySigned } from './verify-document.ts'
import { verifyState } from './verify-state.ts'

const LIST_LIMIT = 64 * 1024 * 1024

export interface ListRequest {
  readonly bucket: Published
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
  const state = index === null ? null : await verifyState(request, document, index, found)
  if (isWithdrawn(index, document)) {
    await found.check('_releases.json does not offer it', async () => {
      if (garageEntries(document, await text(request, KEYS.garageList)).length > 0)
        throw wrong(`${KEYS.garageList} lists ${document.version}, which is withdrawn`)
    })
  } else
    await found.check('_releases.json lists it with the same files', async () => {
      compareWithGarageList(document, await text(request, KEYS.garageList))
    })
  await found.check('_releases.html shows it with every digest', async () => {
    const page = await text(request, KEYS.page)
    // Of what nobody has read there is no digest to show.
    const digests = document.files.flatMap(({ sha256: digest }) => (digest === null ? [] : [digest]))
    for (const needle of [document.version, ...digests]) {
      if (!page.includes(needle)) throw wrong(`${KEYS.page} does not show ${needle}`)
    }
  })
  await found.check('the feeds name it', async () => {
    const feeds = document.channel === 'stable' ? [KEYS.atomStable, KEYS.atomAll] : [KEYS.atomAll]
    for (const feed of feeds) {
      const entries = await text(request, feed)
      // A full feed holds the newest only.
      if (!entries.includes(document.version) && entries.split('<entry>').length <= FEED_ENTRIES)
        throw wrong(`${feed} does not name ${document.version}`)
    }
  })
  await found.check('the pointers say what index.json says', async () => {
    if (index === null) throw wrong('the pointers cannot be compared without index.json')
    for (const [channel, version] of Object.entries(index.pointers)) {
      const key = channel === 'stable' ? KEYS.latest : KEYS.latestOf(channel)
      const value = await text(request, key)
      if (value !== `${version}\n`)
        throw wrong(`${key} is ${JSON.stringify(value.slice(0, 100))}, index.json says ${version}`)
    }
    const { channel } = document
    // Nothing ever pointed to a channel of which no release is whole: there is no pointer that could be asked for.
    const wasPointedTo = index.releases.some(
      (release) => release.channel === channel && !release.byHand?.missing.length,
    )
    const key = channel === 'stable' ? KEYS.latest : KEYS.latestOf(channel)
    if (wasPointedTo && index.pointers[channel] === undefined && (await text(request, key)) !== '')
      throw wrong(`${key} names a version, and index.json none`)
  })
  return state
}

/** As the index says it: its lists have to agree with it, whatever has become of the document behind it. */
function isWithdrawn(index: SiteIndex | null, { version }: ReleaseDocument): boolean {
  return index?.releases.find((release) => release.version === version)?.withdrawn === true
}

async function verifiedIndex(request: ListRequest, document: ReleaseDocument): Promise<SiteIndex> {
  const bytes = await request.bucket.read(KEYS.index, LIST_LIMIT)
  if (bytes === null) throw wrong(`${KEYS.index} is missing`)
  const index = parseSiteIndex(bytes, KEYS.index)
  if (request.key !== null) {
    const signed = { name: document.name, version: `serial-${index.serial}`, path: KEYS.index }
    await verifySigned(request.bucket, bytes, signed, request.key)
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
  if ((listed.image?.digest ?? null) !== (builtOf(document)?.image?.digest ?? null)) {
    throw wrong(`${KEYS.index} names another image for ${version} than release.json`)
  }
  requireSameKind(listed, document)
  if (listed.channel !== document.channel || listed.commit !== commitOf(document)) {
    throw wrong(`${KEYS.index} names another channel or commit for ${version} than release.json`)
  }
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

/** Only the fields that its readers use: section, version, platform, path, size. */
function compareWithGarageList(document: ReleaseDocument, json: string): void {
  const entries = garageEntries(document, json)
  if (entries.length !== 1)
    throw wrong(
      `${KEYS.garageList} ${entries.length === 0 ? 'does not list' : 'lists more than once'} ${document.version}`,
    )
  const field = (value: unknown) => (typeof value === 'string' ? value : '?')
  const listed = (entries[0]?.builds ?? []).map((build) =>
    ['platform', 'path', 'size'].map((name) => field(build[name])).join(' '),
  )
  const expected = document.files.map((file) => `${file.target} ${file.path} ${file.size}`)
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

async function text(request: ListRequest, key: string): Promise<string> {
  const bytes = await request.bucket.read(key, LIST_LIMIT)
  if (bytes === null) throw wrong(`${key} is missing`)
  return bytes.toString('utf8')
}

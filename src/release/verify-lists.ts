/** Whether page, lists, feeds and pointers say what the release document says. */
import { KEYS } from '../plan/keys.ts'
import type { ReleaseDocument } from './document.ts'
import type { Pullable } from '../image/pulling.ts'
import { type Findings, wrong } from './findings.ts'
import { nameOf } from './floating.ts'
import type { PublicKey } from './public-key.ts'
import { FEED_ENTRIES, parseSiteIndex, type SiteIndex } from './site-index.ts'
import type { StateDocument } from './state-document.ts'
import { type Published, verifySigned } from './verify-document.ts'
import { verifyState } from './verify-state.ts'

const LIST_LIMIT = 64 * 1024 * 1024

export interface ListRequest {
  readonly bucket: Published
  /** Null leaves the images out. */
  readonly registry: Pullable | null
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
    for (const needle of [document.version, ...document.files.map((file) => file.sha256)]) {
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
  if (index !== null) await verifyLinks(request, index, found)
  if (index !== null) await verifyTags(request, document, index, found)
  return state
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

/** Those of the registry that is looked at, where this release's images are. */
async function verifyTags(
  { registry }: ListRequest,
  { image }: ReleaseDocument,
  { floating = [] }: SiteIndex,
  found: Findings,
): Promise<void> {
  const tags = floating.filter((tag) => image !== null && tag.registry === image.registry)
  if (tags.length === 0) return
  if (registry === null) return void found.skipped.push('image tags that move on')
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
  if ((listed.image?.digest ?? null) !== (document.image?.digest ?? null)) {
    throw wrong(`${KEYS.index} names another image for ${version} than release.json`)
  }
  if (listed.channel !== document.channel || listed.commit !== document.commit) {
    throw wrong(`${KEYS.index} names another channel or commit for ${version} than release.json`)
  }
}

function facts(files: readonly { target: string; name: string; size: number; sha256: string }[]): string {
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

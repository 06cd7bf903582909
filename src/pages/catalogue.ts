/** The releases of a site in the one order that page, lists, feeds and pointers share. */
import { PitlaneError } from '../errors.ts'
import { builtOf, commitOf, type ReleaseDocument } from '../release/document.ts'
import type { StoredSite } from '../release/documentation/read-site.ts'
import { floatingTags } from '../release/lists/floating.ts'
import type { FloatingTag } from '../release/lists/site-index.ts'
import { isWithdrawn, type States } from '../release/states/state-document.ts'
import { publicAddress } from './address.ts'

export interface SitePublicKey {
  /** Text of `minisign.pub`: a comment line and the base64 line. */
  readonly minisign: string
  /** The same Ed25519 key as SubjectPublicKeyInfo in PEM, for openssl and cosign. */
  readonly pem: string
  /** Upper-case hex digits without leading zeros, as minisign prints it. */
  readonly keyId: string
}

export interface SiteInput {
  /** The project's name. */
  readonly name: string
  /** Public address of the bucket: `http`, `https` or `file`. */
  readonly baseUrl: string
  /** Every release in the bucket, in any order, each version once. */
  readonly documents: readonly ReleaseDocument[]
  /** What became of releases; without one, a release is published. */
  readonly states?: States
  /** What the documentation site holds; null or absent where there is none. */
  readonly documentation?: StoredSite | null
  /** SHA-256 of the stored bytes of a release's document, lower-case hex. */
  readonly documentSha256: (document: ReleaseDocument) => string
  /** Null when the project does not sign. */
  readonly publicKey: SitePublicKey | null
  /** Goes up by one with each publication. */
  readonly serial: number
  /** Milliseconds since 1970, from the journal: rendering again gives the same bytes. */
  readonly generatedAt: number
  /** Whether objects can send readers on: see `stable-links.ts`. */
  readonly stableLinks?: boolean
  /** Where people read the source, when the project says so. */
  readonly sourceUrl?: string | null
  /** Orders versions by number: negative when `a` is older. */
  readonly compare: (a: string, b: string) => number
}

export interface Catalogue {
  readonly name: string
  /** Normal form, without a trailing slash. */
  readonly baseUrl: string
  readonly publicKey: SitePublicKey | null
  readonly documentSha256: (document: ReleaseDocument) => string
  readonly serial: number
  /** Milliseconds since 1970. */
  readonly generatedAt: number
  /** `http` or `https`; null when absent or anything else. */
  readonly sourceUrl: string | null
  /** Channel `stable`, newest first. */
  readonly stable: readonly ReleaseDocument[]
  /** Every channel that is neither `stable` nor `development`, newest first. */
  readonly extra: readonly ReleaseDocument[]
  /** Channel `development`, newest first. */
  readonly development: readonly ReleaseDocument[]
  /** Stable, then extra, then development. */
  readonly all: readonly ReleaseDocument[]
  /** The same without what is withdrawn: the first entry is the newest stable release when there is one. */
  readonly offered: readonly ReleaseDocument[]
  /** The newest stable release that is offered. */
  readonly featured: ReleaseDocument | null
  readonly states: States
  readonly documentation: StoredSite | null
  /** Every channel that has a whole release, also one that is withdrawn; `stable` first, then by name. */
  readonly channels: readonly string[]
  /** Newest version that is offered and whole of each channel that has one. */
  readonly pointers: ReadonlyMap<string, string>
  readonly stableLinks: boolean
  /** Image tags that move on, and where they lead. */
  readonly floating: readonly FloatingTag[]
}

/**
 * Sorts the documents of a site into sections. The result does not depend on the order of the input.
 * @throws PitlaneError `CONTRADICTION` when a version occurs twice, `CONFIG_INVALID` for an unusable address or channel name
 */
export function catalogue(input: SiteInput): Catalogue {
  const channels = Map.groupBy(input.documents, (document) => document.channel)
  const seen = new Set<string>()
  for (const { version } of input.documents) {
    if (seen.has(version)) throw new PitlaneError('CONTRADICTION', `the release ${version} occurs twice in the bucket`)
    seen.add(version)
  }
  const stable = newestFirst(channels.get('stable') ?? [], input.compare)
  const development = newestFirst(channels.get('development') ?? [], input.compare)
  const extra = newestFirst(
    input.documents.filter(({ channel }) => channel !== 'stable' && channel !== 'development'),
    input.compare,
  )
  const pointers = new Map<string, string>()
  const states = input.states ?? new Map<string, never>()
  const isOffered = ({ version }: ReleaseDocument) => !isWithdrawn(states, version)
  const names = [...channels.keys()].sort(stableFirst)
  for (const channel of names) {
    requireChannelName(channel)
    const newest = newestFirst(channels.get(channel) ?? [], input.compare)
      .filter(isWhole)
      .find(isOffered)
    if (newest) pointers.set(channel, newest.version)
  }
  const all = [...stable, ...extra, ...development]
  return {
    name: input.name,
    baseUrl: publicAddress(input.baseUrl),
    publicKey: input.publicKey,
    documentSha256: input.documentSha256,
    serial: input.serial,
    generatedAt: input.generatedAt,
    sourceUrl: webAddress(input.sourceUrl ?? null),
    stable,
    extra,
    development,
    all,
    offered: all.filter(isOffered),
    featured: stable.find(isOffered) ?? null,
    states,
    documentation: input.documentation ?? null,
    channels: names.filter((channel) => channels.get(channel)?.some(isWhole)),
    pointers,
    stableLinks: input.stableLinks === true,
    floating: floatingTags(stable.filter(isWhole), states),
  }
}

/**
 * Tags order by number. Commits have no number, so as soon as one is among them all order by when they were committed: a commit
 * that was released late is still older than the one on top of it.
 */
function newestFirst(documents: readonly ReleaseDocument[], compare: SiteInput['compare']): readonly ReleaseDocument[] {
  const byVersion = (a: ReleaseDocument, b: ReleaseDocument) =>
    compare(b.version, a.version) || byText(a.version, b.version)
  const isNamed = documents.every((document) => document.version !== commitOf(document))
  const order = isNamed ? byVersion : byDate
  return documents.toSorted((a, b) => Number(isWhole(b)) - Number(isWhole(a)) || order(a, b))
}

/** Image tags that move on, and lead to this release now. */
export function tagsOf({ floating }: Catalogue, { version }: ReleaseDocument): readonly string[] {
  return floating.filter((tag) => tag.version === version).map(({ tag }) => tag)
}

/** Nothing points to a release made by hand while it lacks targets, and it stands behind the others: many take the first as the latest. */
export function isWhole(document: ReleaseDocument): boolean {
  // What an adopted release should have had nobody knows: it is what it is.
  return !builtOf(document)?.byHand?.missing.length
}

function byDate(a: ReleaseDocument, b: ReleaseDocument): number {
  return byText(madeAt(b), madeAt(a)) || byText(b.publishedAt, a.publishedAt) || byText(a.version, b.version)
}

/** When a release's commit was made; of an adopted one only its files' date is known. */
function madeAt(document: ReleaseDocument): string {
  return builtOf(document)?.committedAt ?? document.publishedAt
}

function byText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

function stableFirst(a: string, b: string): number {
  return Number(b === 'stable') - Number(a === 'stable') || byText(a, b)
}

/** A channel's name becomes part of a key, `_releases/latest-<channel>`. */
function requireChannelName(channel: string): void {
  if (/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(channel)) return
  throw new PitlaneError('CONFIG_INVALID', `${JSON.stringify(channel)} cannot be the name of a channel`, {
    hint: 'Use letters, digits, dots, dashes and underscores.',
  })
}

function webAddress(address: string | null): string | null {
  if (address === null || !URL.canParse(address)) return null
  const url = new URL(address)
  const fits = (url.protocol === 'https:' || url.protocol === 'http:') && url.username === '' && url.password === ''
  return fits ? url.href.replace(/\/+$/, '') : null
}

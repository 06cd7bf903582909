/**
 * Every release of a bucket, and what became of each: read as far as it is not known.
 *
 * - From the bucket's listing: everything that it shows, but for what this state has verified and the listing shows to be the same. This holds whoever wrote
 *   there, and costs a listing.
 * - From the newest lists, where they are this state's own: they name every document by its digest, so that a document with that digest is the one that was
 *   verified, wherever it comes from. Read is what they do not name. Whoever puts something beside a release that is listed says so: `changing.ts`.
 */
import { sha256Of } from '../../bytes/digest.ts'
import { inParallel } from '../../parallel.ts'
import { KEYS } from '../../plan/keys.ts'
import { versionName } from '../document.ts'
import { DOCUMENT_LIMIT, parseAgain, parseDocument, readTrustedDocument } from '../documents.ts'
import { type Fetch, rememberingFetch } from '../fetch.ts'
import { revisionNumber, type StoredDocument } from '../revisions.ts'
import { type FoundStates, readStates, stateNumber } from '../states/states.ts'
import type { States } from '../states/state-document.ts'
import { noMemory } from './document-memory.ts'
import type { ListParts } from './list-parts.ts'
import { type IndexRelease, listedRevision, type SiteIndex } from './site-index.ts'

/** How many documents are read at once. */
const PARALLEL = 16

type Parts = Pick<ListParts, 'bucket' | 'place' | 'check' | 'signer' | 'memory'>

export interface FoundReleases {
  /** Of each release the newest revision. */
  readonly documents: readonly StoredDocument[]
  /** What became of these; not to be asked before it is known which of them count. */
  statesOf(documents: readonly StoredDocument[], known: States): Promise<FoundStates>
}

/**
 * @param index of lists that are proven, null where there are none: what they name is not gone because a listing does not show it
 * @throws PitlaneError `VERIFICATION_FAILED`, `STATE_NEWER`
 */
export async function readListing(parts: Parts, index: SiteIndex | null): Promise<FoundReleases> {
  const { bucket, check } = parts
  const found = await bucket.contents(KEYS.releases, isDocument)
  // Others put what they like beside releases: what can't be the name of one is not asked for. Marks of retired versions are among that.
  const shelves = new Map([...found].filter(([name]) => versionName.safeParse(name).success))
  const stamps = new Map(
    [...shelves].flatMap(([version, objects]) =>
      objects.map(({ name, stamp }) => [KEYS.folder(version) + name, stamp] as const),
    ),
  )
  const fetch = fetching(parts, (key) => stamps.get(key) ?? null)
  const newestIn = (version: string, prefix: string, numberOf: (text: string) => number) =>
    (shelves.get(version) ?? [])
      .filter(({ name }) => name.startsWith(prefix))
      .reduce((newest, { name }) => Math.max(newest, numberOf(name.slice(prefix.length))), 0)
  const shown = [...shelves.keys()].filter((version) => stamps.has(KEYS.document(version)))
  const hidden = (index?.releases ?? [])
    .map(({ version }) => version)
    .filter((version) => !stamps.has(KEYS.document(version)))
  // Without a document it is a publication that has begun, or something else: no release.
  const documents = await inParallel(shown, PARALLEL, (version) =>
    readTrustedDocument(bucket, version, check, {
      fetch,
      newestOf: async () => Math.max(1, newestIn(version, 'release.', revisionNumber)),
    }),
  )
  // Only a definite answer says that a document is gone.
  const others = await inParallel(hidden, PARALLEL, (version) => readTrustedDocument(bucket, version, check, { fetch }))
  const unlisted = new Set(hidden)
  return {
    documents: [...documents, ...others].filter((stored) => stored !== null),
    async statesOf(stored, known) {
      const [clear, doubtful] = partition(stored, ({ document }) => !unlisted.has(document.version))
      const newestOf = async (version: string) => newestIn(version, 'state-', stateNumber)
      return joined(
        await readStates(bucket, clear.map(documentOf), known, check, { fetch, newestOf }),
        await readStates(bucket, doubtful.map(documentOf), known, check, { fetch }),
      )
    },
  }
}

/** @param index of the newest lists, which were put out from here */
export async function readChanges(parts: Parts, index: SiteIndex): Promise<FoundReleases> {
  const { bucket, check } = parts
  const folders = (await bucket.folders(KEYS.releases)).filter((name) => versionName.safeParse(name).success)
  const there = new Set(folders)
  const listed = new Map(index.releases.map((release) => [release.version, release]))
  const fetch = fetching(parts, () => null)
  const gone = [...listed.keys()].filter((version) => !there.has(version))
  const documents = await inParallel([...folders, ...gone], PARALLEL, async (version) => {
    const release = there.has(version) ? listed.get(version) : undefined
    return (
      (release === undefined ? null : await readListed(parts, release)) ??
      readTrustedDocument(bucket, version, check, { fetch })
    )
  })
  return {
    documents: documents.filter((stored) => stored !== null),
    async statesOf(stored, known) {
      const [told, untold] = partition(stored, ({ document }) => listed.has(document.version))
      const states = told.flatMap(({ document }) => known.get(document.version) ?? [])
      return joined(
        { states: new Map(states.map((state) => [state.state.version, state])), lost: [] },
        await readStates(bucket, untold.map(documentOf), known, check, { fetch }),
      )
    },
  }
}

/** Null when the bucket has another one, or none, under the name. */
async function readListed({ bucket, memory }: Parts, release: IndexRelease): Promise<StoredDocument | null> {
  const { version } = release
  const { sha256 } = release.document
  const key = KEYS.document(version, listedRevision(release))
  const known = memory?.bytes(sha256) ?? null
  if (known !== null) return { document: parseAgain(known), sha256 }
  const bytes = await bucket.read(key, DOCUMENT_LIMIT)
  if (bytes === null || sha256Of(bytes) !== sha256) return null
  const document = parseDocument(bytes, `${bucket.location}/${key}`, version)
  memory?.keep(bytes, sha256, null)
  return { document, sha256 }
}

function fetching(
  { bucket, place, check, signer, memory = noMemory() }: Parts,
  stampOf: (key: string) => string | null,
): Fetch {
  const publicKey = check === null ? null : (signer?.publicKey.line ?? '')
  return rememberingFetch({ bucket, place, publicKey, memory, stampOf })
}

/** Documents of releases and of their states, and the signatures that are read with them. */
function isDocument(name: string): boolean {
  return /^(release(\.[0-9]+)?|state-[0-9]+)\.json(\.minisig)?$/.test(name)
}

function documentOf({ document }: StoredDocument) {
  return document
}

function partition<T>(items: readonly T[], isFirst: (item: T) => boolean): readonly [T[], T[]] {
  return [items.filter(isFirst), items.filter((item) => !isFirst(item))]
}

function joined(one: FoundStates, other: FoundStates): FoundStates {
  return { states: new Map([...one.states, ...other.states]), lost: [...one.lost, ...other.lost] }
}

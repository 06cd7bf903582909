/**
 * What `pitlane adopt` would do: from the listing of the bucket, the documents in it, and the journal of publications. Nothing is changed, and no
 * file is read. The same bucket gives the same plan.
 */
import type { ListedObject } from '../../buckets/types.ts'
import { findPublication } from '../../database/queries/publications.ts'
import type { Channel } from '../../plan/channel.ts'
import { KEYS } from '../../plan/keys.ts'
import { type AdoptedDocument, encodeDocument, isAdopted, isoSeconds, revisionOf } from '../document.ts'
import { listedObjects } from '../lists/listed-objects.ts'
import { signedComment } from '../lists/last-serial.ts'
import { listFiles } from '../lists/lists.ts'
import type { ListParts } from '../lists/list-parts.ts'
import { readSite, releasesOf, type Site } from '../lists/read-site.ts'
import { requireSameOwner } from '../owner.ts'
import { parsePublicKey } from '../keys/public-key.ts'
import { listRetired } from '../retention/retired.ts'
import type { StoredDocument } from '../revisions.ts'
import { trustedCommentOf } from '../keys/sign.ts'
import { noteDoubt, type Standing, UNSIGNED_AHEAD } from '../lists/standing.ts'
import { SIDE_LIMIT } from '../verify/verify-document.ts'
import { sha256Of } from '../../bytes/digest.ts'
import { adoptedDocument } from './document.ts'
import { findVersions, type FoundVersion, type Skipped } from './find-versions.ts'

export interface AdoptionParts {
  readonly lists: ListParts
  readonly channels: readonly Channel[]
  /** Whether every file is read for its digest. */
  readonly digest: boolean
  /** What of the person is published. */
  readonly actor: string
  readonly pitlaneVersion: string
}

/** An adopted version whose digests are to be computed. */
export interface Undigested {
  readonly stored: StoredDocument<AdoptedDocument>
  /** Keys below its folder, sorted. */
  readonly keys: readonly string[]
}

export interface AdoptionPlan {
  readonly adopt: readonly FoundVersion[]
  readonly digest: readonly Undigested[]
  /** Versions that have a document and are left alone. */
  readonly present: readonly string[]
  /** How many of those are adopted without digests. */
  readonly undigested: number
  readonly skipped: readonly Skipped[]
  /** Versions that should have been taken, each with what is in the way, in words. */
  readonly refused: readonly { readonly version: string; readonly reason: string }[]
}

/** @throws PitlaneError what reading the lists throws, and `STORAGE_FAILED` for a listing without end */
export async function planAdoption(parts: AdoptionParts, standing: Standing): Promise<AdoptionPlan> {
  const { lists, channels, digest } = parts
  noteDoubt(lists, standing)
  await requireSameOwner(lists, standing)
  // A document that can't be trusted would stop the lists at the end.
  const site = await readSite(lists, standing, 'bucket')
  const objects = [...(await listedObjects(lists, KEYS.releases)).values()]
  const folders = await lists.bucket.folders(KEYS.releases)
  const latest = lists.clock.now() + UNSIGNED_AHEAD
  const found = findVersions({ objects, folders, channels, latest })
  const skipped = [...found.skipped]
  const adopt: FoundVersion[] = []
  const retired = new Set((await listRetired(lists.bucket)).versions)
  // A listing may be an old one: what the lists name was read whether it shows it or not.
  const read = new Set(releasesOf(site).map(({ version }) => version))
  for (const version of found.versions) {
    if (read.has(version.version)) continue
    const reason = retired.has(version.version)
      ? 'it is retired, and on its way out'
      : await whyNot(lists, version, digest)
    if (reason === null) adopt.push(version)
    else skipped.push(skippedVersion(version, reason))
  }
  requireListable(parts, site, adopt)
  const undigested = digest ? site.stored.map(({ document, sha256 }) => ({ document, sha256 })) : []
  const judged = await judgeUndigested(lists, undigested, objects)
  const taken = new Set(
    [...judged.digest, ...judged.refused].map((one) => ('stored' in one ? one.stored.document.version : one.version)),
  )
  const present = [...new Set([...found.documented, ...read])].filter((version) => !taken.has(version))
  return { adopt, ...judged, present, undigested: digest ? 0 : countUndigested(site), skipped }
}

/**
 * What the lists would be with all of it: whatever they can't be, or nobody could read, is refused before anything is written.
 * @throws PitlaneError `PLAN_CONTRADICTION`, and what rendering throws
 */
function requireListable(parts: AdoptionParts, site: Site, adopt: readonly FoundVersion[]): void {
  const { lists, actor, pitlaneVersion } = parts
  const at = Math.max(lists.clock.now(), site.notBefore)
  const stored = adopt.map(({ version, channel, files }) => {
    const facts = { project: lists.name, version, channel, signer: lists.signer, actor, pitlaneVersion }
    const document = adoptedDocument(facts, files, null, at)
    return { document, sha256: sha256Of(encodeDocument(document)) }
  })
  listFiles(lists, { ...site, stored: [...site.stored, ...stored] }, site.standing.serial + 1, at)
}

function countUndigested({ stored }: Site): number {
  return stored.filter(({ document }) => isAdopted(document) && document.adopted.digests === 'unknown').length
}

function skippedVersion({ version, files }: FoundVersion, reason: string): Skipped {
  return { name: version, reason, objects: files.length, bytes: files.reduce((sum, { size }) => sum + size, 0) }
}

/** What tells that files are not what an older script left, or that there is no room for a document beside them; null for neither. */
async function whyNot(lists: ListParts, version: FoundVersion, digest: boolean): Promise<string | null> {
  const { version: name, files, keys } = version
  if ((await findPublication(lists.writer.db, name)) !== undefined)
    return 'its release was begun here: `pitlane release` goes on with it'
  const there = new Set(keys)
  for (const { path } of files)
    if (there.has(`${path}.minisig`) && (await isSignedHere(lists, name, path)))
      return `${path}.minisig is this project's: a publication of it has begun, and ends with the command that began it`
  return foreignDocument(lists, name, 1, there, digest)
}

/** Whether the project's key has signed what is under a key, as that. */
async function isSignedHere({ bucket, signer, name }: ListParts, version: string, path: string): Promise<boolean> {
  const where = `${path}.minisig`
  if (signer === null || ((await bucket.head(where))?.size ?? 0) > SIDE_LIMIT) return false
  const text = await bucket.read(where, SIDE_LIMIT)
  const key = parsePublicKey(signer.publicKey.line, 'the signing key')
  return text !== null && signedComment(text.toString('utf8'), where, key) === trustedCommentOf({ name, version, path })
}

/** Signatures that a run left which died are written over; nothing of anybody else is. */
async function foreignDocument(
  lists: ListParts,
  version: string,
  revision: number,
  keys: ReadonlySet<string>,
  digest: boolean,
): Promise<string | null> {
  const documents = [KEYS.document(version, revision), ...(digest ? [KEYS.sums(version, revision)] : [])]
  for (const key of documents) {
    const [minisig, sig] = [`${key}.minisig`, `${key}.sig`]
    const isOwn = keys.has(minisig) && (await isSignedHere(lists, version, key))
    if (keys.has(minisig) && !isOwn) return `${minisig} is there already, and is not this project's`
    if (keys.has(sig) && !isOwn) return `${sig} is there already, and is not this project's`
  }
  return null
}

async function judgeUndigested(
  lists: ListParts,
  stored: readonly StoredDocument[],
  objects: readonly ListedObject[],
): Promise<Pick<AdoptionPlan, 'digest' | 'refused'>> {
  const digest: Undigested[] = []
  const refused: { version: string; reason: string }[] = []
  const byKey = new Map(objects.map((object) => [object.key, object]))
  const byVersion = Map.groupBy(byKey.keys(), (key) => key.split('/')[1] ?? '')
  for (const { document, sha256 } of stored) {
    if (!isAdopted(document) || document.adopted.digests === 'computed') continue
    const { version, files } = document
    const keys = byVersion.get(version) ?? []
    const other = files.find(({ path, size }) => byKey.get(path)?.size !== size)
    const reason =
      other === undefined
        ? await foreignDocument(lists, version, revisionOf(document) + 1, new Set(keys), true)
        : `${other.path} has ${byKey.get(other.path)?.size ?? 'no'} bytes, and had ${other.size} when it was adopted`
    if (reason !== null) {
      refused.push({ version, reason })
      continue
    }
    for (const { path, modifiedAt } of files) {
      const now = isoSeconds(byKey.get(path)?.modifiedAt ?? 0)
      if (now !== modifiedAt)
        lists.note(`${path} was written again at ${now}, since it was adopted; its digest is of what is there now`)
    }
    digest.push({ stored: { document, sha256 }, keys })
  }
  return { digest, refused }
}

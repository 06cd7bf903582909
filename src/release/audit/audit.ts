/**
 * Bucket, registry and public address held against the documents: everything that differs, and nothing is changed. Needs no lock and no more
 * than the right to read and list; what somebody publishes meanwhile is looked at again.
 */
import type { ListedObject } from '../../buckets/types.ts'
import { PitlaneError } from '../../errors.ts'
import { KEYS } from '../../plan/keys.ts'
import { listedObjects } from '../lists/listed-objects.ts'
import type { ListParts, SiteFile } from '../lists/list-parts.ts'
import { requireSameOwner } from '../owner.ts'
import { parsePublicKey } from '../keys/public-key.ts'
import type { FloatingTag, SiteIndex } from '../lists/site-index.ts'
import { readStanding } from '../lists/standing.ts'
import { type Difference, Differences } from './difference.ts'
import { auditDocumentation } from './documentation.ts'
import { auditImages } from './images.ts'
import { auditLists, strays } from './lists.ts'
import { auditServed, type Served } from './served.ts'
import { auditVersions } from './versions.ts'

export interface AuditParts {
  /** Its signer need not be able to sign, and it leases nothing. */
  readonly lists: ListParts
  /** Null where nothing is served, or nobody knows where. */
  readonly served: Served | null
  /** Image repositories that the project declares. */
  readonly repositories: readonly string[]
  /** Whether every file and layer is read. */
  readonly digest: boolean
}

export interface Audit {
  readonly differences: readonly Difference[]
  /** What could not be looked at: nothing is known of it. */
  readonly failures: readonly PitlaneError[]
  /** How much was looked at. */
  readonly looked: { readonly versions: number; readonly objects: number; readonly served: number }
}

/** How often it begins again because somebody has published meanwhile. */
const TRIES = 3

/** @throws PitlaneError `PROJECT_CHANGED`, `KEY_CHANGED`; and when the bucket could not be looked at */
export async function audit(parts: AuditParts): Promise<Audit> {
  const { lists } = parts
  for (let tried = 1; ; tried += 1) {
    const { shown } = await readStanding(lists)
    const result = await look(parts)
    if (tried >= TRIES || result.differences.length === 0 || (await readStanding(lists)).shown === shown) return result
  }
}

async function look({ lists, served, repositories, digest }: AuditParts): Promise<Audit> {
  const standing = await readStanding(lists)
  await requireSameOwner(lists, standing)
  const objects = await listAll(lists)
  const key = lists.signer === null ? null : parsePublicKey(lists.signer.publicKey.line, 'the public key')
  const versions = await auditVersions({ lists, key, digest, now: lists.clock.now() }, objects)
  const compared = await auditLists(lists, key, standing, versions)
  const failures: PitlaneError[] = []
  // What was found in one place is told also where another can't be reached.
  const attempt = async <T>(work: () => Promise<T>): Promise<T | null> => {
    try {
      return await work()
    } catch (error) {
      if (!(error instanceof PitlaneError)) throw error
      failures.push(error)
      return null
    }
  }
  const floating = floatingIn(compared.files)
  const images = await attempt(() => auditImages(lists.registry, versions, { repositories, floating, digest }))
  const shown =
    served === null ? null : await attempt(() => auditServed(lists, served, objects, versions, compared.files))
  return {
    failures,
    differences: [
      ...versions.differences,
      ...compared.differences,
      ...strays(objects, versions, compared),
      ...(compared.site === null ? [] : await auditDocumentation(lists, compared.site, versions, digest)),
      ...(await leftovers(lists)),
      ...(images ?? []),
      ...(shown?.differences ?? []),
    ],
    looked: { versions: versions.stored.length, objects: objects.size, served: shown?.looked ?? 0 },
  }
}

/** Where image tags that move on have to lead. */
function floatingIn(files: readonly SiteFile[] | null): readonly FloatingTag[] | null {
  const index = files?.at(-1)
  // Rendered right here.
  return index === undefined
    ? null
    : ((JSON.parse(index.bytes.toString('utf8')) as Pick<SiteIndex, 'floating'>).floating ?? [])
}

async function listAll(lists: ListParts): Promise<ReadonlyMap<string, ListedObject>> {
  // Page and list lie beside the folder; what else begins like that is not Pitlane's.
  const listed = await listedObjects(lists, KEYS.releases.slice(0, -1))
  const isOwn = (key: string) => key.startsWith(KEYS.releases) || key === KEYS.page || key === KEYS.garageList
  return new Map([...listed].filter(([key]) => isOwn(key)))
}

/** Some stores do not tell, and some keys may not ask: that is said, and is no difference. */
async function leftovers({ bucket, note }: ListParts): Promise<readonly Difference[]> {
  const found = new Differences('bucket')
  try {
    for (const name of await bucket.abandoned())
      found.add(name, 'was begun to be uploaded more than a day ago, and never ended')
  } catch (error) {
    if (!(error instanceof PitlaneError)) throw error
    note(`uploads that were never ended could not be looked for: ${error.message}`)
  }
  return found.all
}

/** Proves that page, lists, feeds and pointers are a pure function of the documents in the bucket, and heals them where they are not. */
import { PAGES } from '../database/queries/listings.ts'
import type { Journal } from './journal.ts'
import { putListsOf } from './listing.ts'
import { listOperations, type ListParts, readSite, staleOperations } from './lists.ts'
import { requireSameOwner } from './owner.ts'
import { operationFacts } from './publication.ts'
import type { SiteIndex } from './site-index.ts'
import { noteDoubt, readStanding, settledStanding, type Standing } from './standing.ts'

/**
 * Keys whose objects are not what the documents say, in the order they would be written. Nothing is.
 * @throws PitlaneError `PROJECT_CHANGED`, `KEY_CHANGED`, `VERIFICATION_FAILED` when a document can't be trusted
 */
export async function checkPages(parts: ListParts): Promise<readonly string[]> {
  return (await look(parts, await settledStanding(parts), false)).keys
}

/**
 * Writes them, under the next serial, as the lists of a release are written; an index that is more than half way to its expiry is renewed.
 * Interrupted or killed, the same call goes on.
 * @returns the keys that were not what they had to be
 */
export async function rebuildPages(parts: ListParts, stop: AbortSignal): Promise<readonly string[]> {
  return parts.exclusively(async () => {
    const standing = await readStanding(parts)
    noteDoubt(parts, standing)
    const { site, keys } = await look(parts, standing, true)
    if (keys.length === 0) return keys
    const { writer, bucket, registry } = parts
    const journal: Journal = { writer, bucket, registry, version: PAGES, title: 'the rebuilding of the pages', stop }
    await putListsOf(parts, journal, site, parts.clock.now())
    return keys
  })
}

async function look(parts: ListParts, standing: Standing, renew: boolean) {
  await requireSameOwner(parts, standing)
  const site = await readSite(parts, standing)
  const now = parts.clock.now()
  const { index } = standing
  const stale = async (serial: number, generatedAt: number) => {
    const operations = await staleOperations(parts.bucket, listOperations(parts, site, serial, generatedAt))
    return operations.map((operation) => operationFacts(operation).destination)
  }
  if (index !== null) {
    // With the serial and date they carry, the lists are either exactly right or not.
    const keys = await stale(index.serial, Date.parse(index.generatedAt))
    if (keys.length > 0 && !renew) return { site, keys }
    if (keys.length === 0 && !isDue(index, now, renew)) return { site, keys }
  }
  return { site, keys: await stale(standing.serial + 1, Math.max(now, site.notBefore)) }
}

/** A check only reports what readers would refuse. */
function isDue({ generatedAt, expiresAt }: SiteIndex, now: number, renew: boolean): boolean {
  const [from, until] = [Date.parse(generatedAt), Date.parse(expiresAt)]
  return now > (renew ? (from + until) / 2 : until)
}

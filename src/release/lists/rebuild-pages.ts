/** Proves that page, lists, feeds and pointers are a pure function of the documents in the bucket, and heals them where they are not. */
import { PAGES } from '../../database/queries/listings.ts'
import { followPointer, planFollowing, putKeys } from '../documentation/follow.ts'
import { PitlaneError } from '../../errors.ts'
import type { Journal } from '../journal.ts'
import { settleChange } from './changing.ts'
import { putListsOf } from './listing.ts'
import { giveUp, requireLost } from './lost-releases.ts'
import { listOperations, staleKeys } from './lists.ts'
import type { ListParts } from './list-parts.ts'
import { readSite, type Site } from './read-site.ts'
import { requireSameOwner } from '../owner.ts'
import type { SiteIndex } from './site-index.ts'
import { noteDoubt, readStanding, settledStanding, type Standing } from './standing.ts'
import { refuseOlderLists } from './older-lists.ts'

/**
 * Keys whose objects are not what the documents say, in the order they would be written. Nothing is.
 * @throws PitlaneError `PROJECT_CHANGED`, `KEY_CHANGED`, `VERIFICATION_FAILED` when a document can't be trusted
 */
export async function checkPages(parts: ListParts): Promise<readonly string[]> {
  const standing = await settledStanding(parts)
  await requireLost(parts, standing)
  const site = await siteOf(parts, standing)
  const change = await planFollowing(parts, site)
  return [...(change?.remove ?? []), ...(change === null ? [] : putKeys(change)), ...(await stalePages(parts, site))]
}

async function stalePages(parts: ListParts, site: Site): Promise<readonly string[]> {
  const { standing } = site
  const stale = await compare(parts, site)
  const { index } = standing
  const now = parts.clock.now()
  // A check only reports what readers would refuse.
  if (index !== null && (stale.length > 0 || now <= Date.parse(index.expiresAt))) return stale
  const next = listOperations(parts, site, standing.serial + 1, Math.max(now, site.notBefore))
  return staleKeys(parts, next)
}

/**
 * Writes them, under the next serial, as the lists of a release are written; an index that is more than half way to its expiry is renewed.
 * Interrupted or killed, the same call goes on.
 * @returns the keys that were not what they had to be
 */
export async function rebuildPages(parts: ListParts, stop: AbortSignal): Promise<readonly string[]> {
  return (await isAsItShould(parts)) ? [] : parts.exclusively(() => refreshPages(parts, stop))
}

/**
 * Without keeping anybody out, which is a write where a bucket has no locks. Who publishes meanwhile makes it look wrong, and it is looked at again; what can't
 * be trusted is told then.
 */
async function isAsItShould(parts: ListParts): Promise<boolean> {
  const notes: string[] = []
  const quiet = { ...parts, note: (message: string) => void notes.push(message) }
  const standing = await readStanding(quiet)
  const { index, doubt } = standing
  await requireLost(parts, standing)
  if (index === null || doubt !== null || isHalfway(index, parts.clock.now())) return false
  try {
    const site = await siteOf(quiet, standing)
    if (site.isChanging || (await planFollowing(quiet, site)) !== null) return false
    if ((await compare(quiet, site)).length > 0) return false
    for (const note of notes) parts.note(note)
    return true
  } catch (error) {
    if (error instanceof PitlaneError) return false
    throw error
  }
}

/** The same, for a caller that keeps others from publishing meanwhile. */
export async function refreshPages(parts: ListParts, stop: AbortSignal): Promise<readonly string[]> {
  const standing = await readStanding(parts)
  await requireSameOwner(parts, standing)
  await refuseOlderLists(parts, standing)
  await requireLost(parts, standing)
  await giveUp(parts, standing)
  return renewPages(parts, standing, stop)
}

/** The same, whatever an older list names: for adopting, which has told what it leaves out. */
export async function renewPages(parts: ListParts, standing: Standing, stop: AbortSignal): Promise<readonly string[]> {
  noteDoubt(parts, standing)
  const { site, keys } = await followPointer(parts, await siteOf(parts, standing), stop)
  const stale = await compare(parts, site)
  const now = parts.clock.now()
  if (standing.index !== null && stale.length === 0 && !isHalfway(standing.index, now)) {
    if (site.isChanging) await settleChange(parts.bucket)
    return keys
  }
  const { writer, bucket, registry, metering } = parts
  const journal: Journal = {
    writer,
    bucket,
    registry,
    metering,
    version: PAGES,
    title: 'the rebuilding of the pages',
    stop,
  }
  return [...keys, ...(await putListsOf(parts, journal, site, now)).stale]
}

/** With the serial and date that the index carries, the lists are either exactly right or not. */
async function compare(parts: ListParts, site: Site): Promise<readonly string[]> {
  const { index } = site.standing
  if (index === null) return []
  return staleKeys(parts, listOperations(parts, site, index.serial, Date.parse(index.generatedAt)))
}

async function siteOf(parts: ListParts, standing: Standing): Promise<Site> {
  await requireSameOwner(parts, standing)
  return readSite(parts, standing, 'bucket')
}

function isHalfway({ generatedAt, expiresAt }: SiteIndex, now: number): boolean {
  return now > (Date.parse(generatedAt) + Date.parse(expiresAt)) / 2
}

/**
 * Puts page, lists and pointers out, for a release or for `pages rebuild`: computed from all documents, written down with serial and date
 * before the first one is put, carried out by the journal. Whoever calls this keeps others from publishing meanwhile.
 */
import { findListing, finishListing, insertListing, type ListingRow, PAGES } from '../../database/queries/listings.ts'
import { readOperations, reopenOperation, replaceOperations } from '../../database/queries/publications.ts'
import { KEYS } from '../../plan/keys.ts'
import { carryOutEntry, type Journal, journalRows } from '../journal.ts'
import { settleChange } from './changing.ts'
import { requireOwnFloating } from './floating.ts'
import { listOperations, staleKeys } from './lists.ts'
import type { ListParts } from './list-parts.ts'
import { readSite, type Site } from './read-site.ts'
import { requireSameOwner } from '../owner.ts'
import { pointersIn } from './pointers.ts'
import { type Entry, entryOf, type Operation, operationFacts } from '../publication.ts'
import { noteDoubt, readStanding } from './standing.ts'

/**
 * @param at date of the lists unless they follow later ones, milliseconds since 1970
 * @returns what was put
 */
export async function putLists(parts: ListParts, journal: Journal, at: number): Promise<readonly Operation[]> {
  const standing = await readStanding(parts)
  noteDoubt(parts, standing)
  await requireSameOwner(parts, standing)
  return (await putListsOf(parts, journal, await readSite(parts, standing, 'changes'), at)).operations
}

/** @returns also the keys that were not as they had to be, in the order they were written in */
export async function putListsOf(
  parts: ListParts,
  journal: Journal,
  read: Site,
  at: number,
): Promise<{ readonly operations: readonly Operation[]; readonly stale: readonly string[] }> {
  const entry = entryOf('lists')
  const site = { ...read, stableLinks: (await parts.sendsOn?.(read.stableLinks)) ?? false }
  const operations = (await begun(parts, journal, site)) ?? (await writeDown(parts, journal, site, at))
  const stale = await staleKeys(parts, operations)
  // What would be refused in the middle would leave lists that index.json does not name.
  const moving = operations.filter(
    (operation) => operation.to === 'floating' && stale.includes(operationFacts(operation).destination),
  )
  await requireOwnFloating(parts.registry, moving)
  await reopenLost(journal, entry, stale)
  await carryOutEntry(journal, entry, operations, new Set(stale))
  await journal.writer.write((trx) => finishListing(trx, journal.version))
  if (read.isChanging) await settleChange(parts.bucket)
  await noteKeptTags(parts, operations)
  return { operations, stale }
}

/** Not every registry takes a tag away: whoever was told that it leads nowhere now is told that it still does. */
async function noteKeptTags({ registry, note }: ListParts, operations: readonly Operation[]): Promise<void> {
  for (const operation of operations) {
    if (operation.to !== 'floating' || operation.digest !== null || registry === null) continue
    const { repository, tag } = operation
    const there = await registry.resolveTag(repository, tag)
    if (there !== null) note(`${repository}:${tag} still names ${there.digest}: this registry takes no tag away`)
  }
}

/** What a run that died had confirmed, and is not there any more, is carried out again. */
export async function reopenLost({ writer, version }: Journal, entry: Entry, stale: readonly string[]): Promise<void> {
  const stored = await readOperations(writer.db, version, entry.id)
  const lost = stored.filter(({ state, destination }) => state === 'done' && stale.includes(destination))
  if (lost.length === 0) return
  await writer.write(async (trx) => {
    for (const { destination } of lost) await reopenOperation(trx, version, destination)
  })
}

/** The lists that a run wrote down which died; null when there are none, or when they are no longer what has to be there. */
async function begun(parts: ListParts, journal: Journal, site: Site): Promise<readonly Operation[] | null> {
  const { db } = journal.writer
  const listing = await findListing(db, journal.version)
  if (listing === undefined || isOver(listing, site)) return null
  const operations = listOperations(parts, site, listing.serial, listing.generated_at)
  const rows = journalRows(operations)
  const stored = await readOperations(db, journal.version, 'lists')
  const same =
    stored.length === rows.length &&
    rows.every((row, at) => row.sha256 === stored[at]?.sha256 && row.destination === stored[at]?.destination)
  return same && !(await isOvertaken(parts, listing, site, operations)) ? operations : null
}

/** Lists that no release has asked for are done with once they are out: then it is others that have to be put right. */
function isOver({ version, state, serial }: ListingRow, { standing }: Site): boolean {
  return version === PAGES && (state === 'published' || standing.index?.serial === serial)
}

/** Whether other lists than these have come out with this serial or a later one. */
async function isOvertaken(
  { bucket }: ListParts,
  listing: ListingRow,
  { standing }: Site,
  operations: readonly Operation[],
): Promise<boolean> {
  if (standing.shown < listing.serial) return false
  if (standing.shown > listing.serial) return true
  // The signature comes first: when it is ours, so is the serial.
  const commit = operations.filter(
    (operation) =>
      operation.to === 'bucket' && (operation.key === KEYS.index || operation.key === `${KEYS.index}.minisig`),
  )
  return (await staleKeys({ bucket, registry: null }, commit)).length === commit.length
}

async function writeDown(parts: ListParts, journal: Journal, site: Site, at: number): Promise<readonly Operation[]> {
  const serial = site.standing.serial + 1
  const generatedAt = Math.max(at, site.notBefore)
  const operations = listOperations(parts, site, serial, generatedAt)
  const rows = journalRows(operations)
  const sha256 = rows.at(-1)?.sha256 ?? ''
  const stable = (await pointersIn(operations))['stable'] ?? null
  await journal.writer.write(async (trx) => {
    await replaceOperations(trx, journal.version, 'lists', rows)
    await insertListing(trx, {
      serial,
      version: journal.version,
      generated_at: generatedAt,
      sha256,
      bucket: parts.place,
      stable,
      state: 'prepared',
    })
  })
  return operations
}

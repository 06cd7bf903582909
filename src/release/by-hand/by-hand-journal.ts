/**
 * The journal of what is done by hand: operations are written down before the first one is tried, and performed and confirmed as those of a
 * release are. Each of them finds out by itself whether it happened, so that a run on another machine, without these rows, ends the same: when all
 * are done the rows go, and what dies right before that leaves them to the next work by hand.
 */
import { forgetDone, forgetOperations, replaceOperations } from '../../database/queries/publications.ts'
import { carryOutEntry, type Journal, journalRows } from '../journal.ts'
import { type Operation, PUBLICATION } from '../publication.ts'

const BY_HAND = '(by hand) '

export type ByHandJournal = Omit<Journal, 'version' | 'title'>

/**
 * In the order of a publication's entries.
 * @param what names the work among the rows; no version has such a name
 */
export async function carryOutByHand(
  journal: ByHandJournal,
  what: string,
  operations: readonly Operation[],
): Promise<void> {
  const version = nameOf(what)
  await journal.writer.write(async (trx) => {
    await forgetDone(trx, BY_HAND)
    for (const entry of PUBLICATION) {
      const rows = journalRows(operations.filter((operation) => operation.entry === entry.id))
      if (rows.length > 0) await replaceOperations(trx, version, entry.id, rows)
    }
  })
  for (const entry of PUBLICATION) {
    const own = operations.filter((operation) => operation.entry === entry.id)
    if (own.length > 0) await carryOutEntry({ ...journal, version, title: `publishing ${what}` }, entry, own)
  }
  await journal.writer.write((trx) => forgetOperations(trx, version), { forced: false })
}

/** @param what names the work among the rows; no version has such a name */
export function nameOf(what: string): string {
  return `${BY_HAND}${what}`
}

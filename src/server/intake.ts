/** From what a forge tells to rows: stored before it is confirmed, and once, however often it is told. */
import type { Transaction } from 'kysely'
import { type NewEvent, settleEvent, storeEvent, wasTold } from '../database/queries/events.ts'
import { findRepositoryRow, listRepositories, type RepositoryRow } from '../database/queries/repositories.ts'
import type { Database } from '../database/schema.ts'
import type { Writer } from '../database/writer.ts'
import type { Clock } from '../clock.ts'
import type { Forge, Head, Told } from '../forges/types.ts'

export interface IntakeParts {
  readonly writer: Writer
  readonly forge: Forge
  readonly clock: Clock
  readonly onTrouble: (note: string) => void
}

/** @returns whether something new was stored */
export async function takeIn(parts: IntakeParts): Promise<boolean> {
  let isNew = false
  for (const told of await parts.forge.told(parts.onTrouble)) {
    const row = await findRepositoryRow(parts.writer.db, told.repository)
    if (row?.active === 1) isNew = (await store(parts, row, told)) || isNew
    // Of a repository that is off nobody wants to hear.
    await parts.forge.confirm(told)
  }
  return isNew
}

/** Milliseconds in which a hook that is going to tell has told. */
const HOOK = 2000

async function untold({ writer }: IntakeParts, row: RepositoryRow, heads: readonly Head[]): Promise<readonly Head[]> {
  const missed: Head[] = []
  for (const head of heads) if (!(await wasTold(writer.db, row.id, head.ref, head.commit))) missed.push(head)
  return missed
}

/**
 * Finds what was pushed and never told: a hook that was missing, or failed. Heads that are there when a repository is first enabled are only
 * remembered.
 */
export async function findMissed(parts: IntakeParts): Promise<boolean> {
  let isNew = false
  for (const row of await listRepositories(parts.writer.db)) {
    if (row.active !== 1) continue
    try {
      let missed = await untold(parts, row, await parts.forge.heads(row.name))
      if (missed.length > 0) {
        // A hook runs after the ref has moved: it may be about to tell.
        await parts.clock.sleep(HOOK)
        await takeIn(parts)
        missed = await untold(parts, row, missed)
      }
      const told = { repository: row.name, actor: 'unknown', heads: missed }
      isNew = (await store(parts, row, { ...told, delivery: 'found' })) || isNew
    } catch (error) {
      parts.onTrouble(`${row.name} could not be looked at: ${String(error)}`)
    }
  }
  return isNew
}

/**
 * What the repository's refs name now, as seen: none of it is checked. In the transaction that enables the repository: else a server that died in
 * between would check all of it.
 */
export async function rememberHeads(
  parts: IntakeParts,
  trx: Transaction<Database>,
  row: RepositoryRow,
  heads: readonly Head[],
): Promise<void> {
  const seen = { state: 'skipped', note: 'it was there when the repository was enabled', build_id: null } as const
  for (const head of heads) {
    const event = eventOf(parts, row, { delivery: 'enabled', actor: 'unknown', head })
    if (await storeEvent(trx, event)) await settleEvent(trx, event.id, seen)
  }
}

async function store(parts: IntakeParts, row: RepositoryRow, told: Told): Promise<boolean> {
  if (told.heads.length === 0) return false
  return parts.writer.write(async (trx) => {
    let stored = 0
    for (const head of told.heads)
      if (await storeEvent(trx, eventOf(parts, row, { delivery: told.delivery, actor: told.actor, head }))) stored += 1
    return stored > 0
  })
}

function eventOf(
  { clock }: IntakeParts,
  row: RepositoryRow,
  { delivery, actor, head }: { readonly delivery: string; readonly actor: string; readonly head: Head },
): NewEvent {
  const at = clock.now()
  const { ref, commit } = head
  const revision = ref.replace(/^refs\/(heads|tags)\//, '')
  return {
    id: `event-${clock.random(12).toString('hex')}`,
    repository: row.id,
    // One push may move several refs.
    delivery: `${delivery} ${ref} ${commit}`,
    event: { kind: 'push', ref, commit, revision, actor, at },
    at,
  }
}

/** The inbox: what forges have told, stored before it is answered and before anything is done about it. */
import type { Transaction } from 'kysely'
import type { PushEvent } from '../../event/event.ts'
import type { Database, EventsTable } from '../schema.ts'
import type { Reader } from '../writer.ts'

export type EventRow = Readonly<EventsTable>

export interface NewEvent {
  readonly id: string
  readonly repository: string
  readonly delivery: string
  readonly event: PushEvent
  readonly at: number
}

/** False: it was told before. */
export async function storeEvent(trx: Transaction<Database>, told: NewEvent): Promise<boolean> {
  const { numInsertedOrUpdatedRows } = await trx
    .insertInto('events')
    .values({
      id: told.id,
      repository_id: told.repository,
      delivery: told.delivery,
      ref: told.event.ref,
      commit_id: told.event.commit,
      document: JSON.stringify(told.event),
      received_at: told.at,
      state: 'waiting',
      note: null,
      build_id: null,
    })
    .onConflict((c) => c.columns(['repository_id', 'delivery']).doNothing())
    .executeTakeFirst()
  return numInsertedOrUpdatedRows === 1n
}

/** In the order in which they were told. */
export function waitingEvents(db: Reader): Promise<readonly EventRow[]> {
  return db
    .selectFrom('events')
    .selectAll()
    .where('state', '=', 'waiting')
    .orderBy('received_at')
    .orderBy('id')
    .execute()
}

/** Only of one that waits: what was decided stays. */
export async function settleEvent(
  trx: Transaction<Database>,
  id: string,
  to: Pick<EventRow, 'state' | 'note' | 'build_id'>,
): Promise<void> {
  await trx.updateTable('events').set(to).where('id', '=', id).where('state', '=', 'waiting').execute()
}

export function pushOf(row: EventRow): PushEvent {
  return JSON.parse(row.document) as PushEvent
}

/** The event that a build was made for; undefined for one that nobody has pushed. */
export async function eventOf(db: Reader, buildId: string): Promise<PushEvent | undefined> {
  const row = await db
    .selectFrom('events')
    .selectAll()
    .where('build_id', '=', buildId)
    .orderBy('received_at')
    .executeTakeFirst()
  return row === undefined ? undefined : pushOf(row)
}

/** Whether it was ever told that this ref names this commit. */
export async function wasTold(db: Reader, repository: string, ref: string, commit: string): Promise<boolean> {
  const row = await db
    .selectFrom('events')
    .select('id')
    .where('repository_id', '=', repository)
    .where('ref', '=', ref)
    .where('commit_id', '=', commit)
    .limit(1)
    .executeTakeFirst()
  return row !== undefined
}

/** What was told and has no build, the newest first. */
export function eventsWithoutBuild(db: Reader, repository: string, limit: number): Promise<readonly EventRow[]> {
  return db
    .selectFrom('events')
    .selectAll()
    .where('repository_id', '=', repository)
    .where('state', 'in', ['waiting', 'skipped', 'failed'])
    .orderBy('received_at', 'desc')
    .orderBy('id')
    .limit(limit)
    .execute()
}

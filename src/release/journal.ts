/**
 * Has operations performed, and only this file does. Each stands in the journal before it is tried and is marked done after its effect was
 * read back, so that whatever dies in between, the next run continues: what is done stays done, what was started is looked for.
 */
import {
  type OperationRow,
  finishOperations,
  forgetOperations,
  readOperations,
  replaceOperations,
  startOperations,
} from '../database/queries/publications.ts'
import type { Writer } from '../database/writer.ts'
import { PitlaneError } from '../errors.ts'
import { inParallel, together } from '../parallel.ts'
import { type Meter, type Metering, UNCOUNTED } from '../run/meter.ts'
import { bytesOf, perform, type Places } from './perform.ts'
import { type Entry, type Operation, operationFacts, PUBLICATION } from './publication.ts'

/** How many operations of one turn at once; most of the time of a small one is waiting for its answers. */
const PARALLEL = 32
/** How many of these are large: two hash at once, two more wait for their answers. */
const LARGE_AT_ONCE = 4
/** Bytes. */
const LARGE = 1024 * 1024
/** Positions of an entry's operations start here times its place. */
const ENTRY_SPAN = 100_000

export interface Journal extends Places {
  readonly writer: Writer
  readonly metering: Metering
  /** Under which the operations are written down: a version, or `PAGES`. */
  readonly version: string
  /** For messages: `the publication of v1.2.0`. */
  readonly title: string
  /** Aborted: finish the operation under way, begin no other. */
  readonly stop: AbortSignal
}

/** The rows that a list of operations is written down as; refuses two operations with one destination. */
export function journalRows(operations: readonly Operation[]): Omit<OperationRow, 'state'>[] {
  const seen = new Set<string>()
  return PUBLICATION.flatMap((entry) =>
    operations
      .filter((operation) => operation.entry === entry.id)
      .map((operation, index) => {
        const facts = operationFacts(operation)
        const name = `${operation.to} ${facts.destination}`
        if (seen.has(name)) throw new PitlaneError('PLAN_CONTRADICTION', `two operations write ${facts.destination}`)
        seen.add(name)
        if (entry.kind === 'check') throw new PitlaneError('INTERNAL', `entry ${entry.id} has no operations`)
        return { position: entry.place * ENTRY_SPAN + index, entry: entry.id, kind: entry.kind, ...facts }
      }),
  )
}

/**
 * Carries one entry's operations out. They must be the ones written down: anything else is a contradiction and stops.
 * @param stale of which of them the objects are not there, for a caller that has just asked for all while nobody else may publish: none is asked for again
 */
export async function carryOutEntry(
  journal: Journal,
  entry: Entry,
  operations: readonly Operation[],
  stale: ReadonlySet<string> | null = null,
): Promise<void> {
  const own = operations.filter((operation) => operation.entry === entry.id)
  const wanted = journalRows(own)
  const stored = await readOperations(journal.writer.db, journal.version, entry.id)
  compareWithStored(journal.title, stored, wanted)
  const open = stored.filter((row) => row.state !== 'done')
  if (open.length === 0) return
  await journal.writer.write((trx) =>
    startOperations(
      trx,
      journal.version,
      open.map((row) => row.position),
    ),
  )
  const bytes = own.reduce((sum, operation) => sum + bytesOf(operation), 0)
  const stillOpen = new Set(open.map((row) => row.position))
  await journal.metering({ of: entry.title, doing: 'sending', pieces: own.length, bytes }, async (meter) => {
    const turns = new Map<number, Task[]>()
    for (const [at, operation] of own.entries()) {
      const row = wanted[at]
      if (row === undefined) throw new PitlaneError('INTERNAL', `no row for an operation of ${entry.id}`)
      if (stillOpen.has(row.position)) {
        const turn = entry.turn(operation, at, own.length)
        turns.set(turn, [...(turns.get(turn) ?? []), { operation, row }])
        // Put by a run before this one.
      } else meter.piece(bytesOf(operation)).done()
    }
    for (const turn of [...turns.keys()].sort((a, b) => a - b))
      await carryOutTurn(journal, entry, turns.get(turn) ?? [], meter, stale)
  })
}

interface Task {
  readonly operation: Operation
  readonly row: Omit<OperationRow, 'state'>
}

async function carryOutTurn(
  journal: Journal,
  entry: Entry,
  tasks: readonly Task[],
  meter: Meter,
  stale: ReadonlySet<string> | null,
): Promise<void> {
  const { large, small } = queuesOf(tasks)
  // What a machine that stops forgets of it is looked for, and found.
  const finish = together((positions: readonly number[]) =>
    journal.writer.write((trx) => finishOperations(trx, journal.version, positions), { forced: false }),
  )
  const worker = async (queues: readonly Task[][]) => {
    for (let task = next(queues); task !== undefined; task = next(queues)) {
      const { operation, row } = task
      try {
        goOn(journal)
        const piece = meter.piece(bytesOf(operation))
        await perform(journal, entry, operation, piece, stale === null ? null : !stale.has(row.destination))
        piece.done()
        await finish(row.position)
      } catch (error) {
        large.length = 0
        small.length = 0
        throw error
      }
    }
  }
  const workers = Array.from({ length: PARALLEL }, (_, at) => worker(at < LARGE_AT_ONCE ? [large, small] : [small]))
  for (const result of await Promise.allSettled(workers)) if (result.status === 'rejected') throw result.reason
}

/** The same bytes under a second name come last: a registry then has them already, and takes them from itself. */
function queuesOf(tasks: readonly Task[]): { readonly large: Task[]; readonly small: Task[] } {
  const seen = new Set<string>()
  const again = new Set<Task>()
  for (const task of tasks) {
    if (seen.has(task.row.sha256)) again.add(task)
    seen.add(task.row.sha256)
  }
  const sorted = [...tasks.filter((task) => !again.has(task)), ...again]
  const isLarge = (task: Task) => task.row.size > LARGE && !again.has(task)
  return { large: sorted.filter(isLarge), small: sorted.filter((task) => !isLarge(task)) }
}

function next(queues: readonly Task[][]): Task | undefined {
  return queues.find((queue) => queue.length > 0)?.shift()
}

/** A work of its own among many: its operations belong to one entry, and follow each other. */
export interface Part {
  /** Under which they are written down; no other part has it. */
  readonly version: string
  readonly operations: readonly Operation[]
}

export interface Parts<R> {
  readonly parts: readonly Part[]
  /** How many at once. */
  readonly limit: number
  /** What becomes of a part that failed; what it throws ends the others. */
  readonly settle: (error: unknown, part: number) => R
  /** Called after each, whatever became of it. */
  readonly settled: () => void
}

/**
 * Many small works in two transactions, whatever their number: all are written down as begun, carried out several at once, and what was is confirmed, or
 * forgotten where all of a work was. What dies in between was begun as far as the rows know, and each operation finds out by itself whether it happened.
 * @returns in the order of the parts
 */
export async function carryOutParts<R>(
  journal: Omit<Journal, 'version' | 'metering'>,
  entry: Entry,
  { parts, limit, settle, settled }: Parts<R>,
): Promise<readonly (R | 'done')[]> {
  const written = parts.map((part) => ({ ...part, rows: journalRows(part.operations) }))
  await journal.writer.write(async (trx) => {
    for (const { version, rows } of written) {
      await replaceOperations(trx, version, entry.id, rows)
      await startOperations(
        trx,
        version,
        rows.map((row) => row.position),
      )
    }
  })
  const done = new Map<string, number[]>()
  const confirm = () =>
    journal.writer.write(async (trx) => {
      for (const { version, rows } of written) {
        const positions = done.get(version) ?? []
        // Nobody asks for what is complete: each operation finds out by itself whether it happened.
        if (positions.length === rows.length) await forgetOperations(trx, version)
        else if (positions.length > 0) await finishOperations(trx, version, positions)
      }
    })
  const results = await inParallel([...written.entries()], limit, async ([place, { version, rows, operations }]) => {
    try {
      for (const [index, operation] of operations.entries()) {
        goOn(journal)
        await perform(journal, entry, operation, UNCOUNTED)
        const position = rows[index]?.position
        if (position !== undefined) done.set(version, [...(done.get(version) ?? []), position])
      }
      return 'done' as const
    } catch (error) {
      return settle(error, place)
    } finally {
      settled()
    }
  }).catch(async (error: unknown) => {
    // What failed first is what is told.
    await confirm().catch(() => undefined)
    throw error
  })
  await confirm()
  return results
}

function goOn({ stop, title }: Pick<Journal, 'stop' | 'title'>): void {
  if (!stop.aborted) return
  throw new PitlaneError('INTERRUPTED', `${title} was stopped before it was complete`, {
    hint: 'Nothing is half visible. Run the same command again: it goes on where it was.',
  })
}

function compareWithStored(
  title: string,
  stored: readonly OperationRow[],
  wanted: readonly Omit<OperationRow, 'state'>[],
): void {
  const text = (row: Omit<OperationRow, 'state'>) => `${row.position} ${row.destination} ${row.sha256} ${row.size}`
  const storedTexts = new Set(stored.map(text))
  const difference = wanted.find((row) => !storedTexts.has(text(row)))
  if (difference === undefined && stored.length === wanted.length) return
  const old = stored.find((row) => row.destination === difference?.destination)
  throw new PitlaneError(
    'PLAN_CONTRADICTION',
    difference === undefined
      ? `${title} was written down with ${stored.length} operations, now there are ${wanted.length}`
      : `${title} was written down with ${difference.destination} as ${old?.sha256 ?? 'absent'}, now it would be ${difference.sha256}`,
    {
      hint: 'The state was changed from outside, or this Pitlane version computes it differently. Nothing was published by this run.',
    },
  )
}

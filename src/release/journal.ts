/**
 * Performs operations, and only this file does. Each stands in the journal before it is tried and is marked done after its effect was
 * read back, so that whatever dies in between, the next run continues: what is done stays done, what was started is looked for.
 */
import type { Bucket } from '../buckets/types.ts'
import {
  type OperationRow,
  finishOperations,
  readOperations,
  replaceOperations,
  startOperations,
} from '../database/queries/publications.ts'
import type { Writer } from '../database/writer.ts'
import { PitlaneError } from '../errors.ts'
import { readIndex } from '../image/manifest.ts'
import type { Registry } from '../image/types.ts'
import { inParallel, together } from '../parallel.ts'
import { measureThere } from './digest.ts'
import { requireOwn } from './lists/floating.ts'
import { type Meter, type Metering, type Piece, UNCOUNTED } from '../run/meter.ts'
import { countedBody } from './counted.ts'
import type { Published } from './verify/verify-document.ts'
import { type Entry, type Operation, operationFacts, PUBLICATION } from './publication.ts'

/** How many operations of one turn at once; most of the time of a small one is waiting for its answers. */
const PARALLEL = 32
/** How many of these are large: two hash at once, two more wait for their answers. */
const LARGE_AT_ONCE = 4
/** Bytes. */
const LARGE = 1024 * 1024
/** Positions of an entry's operations start here times its place. */
const ENTRY_SPAN = 100_000

/** Bytes: what is shorter costs less to be read than to be asked for. */
const LONG = 64 * 1024

export interface Journal {
  readonly writer: Writer
  /** Null where only images are concerned. */
  readonly bucket: Bucket | null
  readonly registry: Registry | null
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

/** Carries one entry's operations out. They must be the ones written down: anything else is a contradiction and stops. */
export async function carryOutEntry(journal: Journal, entry: Entry, operations: readonly Operation[]): Promise<void> {
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
      await carryOutTurn(journal, entry, turns.get(turn) ?? [], meter)
  })
}

interface Task {
  readonly operation: Operation
  readonly row: Omit<OperationRow, 'state'>
}

async function carryOutTurn(journal: Journal, entry: Entry, tasks: readonly Task[], meter: Meter): Promise<void> {
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
        await perform(journal, entry, operation, piece)
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

/** What goes over the line for it, if anything does. */
export function bytesOf(operation: Operation): number {
  switch (operation.to) {
    case 'bucket':
    case 'blob':
      return operation.body.size
    case 'manifest':
      return operation.bytes.length
    case 'removal':
    case 'tag':
    case 'floating':
      return 0
  }
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
 * Many small works in two transactions, whatever their number: all are written down as begun, carried out several at once, and all that were are
 * confirmed. What dies in between was begun as far as the rows know, and each operation finds out by itself whether it happened.
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
      for (const [version, positions] of done) await finishOperations(trx, version, positions)
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

async function perform(
  journal: Pick<Journal, 'bucket' | 'registry'>,
  entry: Entry,
  operation: Operation,
  piece: Piece,
): Promise<void> {
  if (operation.to === 'bucket') {
    const { bucket } = journal
    if (bucket === null) throw new PitlaneError('INTERNAL', 'an operation on a bucket without a bucket')
    const isAsked = entry.kind === 'ask-then-do'
    if (isAsked && (await isThere(bucket, operation))) return
    await bucket.put(operation.key, countedBody(operation.body, piece), { ...operation.options, looked: isAsked })
    return
  }
  if (operation.to === 'removal') return journal.bucket?.delete(operation.key)
  const registry = journal.registry
  if (registry === null) throw new PitlaneError('INTERNAL', 'an image operation without a registry')
  // A registry has no lock of its own.
  await journal.bucket?.requireHeld?.()
  switch (operation.to) {
    case 'blob': {
      const body = countedBody(operation.body, piece)
      return registry.putBlob(operation.repository, {
        digest: `sha256:${body.sha256}`,
        size: body.size,
        open: () => body.open(),
      })
    }
    case 'manifest':
      await registry.putManifest(operation.repository, operation.mediaType, operation.bytes)
      return piece.at(operation.bytes.length)
    case 'tag':
      return registry.putTag(operation.repository, operation.tag, operation.descriptor)
    case 'floating':
      return moveTag(registry, operation)
  }
}

/** Whether the bucket has exactly this object, and sends readers where it should. */
export async function isThere(
  bucket: Published,
  { key, body, options }: Extract<Operation, { to: 'bucket' }>,
): Promise<boolean> {
  const { redirect } = options
  // Where everybody reads, its bytes are not what is served.
  if (redirect !== undefined && bucket.redirectOf !== undefined) return (await bucket.redirectOf(key)) === redirect
  // What has another size is another one: a long list that has grown is not fetched to see that.
  if (body.size >= LONG && bucket.head !== undefined && (await bucket.head(key))?.size !== body.size) return false
  return (await measureThere(await bucket.open(key)))?.sha256 === body.sha256
}

async function moveTag(registry: Registry, operation: Extract<Operation, { to: 'floating' }>): Promise<void> {
  const { repository, tag, digest } = operation
  const present = (await registry.resolveTag(repository, tag))?.digest ?? null
  if (present === digest) return
  if (present !== null) requireOwn(`${repository}:${tag}`, present, operation)
  if (digest === null) {
    // One that does not delete tags keeps it: `verify` says so.
    if (present !== null) await registry.deleteTag(repository, tag, present)
    return
  }
  const bytes = await registry.readManifest(repository, digest)
  const index = bytes === null ? null : readIndex(bytes)
  if (bytes === null || index === null || 'problem' in index)
    throw new PitlaneError('NOT_FOUND', `${registry.location}/${repository} has no image ${digest} for ${tag}`, {
      hint: 'The registry has lost it: put it back from a copy, by digest, or withdraw the version that it is of.',
    })
  await registry.putTag(repository, tag, { mediaType: index.value.mediaType, digest, size: bytes.length }, present)
}

/** Refuses before anything is written when a name is taken by other bytes, with both digests: the first of them in order. Throws `CONTRADICTION`. */
export async function findContradictions(
  journal: Pick<Journal, 'bucket' | 'registry'>,
  operations: readonly Operation[],
): Promise<void> {
  await inParallel(operations, PARALLEL, (operation) => refuseTaken(journal, operation))
}

async function refuseTaken({ bucket, registry }: Pick<Journal, 'bucket' | 'registry'>, operation: Operation) {
  if (operation.to === 'bucket' && operation.options.exclusive) {
    const there = await measureThere((await bucket?.open(operation.key)) ?? null)
    if (there !== null && there.sha256 !== operation.body.sha256)
      throw contradiction(`${bucket?.location}/${operation.key}`, there.sha256, operation.body.sha256)
  } else if (operation.to === 'tag') {
    const there = await registry?.resolveTag(operation.repository, operation.tag)
    if (there != null && there.digest !== operation.descriptor.digest)
      throw contradiction(`${operation.repository}:${operation.tag}`, there.digest, operation.descriptor.digest)
  }
}

export function contradiction(name: string, there: string, wanted: string): PitlaneError {
  return new PitlaneError('CONTRADICTION', `${name} exists with other bytes\n  there:  ${there}\n  here:   ${wanted}`, {
    hint: 'A published name never changes its bytes. Release under a new version.',
  })
}

/** The same for whoever may begin anew. */
export function orStartOver(error: unknown): unknown {
  if (!(error instanceof PitlaneError) || error.code !== 'CONTRADICTION') return error
  return new PitlaneError('CONTRADICTION', error.message, {
    hint: `${error.hint ?? ''} If nobody can have seen this one: the same command with --start-over --dry-run tells what would be removed.`.trim(),
    cause: error,
  })
}

/**
 * Adopts what was planned. Files are read without a lock, which may take hours; then, while nobody else publishes there, the documents of what
 * was read, and at the end the lists. Nothing is moved, nothing is written over. Whatever dies in between leaves versions that have their
 * document and others that are as they were, and the same call goes on.
 */
import { PitlaneError } from '../../errors.ts'
import { inParallel } from '../../parallel.ts'
import type { Meter } from '../../run/meter.ts'
import { KEYS } from '../../plan/keys.ts'
import { nameOf } from '../by-hand/by-hand-journal.ts'
import { type AdoptedDocument, isAdopted, type ReleaseDocument, revisionOf } from '../document.ts'
import { readTrustedDocument } from '../documents.ts'
import { counted } from '../counted.ts'
import { wrong } from '../verify/findings.ts'
import { carryOutParts } from '../journal.ts'
import { findContradictions } from '../contradictions.ts'
import { requireSameOwner } from '../owner.ts'
import { entryOf, type Operation } from '../publication.ts'
import { documentOperations } from '../put-operations.ts'
import { nextDate } from '../by-hand/put-revision.ts'
import { renewPages } from '../lists/rebuild-pages.ts'
import { announceChange } from '../lists/changing.ts'
import { readStanding, type Standing } from '../lists/standing.ts'
import { digestsOf } from '../verify/verify-file.ts'
import { adoptedDocument, withDigests } from './document.ts'
import type { FoundVersion } from './find-versions.ts'
import type { AdoptionParts, AdoptionPlan, Undigested } from './plan.ts'

export interface Adopted {
  readonly documents: readonly AdoptedDocument[]
  /** Versions that were left as they are, each with why. */
  readonly refused: AdoptionPlan['refused']
}

/** Files that are read at once. */
const READING = 4
/** Versions whose documents are put at once. */
const PUTTING = 8
/** Versions that are written down, and confirmed, in one transaction: a thousand of them cost as much as the putting itself. */
const TOGETHER = 100
const TITLE = 'the adoption'
const DOCUMENTS = entryOf('documents')
/** Bytes that are read between one taking of the bucket's lease and the next: what a run that dies has read for nothing. */
const BATCH = 4 * 1024 ** 3

/** A version with what it takes to write its document. */
interface Work {
  readonly version: string
  readonly keys: readonly string[]
  readonly files: readonly { readonly path: string; readonly size: number }[]
  readonly make: (digests: ReadonlyMap<string, string> | null, at: number) => AdoptedDocument
  /** Of the revision before, ISO 8601. */
  readonly last: string | null
}

interface Read {
  readonly work: Work
  /** SHA-256 by path; null where nobody was asked to read. */
  readonly digests: ReadonlyMap<string, string> | null
}

/**
 * @param onAdopted called with each document once it is there
 * @throws PitlaneError `INTERRUPTED`, and what reading the lists throws
 */
export async function applyAdoption(
  parts: AdoptionParts,
  plan: AdoptionPlan,
  stop: AbortSignal,
  onAdopted: (document: AdoptedDocument) => void,
): Promise<Adopted> {
  const { lists, digest } = parts
  const documents: AdoptedDocument[] = []
  const refused = [...plan.refused]
  let met = 0
  const take = (document: AdoptedDocument) => {
    documents.push(document)
    onAdopted(document)
  }
  for (const batch of batches(
    [...plan.adopt.map((found) => newWork(parts, found)), ...plan.digest.map((one) => laterWork(parts, one))],
    digest,
  )) {
    const read: readonly Read[] = digest
      ? await readAll(parts, batch, stop)
      : batch.map((work) => ({ work, digests: null }))
    await lists.exclusively(async () => {
      const standing = await readStanding(lists)
      await requireSameOwner(lists, standing)
      // Whoever goes by the lists would not look at a version that they name already.
      if (batch.some(({ last }) => last !== null)) await announceChange(lists.bucket)
      const about = { of: 'documents of versions', doing: 'sending', pieces: read.length, bytes: 0 } as const
      await lists.metering(about, async (meter) => {
        for (let from = 0; from < read.length; from += TOGETHER)
          for (const result of await putTogether(parts, read.slice(from, from + TOGETHER), { standing, stop, meter }))
            if (result === null) met += 1
            else if ('reason' in result) refused.push(result)
            else take(result)
      })
    })
  }
  // Also where nothing is left to be adopted: whoever wrote the documents may have died before the lists.
  if (documents.length + plan.present.length + met > 0)
    await lists.exclusively(async () => renewPages(lists, await readStanding(lists), stop))
  return { documents, refused }
}

function newWork(
  { lists, actor, pitlaneVersion }: AdoptionParts,
  { version, channel, files, keys }: FoundVersion,
): Work {
  const facts = { project: lists.name, version, channel, signer: lists.signer, actor, pitlaneVersion }
  return { version, keys, files, last: null, make: (digests, at) => adoptedDocument(facts, files, digests, at) }
}

function laterWork({ actor, pitlaneVersion }: AdoptionParts, { stored, keys }: Undigested): Work {
  const { version, files, adopted } = stored.document
  return {
    version,
    keys,
    files,
    last: adopted.revisedAt,
    make: (digests, at) => {
      if (digests === null) throw new PitlaneError('INTERNAL', `${version} without digests`)
      return withDigests(stored, digests, { at, actor, pitlaneVersion })
    },
  }
}

/** All at once where nothing is read. */
function batches(all: readonly Work[], digest: boolean): readonly (readonly Work[])[] {
  const made: Work[][] = []
  let bytes = Infinity
  for (const work of all) {
    if (bytes >= BATCH) {
      made.push([])
      bytes = 0
    }
    made.at(-1)?.push(work)
    if (digest) bytes += work.files.reduce((sum, { size }) => sum + size, 0)
  }
  return made
}

/** What is no longer as it was listed is left out when its document is put, where that is said. */
async function readAll({ lists }: AdoptionParts, batch: readonly Work[], stop: AbortSignal): Promise<readonly Read[]> {
  const files = batch.flatMap((work) => work.files)
  const bytes = files.reduce((sum, { size }) => sum + size, 0)
  const about = { of: 'files for their digests', doing: 'reading', pieces: files.length, bytes } as const
  const read = await lists.metering(about, (meter) =>
    inParallel(files, READING, async ({ path, size }) => {
      goOn(stop)
      const piece = meter.piece(size)
      const stream = await lists.bucket.open(path)
      const found =
        stream === null
          ? null
          : await digestsOf(
              counted(() => stream, piece),
              size,
            )
      piece.done()
      return [path, found?.size === size ? found.sha256 : null] as const
    }),
  )
  const all = new Map(read)
  return batch.map((work) => ({
    work,
    digests: new Map(
      work.files.flatMap(({ path }): [string, string][] => {
        const sha256 = all.get(path)
        return sha256 ? [[path, sha256]] : []
      }),
    ),
  }))
}

type Refused = AdoptionPlan['refused'][number]

interface Ready {
  readonly version: string
  readonly document: AdoptedDocument
  readonly operations: readonly Operation[]
}

/**
 * Only for a caller that keeps others from publishing meanwhile.
 * @returns in the given order; null where somebody else has done it meanwhile
 */
async function putTogether(
  parts: AdoptionParts,
  all: readonly Read[],
  { standing, stop, meter }: { standing: Standing; stop: AbortSignal; meter: Meter },
): Promise<readonly (AdoptedDocument | Refused | null)[]> {
  const { writer, bucket } = parts.lists
  const considered = await inParallel(all, PUTTING, async (one): Promise<Ready | Refused | null> => {
    goOn(stop)
    try {
      const made = await prepare(parts, one, standing)
      if (made === null) meter.piece(0).done()
      return made
    } catch (error) {
      const refused = orRefused(one.work, error)
      meter.piece(0).done()
      return refused
    }
  })
  const ready = considered.filter((one) => one !== null && 'document' in one)
  const put = await carryOutParts<Refused>({ writer, bucket, registry: null, stop, title: TITLE }, DOCUMENTS, {
    parts: ready.map(({ version, document, operations }) => ({
      version: nameOf(`${version} ${KEYS.document(version, revisionOf(document))}`),
      operations,
    })),
    limit: PUTTING,
    settle: (error, place) => orRefused({ version: ready[place]?.version ?? '' }, error),
    // How many of the versions have theirs is told, not how far each is.
    settled: () => meter.piece(0).done(),
  })
  const results = new Map(ready.map((one, place) => [one.version, put[place]]))
  return considered.map((one) => {
    if (one === null || !('document' in one)) return one
    const result = results.get(one.version)
    return result === undefined || result === 'done' ? one.document : result
  })
}

/** @returns null where somebody else has adopted it meanwhile, as it would be here */
async function prepare({ lists, digest }: AdoptionParts, { work, digests }: Read, standing: Standing) {
  const { version } = work
  const there = await readTrustedDocument(lists.bucket, version, lists.check)
  if (there !== null && isSame(there.document, work, digest)) return null
  await requireUnchanged({ lists }, work)
  if (digest && digests?.size !== work.files.length) throw wrong('one of its files changed while it was read')
  const document = work.make(digests, nextDate(lists, standing, work.last))
  // Or its signatures would be written over: a listing may be an old one.
  const key = KEYS.document(version, revisionOf(document))
  if ((await lists.bucket.head(key)) !== null) throw wrong(`${key} is there, and no listing shows it`)
  // Whose the signatures are that lie there was looked at when it was planned, and nothing has come since.
  const operations = documentOperations(document, lists.signer, { replace: 'signatures' })
  // What was not listed is not asked for.
  const taken = operations.filter((operation) => operation.to === 'bucket' && work.keys.includes(operation.key))
  await findContradictions({ bucket: lists.bucket, registry: null }, taken)
  return { version, document, operations } satisfies Ready
}

/** Whether a document says of the same files what this adoption would say. */
function isSame(document: ReleaseDocument, { files }: Work, digest: boolean): boolean {
  if (!isAdopted(document) || (digest && document.adopted.digests === 'unknown')) return false
  const sizes = new Map(document.files.map(({ path, size }) => [path, size]))
  return sizes.size === files.length && files.every(({ path, size }) => sizes.get(path) === size)
}

/** Somebody may have published, or written, between the plan and the lease. */
async function requireUnchanged({ lists: { bucket } }: Pick<AdoptionParts, 'lists'>, work: Work): Promise<void> {
  const now = new Map<string, number>()
  for await (const { key, size } of bucket.list(KEYS.folder(work.version))) now.set(key, size)
  const same = now.size === work.keys.length && work.keys.every((key) => now.has(key))
  if (!same || work.files.some(({ path, size }) => now.get(path) !== size))
    throw wrong('somebody else wrote to it meanwhile')
}

/** What is wrong with one version does not keep the others from being adopted; anything else is thrown. */
function orRefused({ version }: Pick<Work, 'version'>, error: unknown): Refused {
  if (error instanceof PitlaneError && (error.code === 'CONTRADICTION' || error.code === 'VERIFICATION_FAILED'))
    return { version, reason: error.message.split('\n')[0] ?? '' }
  throw error
}

function goOn(stop: AbortSignal): void {
  if (!stop.aborted) return
  throw new PitlaneError('INTERRUPTED', `${TITLE} was stopped before it was complete`, {
    hint: 'Nothing is half visible. Run the same command again: it goes on where it was.',
  })
}

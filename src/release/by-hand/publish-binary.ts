/**
 * One binary of one target, put by hand where a release has it, while nobody else publishes there: not every store refuses to write to a taken key.
 * Objects first, then the document that names them, and the lists that name the document. Whatever dies in between leaves nothing visible, and the
 * same command goes on.
 */
import type { Body } from '../../buckets/types.ts'
import { findPublication } from '../../database/queries/publications.ts'
import { PitlaneError } from '../../errors.ts'
import { type HandMade, nextRevision, requireSameCommit } from './by-hand.ts'
import { type BuiltDocument, builtOf } from '../document.ts'
import { readTrustedDocument } from '../documents.ts'
import { contradiction, findContradictions } from '../contradictions.ts'
import { carryOutByHand, type ByHandJournal } from './by-hand-journal.ts'
import type { ListParts } from '../lists/list-parts.ts'
import { requireSameOwner } from '../owner.ts'
import { binaryOperations } from '../put-operations.ts'
import { putRevision } from './put-revision.ts'
import { refreshPages } from '../lists/rebuild-pages.ts'
import { refuseWithdrawn } from '../states/refuse-withdrawn.ts'
import { requireNotRetired } from '../retention/retired.ts'
import type { StoredDocument } from '../revisions.ts'
import { requireAsShown } from '../lists/lost-releases.ts'
import { readSite } from '../lists/read-site.ts'
import { readStanding, settledStanding } from '../lists/standing.ts'
import { refuseOlderLists } from '../lists/older-lists.ts'

export interface BinaryRequest {
  readonly made: HandMade
  readonly blake2b512: Buffer
  readonly body: Body
}

export interface PublishedBinary {
  /** `present`: the release named exactly these bytes already. */
  readonly state: 'put' | 'present'
  /** The newest. */
  readonly document: BuiltDocument
}

/**
 * @throws PitlaneError `CONTRADICTION` when the name is taken by other bytes, or the version was retired, `RELEASED_OTHERWISE` when the version was released or adopted,
 * `WITHDRAWN`
 */
export async function publishBinary(
  lists: ListParts,
  stop: AbortSignal,
  request: BinaryRequest,
): Promise<PublishedBinary> {
  const { plan, file, signer } = request.made
  const { writer, bucket, metering } = lists
  const journal: ByHandJournal = { writer, bucket, registry: null, metering, stop }
  // Also of what is there: with another key or name, nothing of this bucket is this project's.
  const standing = await settledStanding(lists)
  await requireSameOwner(lists, standing)
  await refuseOlderLists(lists, standing)
  await requireNotRetired(lists.bucket, plan.version, lists.check)
  const first = await look(lists, request)
  if (first !== null) await refuseWithdrawn(lists, plan.version, standing)
  if (first !== null && first.document.byHand === undefined) return { state: 'present', document: first.document }
  const named = { name: plan.project, version: plan.version, signer }
  const objects = binaryOperations(named, file, request.blake2b512, request.body)
  return lists.exclusively(async () => {
    const before = await look(lists, request)
    const now = await readStanding(lists)
    requireAsShown(bucket, now, plan.version, before)
    // What would stop the lists at the end stops this, before anything is out.
    await readSite(lists, now, 'bucket')
    const isNamed = before !== null && names(before.document, request)
    if (!isNamed || !(await isThere(lists, request))) {
      await findContradictions(journal, objects)
      await carryOutByHand(journal, `${plan.version} ${file.target}`, objects)
    }
    const document = isNamed
      ? before.document
      : await putRevision(lists, journal, before, (at) => nextRevision(before, request.made, at))
    if (document.byHand !== undefined) await refreshPages(lists, stop)
    return { state: isNamed ? 'present' : 'put', document }
  })
}

/** The version's newest document, if this binary may be added to it or is in it. */
async function look(lists: ListParts, { made }: BinaryRequest): Promise<StoredDocument<BuiltDocument> | null> {
  const { plan, file } = made
  const { version } = plan
  if ((await findPublication(lists.writer.db, version)) !== undefined) {
    const there = await readTrustedDocument(lists.bucket, version, lists.check)
    if (there === null) throw otherwise(`the release of ${version} was begun here with \`pitlane release\``)
  }
  const before = await readTrustedDocument(lists.bucket, version, lists.check)
  if (before === null) return null
  const document = builtOf(before.document)
  if (document === null) throw otherwise(`${version} was there before Pitlane and is adopted: it stays what it was`)
  const taken = document.files.find(({ target }) => target === file.target)
  if (taken !== undefined && taken.sha256 !== file.sha256)
    throw contradiction(`${lists.bucket.location}/${taken.path}`, taken.sha256, file.sha256)
  if (taken === undefined && document.byHand === undefined)
    throw otherwise(`${version} was released with \`pitlane release\`, whole and tested, and is not extended by hand`)
  requireSameCommit(document, plan)
  return { ...before, document }
}

function otherwise(message: string): PitlaneError {
  return new PitlaneError('RELEASED_OTHERWISE', message, { hint: 'Use another version for what is made by hand.' })
}

function names({ files }: BuiltDocument, { made: { file } }: BinaryRequest): boolean {
  return files.some(({ target, sha256 }) => target === file.target && sha256 === file.sha256)
}

async function isThere({ bucket }: ListParts, { made: { file, signer } }: BinaryRequest): Promise<boolean> {
  if ((await bucket.head(file.path))?.size !== file.size) return false
  const beside = ['.sha256', ...(signer === null ? [] : ['.minisig'])]
  for (const side of beside) if ((await bucket.head(`${file.path}${side}`)) === null) return false
  return true
}

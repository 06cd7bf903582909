/** Each version's own documents and files: all revisions, states and marks, with their signatures. */
import type { ListedObject } from '../../buckets/types.ts'
import { inParallel } from '../../parallel.ts'
import { UNCOUNTED } from '../../run/meter.ts'
import { KEYS } from '../../plan/keys.ts'
import {
  besideFiles,
  type AdoptedFile,
  isAdopted,
  type ReleaseDocument,
  type ReleaseFile,
  revisionOf,
  versionName,
} from '../document.ts'
import { DOCUMENT_LIMIT, parseDocument } from '../documents.ts'
import { Findings, wrong } from '../verify/findings.ts'
import { signedComment } from '../lists/last-serial.ts'
import type { ListParts } from '../lists/list-parts.ts'
import type { PublicKey } from '../keys/public-key.ts'
import { checksums } from '../put-operations.ts'
import { objectsUpTo } from '../retention/contents.ts'
import { listRetired, readMark, type RetiredDocument } from '../retention/retired.ts'
import { followRevisions, type StoredDocument } from '../revisions.ts'
import { parseState } from '../states/state-document.ts'
import { sha256Of } from '../../bytes/digest.ts'
import { STATE_LIMIT } from '../states/states.ts'
import { trustedCommentOf } from '../keys/sign.ts'
import { readSide, verifySigned } from '../verify/verify-document.ts'
import { verifyFileOf } from '../verify/verify-file.ts'
import { Differences } from './difference.ts'

export interface VersionParts {
  readonly lists: Pick<ListParts, 'bucket' | 'name' | 'check' | 'metering'>
  /** Null where nothing is signed. */
  readonly key: PublicKey | null
  /** Whether every file is read. */
  readonly digest: boolean
  /** Milliseconds since 1970. */
  readonly now: number
}

export interface AuditedVersions {
  readonly differences: readonly Difference[]
  /** Documents that are good. */
  readonly stored: readonly StoredDocument[]
  /** Marks that are good, by version. */
  readonly marks: ReadonlyMap<string, RetiredDocument>
  /** Keys that a good document or mark accounts for. */
  readonly known: ReadonlySet<string>
  /** Versions whose document is not good, or the mark beside one: nothing can be said of what else they have. */
  readonly unread: ReadonlySet<string>
  /** Versions whose removal may have begun. */
  readonly leaving: ReadonlySet<string>
}

type Difference = Differences['all'][number]

/** How many versions are looked at at once, and how many files of each. */
const PARALLEL = 8
const FILES = 2
const SUMS_LIMIT = 4 * 1024 * 1024

export async function auditVersions(
  parts: VersionParts,
  objects: ReadonlyMap<string, ListedObject>,
): Promise<AuditedVersions> {
  const marking = new Differences('bucket')
  const { marks, badMarks } = await auditMarks(parts, marking)
  const states = highest(objects, /^state-([1-9][0-9]{0,3})\.json$/)
  const revisions = highest(objects, /^release\.([1-9][0-9]{0,2})\.json$/)
  const versions = [...objects.keys()].flatMap(documentedVersion).toSorted()
  const about = { of: 'versions', doing: 'reading', pieces: versions.length, bytes: 0 } as const
  const audited = await parts.lists.metering(about, (meter) =>
    inParallel(versions, PARALLEL, async (version) => {
      const lastState = states.get(version) ?? 0
      const newest = revisions.get(version) ?? 1
      const one = await auditVersion(parts, objects, marks, { version, lastState, newest })
      meter.piece(0).done()
      return one
    }),
  )
  const known = new Set<string>()
  for (const { keys } of audited) for (const key of keys) known.add(key)
  for (const version of [...marks.keys(), ...badMarks])
    for (const side of ['', '.minisig', '.sig']) known.add(`${KEYS.retired(version)}${side}`)
  for (const { contents } of marks.values()) for (const { key } of contents.objects) known.add(key)
  return {
    differences: [...marking.all, ...audited.flatMap(({ differences }) => differences)],
    stored: audited.flatMap(({ stored }) => (stored === null ? [] : [stored])),
    marks,
    known,
    unread: new Set([
      ...badMarks.filter((version) => objects.has(KEYS.document(version))),
      ...audited.filter(({ stored }) => stored === null).map(({ version }) => version),
    ]),
    leaving: new Set([...marks.values()].filter((mark) => isDue(parts, mark)).map(({ version }) => version)),
  }
}

function documentedVersion(key: string): readonly string[] {
  const [, version = '', name] = key.split('/')
  return name !== undefined && key === KEYS.document(version) && versionName.safeParse(version).success ? [version] : []
}

function isDue({ now }: VersionParts, { removeAfter }: RetiredDocument): boolean {
  return now >= Date.parse(removeAfter)
}

async function auditMarks({ lists }: VersionParts, found: Differences) {
  const { bucket, check } = lists
  const marks = new Map<string, RetiredDocument>()
  const badMarks: string[] = []
  for (const version of (await listRetired(bucket)).versions) {
    const mark = await found.found(KEYS.retired(version), () => readMark(bucket, version, check))
    if (mark === null) badMarks.push(version)
    else marks.set(version, mark)
  }
  return { marks, badMarks }
}

async function auditVersion(
  parts: VersionParts,
  objects: ReadonlyMap<string, ListedObject>,
  marks: ReadonlyMap<string, RetiredDocument>,
  { version, lastState, newest }: { readonly version: string; readonly lastState: number; readonly newest: number },
) {
  const found = new Differences('bucket')
  const revisions: ReleaseDocument[] = []
  const stored = await readChain(parts, found, { version, newest }, revisions)
  if (stored === null) return { version, stored, differences: found.all, keys: [] }
  const { document } = stored
  const keys = objectsUpTo(document, lastState)
  const mark = marks.get(version)
  const isLeaving = mark !== undefined && mark.document === stored.sha256 && isDue(parts, mark)
  // What is on its way out is taken away file by file.
  if (!isLeaving) {
    for (const key of keys) if (!objects.has(key)) found.add(key, 'is missing')
    for (const revision of revisions) await auditSums(parts, found, objects, revision)
    for (let revision = 1; revision <= lastState; revision += 1)
      await auditState(parts, found, objects, { name: document.name, version, revision })
    await inParallel<ReleaseFile | AdoptedFile, void>(document.files, FILES, (file) =>
      auditFile(parts, found, objects, document, file),
    )
  }
  return { version, stored, differences: found.all, keys }
}

/** @param revisions filled with all of them, oldest first */
async function readChain(
  { lists, key }: VersionParts,
  found: Differences,
  { version, newest }: { readonly version: string; readonly newest: number },
  revisions: ReleaseDocument[],
): Promise<StoredDocument | null> {
  const { bucket, name } = lists
  const read = async (path: string) => {
    const bytes = await bucket.read(path, DOCUMENT_LIMIT)
    if (bytes === null) return null
    const document = parseDocument(bytes, path, version)
    if (document.name !== name) throw wrong(`${path} is of the project ${document.name}`)
    // A project that signs believes no document that says it is not signed.
    if (key !== null && document.signing.scheme === 'none') throw wrong(`${path} is not signed`)
    if (key !== null) await verifySigned(bucket, bytes, { name, version, path }, key)
    revisions.push(document)
    return { document, bytes }
  }
  return found.found(KEYS.document(version), () => followRevisions(version, read, async () => newest))
}

/** The highest number among names of each version's folder; those below it have to be there, too. */
function highest(objects: ReadonlyMap<string, ListedObject>, shape: RegExp): ReadonlyMap<string, number> {
  const numbers = new Map<string, number>()
  for (const key of objects.keys()) {
    const [, version = '', name = '', ...rest] = key.split('/')
    const [, digits] = shape.exec(name) ?? []
    if (digits !== undefined && rest.length === 0)
      numbers.set(version, Math.max(numbers.get(version) ?? 0, Number(digits)))
  }
  return numbers
}

async function auditSums(
  { lists: { bucket }, key }: VersionParts,
  found: Differences,
  objects: ReadonlyMap<string, ListedObject>,
  document: ReleaseDocument,
): Promise<void> {
  const { name, version } = document
  const path = KEYS.sums(version, revisionOf(document))
  const expected = checksums(document)
  if (expected === null || !isWhole(objects, path, key)) return
  await found.found(path, async () => {
    const bytes = await bucket.read(path, SUMS_LIMIT)
    if (bytes?.toString('utf8') !== expected) throw wrong(`${path} says something else than its document`)
    if (key !== null) await verifySigned(bucket, bytes, { name, version, path }, key)
  })
}

/** What is missing is told as that, and once. */
function isWhole(objects: ReadonlyMap<string, ListedObject>, path: string, key: PublicKey | null): boolean {
  const sides = key === null ? [''] : ['', '.minisig', '.sig']
  return sides.every((side) => objects.has(`${path}${side}`))
}

async function auditState(
  { lists: { bucket }, key }: VersionParts,
  found: Differences,
  objects: ReadonlyMap<string, ListedObject>,
  { name, version, revision }: { readonly name: string; readonly version: string; readonly revision: number },
): Promise<void> {
  const path = KEYS.state(version, revision)
  if (!isWhole(objects, path, key)) return
  await found.found(path, async () => {
    const bytes = await bucket.read(path, STATE_LIMIT)
    if (bytes === null) throw wrong(`${path} is missing`)
    const state = parseState(bytes, path, { version, revision })
    if (state.name !== name) throw wrong(`${path} is of the project ${state.name}`)
    if (key !== null) await verifySigned(bucket, bytes, { name, version, path }, key)
    const before = revision === 1 ? null : await bucket.read(KEYS.state(version, revision - 1), STATE_LIMIT)
    if (before !== null && state.previous !== sha256Of(before))
      throw wrong(`${path} does not follow ${KEYS.state(version, revision - 1)}`)
  })
}

async function auditFile(
  { lists: { bucket }, key, digest }: VersionParts,
  found: Differences,
  objects: ReadonlyMap<string, ListedObject>,
  document: ReleaseDocument,
  file: ReleaseFile | AdoptedFile,
): Promise<void> {
  const { path, size, sha256 } = file
  const there = objects.get(path)
  if (there === undefined || besideFiles(document).some((side) => !objects.has(`${path}${side}`))) return
  if (there.size !== size) return found.add(path, `has ${there.size} bytes instead of ${size}`)
  if (digest) {
    const findings = new Findings()
    await verifyFileOf({ bucket, key, piece: UNCOUNTED }, document, file, findings)
    for (const problem of findings.problems) found.add(path, problem.replace(`${path} `, ''))
    return
  }
  if (isAdopted(document)) return
  await found.found(`${path}.sha256`, async () => {
    const line = await readSide(bucket, `${path}.sha256`)
    if (line.toString('utf8') !== `${sha256}  ${file.name}\n`)
      throw wrong(`${path}.sha256 says something else than its document`)
  })
  if (key === null || document.signing.scheme === 'none') return
  await found.found(`${path}.minisig`, async () => {
    const where = `${path}.minisig`
    const text = (await readSide(bucket, where)).toString('utf8')
    const { name, version } = document
    // Without the file itself: that the key has signed something under its name.
    if (signedComment(text, where, key) !== trustedCommentOf({ name, version, path }))
      throw wrong(`${where} is no signature of this file by this key`)
  })
}

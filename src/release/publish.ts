/** Walks the publication list: prepares, writes down, performs, proves, and verifies. */
import { readArtifacts, readLayers, readReleaseTests } from '../database/queries/artifacts.ts'
import type { BuildRow } from '../database/queries/builds.ts'
import {
  finishPublication,
  findPublication,
  insertPublication,
  type PublicationRow,
  readOperations,
  reopenOperations,
  replaceOperations,
} from '../database/queries/publications.ts'
import { PitlaneError } from '../errors.ts'
import type { Plan } from '../plan/plan.ts'
import { digestOf } from './digest.ts'
import type { ReleaseDocument } from './document.ts'
import { carryOutEntry, findContradictions, type Journal, journalRows } from './journal.ts'
import { listOperations, readIndex } from './lists.ts'
import { makeMaterials, type Materials } from './materials.ts'
import { unmetObligations } from './obligations.ts'
import { parsePublicKey } from './public-key.ts'
import { type Entry, type Operation, PUBLICATION } from './publication.ts'
import type { ReleaseParts } from './release.ts'
import { verifyRelease } from './verify.ts'

type Promotion = ReleaseDocument['promotion']
type Builder = ReleaseDocument['builder']

/** What is decided once, when the publication is written down. */
interface Fixed {
  readonly publishedAt: number
  readonly builder: Builder
}

export async function publish(parts: ReleaseParts, plan: Plan, build: BuildRow, promotion: Promotion): Promise<void> {
  const publication = await prepare(parts, plan, build, promotion)
  const fixed = { publishedAt: publication.published_at, builder: JSON.parse(publication.builder) as Builder }
  const materials = await materialsOf(parts, plan, build, promotion, fixed)
  const journal: Journal = {
    writer: parts.engine.writer,
    bucket: parts.bucket,
    registry: parts.registry,
    version: plan.version,
    stop: parts.stop.drain,
  }
  for (const entry of PUBLICATION) {
    const operations = materials.operations.filter((operation) => operation.entry === entry.id)
    parts.engine.report({
      event: 'publication',
      version: plan.version,
      entry: entry.title,
      kind: entry.kind,
      state: 'started',
      operations: operations.length,
    })
    const count = await carryOut(parts, journal, entry, { plan, materials, publication })
    parts.engine.report({
      event: 'publication',
      version: plan.version,
      entry: entry.title,
      kind: entry.kind,
      state: 'done',
      operations: count,
    })
  }
  await parts.engine.writer.write((trx) => finishPublication(trx, plan.version))
}

interface Subject {
  readonly plan: Plan
  readonly materials: Materials
  readonly publication: PublicationRow
}

async function carryOut(parts: ReleaseParts, journal: Journal, entry: Entry, subject: Subject): Promise<number> {
  const { plan, materials } = subject
  switch (entry.id) {
    case 'objects':
    case 'manifests':
    case 'image-index':
    case 'documents':
    case 'tags': {
      const operations = materials.operations.filter((operation) => operation.entry === entry.id)
      await carryOutEntry(journal, entry, operations)
      return operations.length
    }
    case 'read-back':
      return readBack(parts, plan.version, materials.operations)
    case 'proof':
      await prove(parts, plan, materials)
      return 0
    case 'lists': {
      const operations = await currentLists(parts, journal, subject)
      await carryOutEntry(journal, entry, operations)
      return operations.length
    }
    case 'verify':
      await verifyAsStranger(parts, plan)
      return 0
  }
}

/** The publication with its date and operations, written down before anything is tried; or the one that was begun. */
async function prepare(
  parts: ReleaseParts,
  plan: Plan,
  build: BuildRow,
  promotion: Promotion,
): Promise<PublicationRow> {
  const { writer, clock } = parts.engine
  const begun = await findPublication(writer.db, plan.version)
  if (begun !== undefined) return begun
  const index = await readIndex(parts.bucket)
  // The clock may have gone back: a release is never dated before the list it is added to.
  const publishedAt = Math.max(
    Math.floor(clock.now() / 1000) * 1000,
    index === null ? 0 : Date.parse(index.generatedAt),
  )
  const builder: Builder = {
    pitlane: parts.pitlaneVersion,
    executor: parts.engine.executor.name,
    isolation: await parts.engine.executor.isolation(),
  }
  const { document, operations } = await materialsOf(parts, plan, build, promotion, { publishedAt, builder })
  requireComplete(plan, document, operations)
  await findContradictions({ bucket: parts.bucket, registry: parts.registry }, operations)
  const publication: PublicationRow = {
    version: plan.version,
    release_build_id: build.id,
    plan_id: plan.id,
    state: 'prepared',
    published_at: publishedAt,
    serial: (index?.serial ?? 0) + 1,
    builder: JSON.stringify(builder),
  }
  await writer.write((trx) => insertPublication(trx, publication, journalRows(operations)))
  return publication
}

async function materialsOf(
  parts: ReleaseParts,
  plan: Plan,
  build: BuildRow,
  promotion: Promotion,
  fixed: Fixed,
): Promise<Materials> {
  const { db } = parts.engine.writer
  const artifacts = await readArtifacts(db, build.id)
  const layers = await readLayers(db, build.id)
  const bodies = new Map<string, Awaited<ReturnType<typeof parts.content.open>>>()
  for (const sha256 of [
    ...artifacts.map((row) => row.sha256),
    ...layers.map((row) => row.digest.slice('sha256:'.length)),
  ]) {
    bodies.set(sha256, await parts.content.open(sha256))
  }
  return makeMaterials({
    plan,
    artifacts,
    layers,
    tests: await readReleaseTests(db, build.id),
    signer: parts.lists.signer,
    ...fixed,
    promotion,
    layout: parts.layout,
    body: (sha256, size) => {
      const body = bodies.get(sha256)
      if (body === undefined || body.size !== size)
        throw new PitlaneError('PLAN_CONTRADICTION', `no stored content ${sha256} of ${size} bytes`)
      return body
    },
  })
}

function requireComplete(plan: Plan, document: ReleaseDocument, operations: readonly Operation[]): void {
  const unmet = unmetObligations(plan, document, operations)
  if (unmet.length === 0) return
  throw new PitlaneError('PLAN_CONTRADICTION', `${plan.version} is not complete:\n  ${unmet.join('\n  ')}`, {
    hint: 'Nothing was published.',
  })
}

/** Reads every object and manifest that was put, whole, through the address readers use. */
async function readBack(parts: ReleaseParts, version: string, operations: readonly Operation[]): Promise<number> {
  try {
    return await readEverything(parts, operations)
  } catch (error) {
    // Written and confirmed, and gone since: without this the journal would go on believing that it is there.
    const entries = [...new Set(operations.map((operation) => operation.entry))].filter((entry) => entry !== 'tags')
    await parts.engine.writer.write((trx) => reopenOperations(trx, version, entries))
    throw error
  }
}

async function readEverything(parts: ReleaseParts, operations: readonly Operation[]): Promise<number> {
  let count = 0
  for (const operation of operations) {
    if (operation.to === 'bucket') {
      const there = await digestOf(await parts.bucket.open(operation.key))
      requireDigest(operation.key, there?.sha256, operation.body.sha256)
    } else if (operation.to === 'manifest') {
      const bytes = await parts.registry?.readManifest(operation.repository, `sha256:${operation.sha256}`)
      requireDigest(operation.repository, bytes ? operation.sha256 : undefined, operation.sha256)
    } else continue
    count += 1
  }
  return count
}

function requireDigest(name: string, there: string | undefined, wanted: string): void {
  if (there === wanted) return
  throw new PitlaneError(
    'STORAGE_FAILED',
    `${name} was written with SHA-256 ${wanted} and reads back as ${there ?? 'absent'}`,
    {
      hint: 'Check the disk, then run the same command again: what is missing is written again.',
    },
  )
}

/** Right before the first visible entry: is it still the commit that was built, and is everything there that was declared? */
async function prove(parts: ReleaseParts, plan: Plan, materials: Materials): Promise<void> {
  const { tag, commit, tree } = plan.source
  if (tag !== null) {
    const now = await parts.repository.tagCommit(tag)
    if (now !== commit) {
      throw new PitlaneError('TAG_MOVED', `tag ${tag} was ${commit} when it was built and is ${now ?? 'gone'} now`, {
        hint: 'Nothing is visible yet. Put the tag back, or release the new commit under a new version.',
      })
    }
  }
  const source = await parts.repository.source(commit)
  if (source.tree !== tree)
    throw new PitlaneError('TAG_MOVED', `commit ${commit} has tree ${source.tree}, and ${tree} was built`)
  requireComplete(plan, materials.document, materials.operations)
}

/**
 * The lists as they have to be now. They were perhaps written down and begun by a run that died: those go on. Where another publication
 * has come in between, they are computed anew with the next serial.
 */
async function currentLists(parts: ReleaseParts, journal: Journal, subject: Subject): Promise<readonly Operation[]> {
  const { version, published_at: publishedAt } = subject.publication
  const serial = (await findPublication(journal.writer.db, version))?.serial ?? subject.publication.serial
  const index = await readIndex(parts.bucket)
  const own = await listOperations(parts.lists, serial, publishedAt)
  const next = own.at(-1)
  const overtaken =
    index !== null &&
    index.serial >= serial &&
    !(next?.to === 'bucket' && (await isThere(parts, next.key, next.body.sha256)))
  const newSerial = overtaken ? index.serial + 1 : serial
  const operations = overtaken
    ? await listOperations(parts.lists, newSerial, Math.max(publishedAt, Date.parse(index.generatedAt)))
    : own
  const rows = journalRows(operations)
  const stored = await readOperations(journal.writer.db, version, 'lists')
  const same =
    stored.length === rows.length &&
    rows.every((row, at) => row.sha256 === stored[at]?.sha256 && row.destination === stored[at]?.destination)
  if (!same) await journal.writer.write((trx) => replaceOperations(trx, version, 'lists', newSerial, rows))
  return operations
}

async function isThere(parts: ReleaseParts, key: string, sha256: string): Promise<boolean> {
  return (await digestOf(await parts.bucket.open(key)))?.sha256 === sha256
}

async function verifyAsStranger(parts: ReleaseParts, plan: Plan): Promise<void> {
  const { signer } = parts.lists
  const result = await verifyRelease({
    bucket: parts.bucket,
    registry: parts.registry,
    version: plan.version,
    key: signer === null ? null : parsePublicKey(signer.publicKey.line, 'the signing key'),
    now: parts.engine.clock.now(),
  })
  if (result.problems.length === 0) return
  throw new PitlaneError(
    'VERIFICATION_FAILED',
    `${plan.version} was published and does not verify:\n  ${result.problems.join('\n  ')}`,
  )
}

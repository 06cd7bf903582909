/** Walks the publication list: prepares, writes down, performs, proves, and verifies. */
import { readArtifacts, readLayers, readReleaseTests } from '../database/queries/artifacts.ts'
import type { BuildRow } from '../database/queries/builds.ts'
import {
  finishPublication,
  findPublication,
  insertPublication,
  type PublicationRow,
  readOperations,
  replaceOperations,
} from '../database/queries/publications.ts'
import { PitlaneError } from '../errors.ts'
import type { Plan } from '../plan/plan.ts'
import { digestOf } from './digest.ts'
import { readDocument } from './documents.ts'
import type { ReleaseDocument } from './document.ts'
import { type Fixed, readFixed, writeFixed } from './fixed.ts'
import { carryOutEntry, findContradictions, type Journal, journalRows } from './journal.ts'
import { listOperations, readIndex } from './lists.ts'
import { makeMaterials, type Materials } from './materials.ts'
import { prove, readBack, requireComplete, verifyAsStranger } from './publication-checks.ts'
import { type Entry, type Operation, PUBLICATION } from './publication.ts'
import type { ReleaseParts } from './release.ts'
import type { SiteIndex } from './site-index.ts'

type Promotion = ReleaseDocument['promotion']

export async function publish(parts: ReleaseParts, plan: Plan, build: BuildRow, promotion: Promotion): Promise<void> {
  const publication = await prepare(parts, plan, build, promotion)
  const materials = await materialsOf(parts, plan, build, readFixed(publication))
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
      return readBack(parts, journal, materials.operations)
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
  const { writer } = parts.engine
  const begun = await findPublication(writer.db, plan.version)
  if (begun !== undefined) return begun
  const index = await readIndex(parts.bucket)
  const fixed = await decide(parts, plan, promotion, index)
  const { document, operations } = await materialsOf(parts, plan, build, fixed)
  requireComplete(plan, document, operations)
  await findContradictions({ bucket: parts.bucket, registry: parts.registry }, operations)
  const serial = (index?.serial ?? 0) + 1
  // A document in the bucket that can't be trusted would stop the lists at the end, with everything else of this release out.
  await listOperations(parts.lists, serial, fixed.publishedAt, index)
  const publication: PublicationRow = {
    version: plan.version,
    release_build_id: build.id,
    plan_id: plan.id,
    state: 'prepared',
    published_at: fixed.publishedAt,
    serial,
    fixed: writeFixed(fixed),
  }
  await writer.write((trx) => insertPublication(trx, publication, journalRows(operations)))
  return publication
}

/**
 * A document of this version that is in the bucket already comes from a publication whose state was lost: what it decided stays decided, and
 * if the same bytes were built, that publication goes on.
 */
async function decide(parts: ReleaseParts, plan: Plan, promotion: Promotion, index: SiteIndex | null): Promise<Fixed> {
  const there = await readDocument(parts.bucket, plan.version)
  if (there !== null) {
    const { publishedAt, builder, promotion: earlier } = there.document
    return { publishedAt: Date.parse(publishedAt), builder, promotion: earlier }
  }
  const { clock, executor } = parts.engine
  return {
    // The clock may have gone back: a release is never dated before the list it is added to.
    publishedAt: Math.max(Math.floor(clock.now() / 1000) * 1000, index === null ? 0 : Date.parse(index.generatedAt)),
    builder: { pitlane: parts.pitlaneVersion, executor: executor.name, isolation: await executor.isolation() },
    promotion,
  }
}

async function materialsOf(parts: ReleaseParts, plan: Plan, build: BuildRow, fixed: Fixed): Promise<Materials> {
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
    layout: parts.layout,
    body: (sha256, size) => {
      const body = bodies.get(sha256)
      if (body === undefined || body.size !== size)
        throw new PitlaneError('PLAN_CONTRADICTION', `no stored content ${sha256} of ${size} bytes`)
      return body
    },
  })
}

/**
 * The lists as they have to be now. They were perhaps written down and begun by a run that died: those go on. Where another publication
 * has come in between, they are computed anew with the next serial.
 */
async function currentLists(parts: ReleaseParts, journal: Journal, subject: Subject): Promise<readonly Operation[]> {
  const { version, published_at: publishedAt } = subject.publication
  const serial = (await findPublication(journal.writer.db, version))?.serial ?? subject.publication.serial
  const index = await readIndex(parts.bucket)
  const own = await listOperations(parts.lists, serial, publishedAt, index)
  const next = own.at(-1)
  const overtaken =
    index !== null &&
    index.serial >= serial &&
    !(next?.to === 'bucket' && (await isThere(parts, next.key, next.body.sha256)))
  const newSerial = overtaken ? index.serial + 1 : serial
  const operations = overtaken
    ? await listOperations(parts.lists, newSerial, Math.max(publishedAt, Date.parse(index.generatedAt)), index)
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

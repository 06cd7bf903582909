/** Walks the publication list: prepares, writes down, performs, proves, and verifies. */
import { readArtifacts, readLayers, readReleaseTests } from '../database/queries/artifacts.ts'
import { readDocumentation } from '../database/queries/documentation.ts'
import type { BuildRow } from '../database/queries/builds.ts'
import {
  finishPublication,
  findPublication,
  insertPublication,
  type PublicationRow,
} from '../database/queries/publications.ts'
import { PitlaneError } from '../errors.ts'
import { ahead } from '../parallel.ts'
import { KEYS } from '../plan/keys.ts'
import type { Plan } from '../plan/plan.ts'
import { type BuiltDocument, isoSeconds } from './document.ts'
import { readTrustedDocument } from './documents.ts'
import { beginChange, type SiteChange } from './documentation/change-site.ts'
import { SITE_ENTRIES } from './documentation/operations.ts'
import { planOwnSite, requireOwnNames } from './documentation/own-site.ts'
import { readSiteNow } from './documentation/read-site.ts'
import { type Fixed, readFixed, writeFixed } from './fixed.ts'
import { carryOutEntry, type Journal, journalRows } from './journal.ts'
import { findContradictions, orStartOver } from './contradictions.ts'
import { putListsOf } from './lists/listing.ts'
import { requireOwnTags } from './lists/floating.ts'
import { listOperations, readSite, releasesOf, type Site, staleKeys } from './lists/lists.ts'
import { makeMaterials, type Materials } from './materials.ts'
import { prove, readBack, requireComplete, verifyAsStranger } from './publication-checks.ts'
import { requireSameOwner } from './owner.ts'
import { requireReleased } from './released.ts'
import { declared } from './presence.ts'
import type { StoredDocument } from './revisions.ts'
import { removeOrphans } from './lists/orphans.ts'
import { type Entry, type Operation, PUBLICATION } from './publication.ts'
import type { ReleaseParts } from './release.ts'
import { untilShown } from './shown.ts'
import { noteDoubt, readStanding, type Standing, UNSIGNED_AHEAD } from './lists/standing.ts'
import { refuseOlderLists } from './lists/older-lists.ts'

type Promotion = BuiltDocument['promotion']

/** While nobody else publishes into the bucket: what is read of its lists stays as it is until they are replaced. */
export function publish(parts: ReleaseParts, plan: Plan, build: BuildRow, promotion: Promotion): Promise<void> {
  return parts.lists.exclusively(() => walk(parts, plan, build, promotion))
}

async function walk(parts: ReleaseParts, plan: Plan, build: BuildRow, promotion: Promotion): Promise<void> {
  const publication = await prepare(parts, plan, build, promotion)
  const materials = await materialsOf(parts, plan, build, readFixed(publication))
  const journal: Journal = {
    writer: parts.engine.writer,
    bucket: parts.bucket,
    registry: parts.registry,
    metering: parts.lists.metering,
    version: plan.version,
    title: `the publication of ${plan.version}`,
    stop: parts.stop.drain,
  }
  const subject: Subject = {
    plan,
    build,
    materials,
    publication,
    readBack: new Map(),
    site: null,
    change: null,
    lists: [],
  }
  for (const entry of PUBLICATION) {
    if (entry.id === 'site-announced') await planSite(parts, journal, subject)
    if (plan.release?.documentation === undefined && SITE_ENTRIES.includes(entry.id)) continue
    const operations = [...materials.operations, ...(subject.change?.operations ?? [])]
    const own = operations.filter((operation) => operation.entry === entry.id)
    parts.engine.report({
      event: 'publication',
      version: plan.version,
      entry: entry.title,
      kind: entry.kind,
      state: 'started',
      operations: own.length,
    })
    const count = await carryOut(parts, journal, entry, subject)
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
  readonly build: BuildRow
  readonly materials: Materials
  readonly publication: PublicationRow
  /** SHA-256 by destination, of this very run; empty before. */
  readBack: ReadonlyMap<string, string>
  /** What lists are computed from; read when everything that they may name is out. */
  site: Site | null
  /** Of the documentation site; null where this release is not the one that it is of. */
  change: SiteChange | null
  /** As they were put; none before. */
  lists: readonly Operation[]
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
    case 'site-announced':
    case 'site-assets':
    case 'site-new-pages':
    case 'site-begun-pages':
    case 'site-pages':
    case 'site-top': {
      const operations = subject.change?.operations.filter((operation) => operation.entry === entry.id) ?? []
      await carryOutEntry(journal, entry, operations)
      return operations.length
    }
    case 'read-back':
      subject.readBack = await readBack(parts, journal, materials.operations)
      return subject.readBack.size
    case 'proof':
      await prove(parts, plan, materials, subject.readBack)
      return 0
    case 'lists':
      subject.lists = await putOwnLists(parts, journal, subject)
      return subject.lists.length
    case 'verify':
      await untilShown(parts, 'the new lists', async () => {
        const out = [...(subject.change?.operations ?? []), ...subject.lists]
        return (await staleKeys(parts.readers, out)).length === 0
      })
      await verifyAsStranger(parts, plan, materials, subject.readBack)
      return 0
  }
}

/** When everything else of the release is out: what the site is to hold depends on what else is there. */
async function planSite({ lists, content, engine }: ReleaseParts, journal: Journal, subject: Subject): Promise<void> {
  const { plan, build } = subject
  const standing = await readStanding(lists)
  noteDoubt(lists, standing)
  await requireSameOwner(lists, standing)
  // Found out meanwhile, and asked for with the lists.
  void ahead(lists.sendsOn?.(standing.index?.stableLinks === true) ?? Promise.resolve(false))
  subject.site = await readSite(lists, standing, 'changes')
  const files = await readDocumentation(engine.writer.db, build.id)
  const open = (sha256: string) => content.open(sha256)
  subject.change = await planOwnSite(lists, subject.site, { plan, files, open })
  // Also where nothing is to be done any more: what a run that died has written down is over then.
  if (plan.release?.documentation !== undefined) await beginChange(journal, subject.change)
}

async function putOwnLists({ lists }: ReleaseParts, journal: Journal, subject: Subject): Promise<readonly Operation[]> {
  const { site, change, publication } = subject
  if (site === null) throw new PitlaneError('INTERNAL', 'lists before the documentation')
  const { bucket, name, check } = lists
  const now = change === null ? site : { ...site, documentation: await readSiteNow(bucket, name, check) }
  return (await putListsOf(lists, journal, now, publication.published_at)).operations
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
  const there = ahead(readTrustedDocument(parts.bucket, plan.version, parts.lists.check))
  const standing = await readStanding(parts.lists)
  const fixed = await decide(parts, plan, promotion, standing, await there)
  const materials = await materialsOf(parts, plan, build, fixed)
  const { operations } = materials
  await requireComplete(parts, plan, materials, declared(operations))
  // A version that was listed once stays what it was, also when its document is gone.
  if (standing.index?.releases.some(({ version }) => version === plan.version) !== true) {
    const removed = await removeOrphans(parts.bucket, plan.version, operations)
    if (removed.length > 0)
      parts.lists.note(`removed what an earlier try had signed and never published: ${removed.join(', ')}`)
  }
  await findContradictions({ bucket: parts.bucket, registry: parts.registry }, operations).catch((error: unknown) => {
    throw standing.index?.releases.some(({ version }) => version === plan.version) === true ? error : orStartOver(error)
  })
  // A document in the bucket that can't be trusted would stop the lists at the end, with everything else of this release out.
  await requireSameOwner(parts.lists, standing)
  await refuseOlderLists(parts.lists, standing)
  // Its own document comes back with it.
  const site = await readSite({ ...parts.lists, without: new Set([plan.version]) }, standing, 'changes')
  listOperations(parts.lists, site, standing.serial + 1, fixed.publishedAt)
  // The same for the documentation.
  await requireOwnNames(parts.lists, site, plan, await readDocumentation(writer.db, build.id))
  const { image } = materials.document
  if (image !== null) await requireOwnTags(parts.registry, image, releasesOf(site), parts.lists.takeTags === true)
  const publication: PublicationRow = {
    version: plan.version,
    release_build_id: build.id,
    plan_id: plan.id,
    state: 'prepared',
    published_at: fixed.publishedAt,
    fixed: writeFixed(fixed),
  }
  await writer.write((trx) => insertPublication(trx, publication, journalRows(operations)))
  return publication
}

/**
 * A document of this version that is in the bucket already comes from a publication whose state was lost: what it decided stays decided, and
 * if the same bytes were built, that publication goes on.
 */
async function decide(
  parts: ReleaseParts,
  plan: Plan,
  promotion: Promotion,
  standing: Standing,
  there: StoredDocument | null,
): Promise<Fixed> {
  const { clock, executor } = parts.engine
  const now = clock.now()
  if (there !== null) {
    const { publishedAt, builder, promotion: earlier } = requireReleased(parts.bucket, there.document)
    const date = Date.parse(publishedAt)
    if (parts.lists.check === null && date > now + UNSIGNED_AHEAD) throw datedAhead(parts, plan, publishedAt, now)
    return { publishedAt: date, builder, promotion: earlier }
  }
  // The clock may have gone back: a release is never dated before the list it is added to.
  const publishedAt = Math.max(Math.floor(now / 1000) * 1000, standing.generatedAt)
  if (publishedAt > now + UNSIGNED_AHEAD)
    parts.lists.note(
      `it is ${isoSeconds(now)} here, and the newest list is of ${isoSeconds(publishedAt)}: ${plan.version} is dated as that list. One of the clocks was wrong.`,
    )
  return {
    publishedAt,
    builder: { pitlane: parts.pitlaneVersion, executor: executor.name, isolation: await executor.isolation() },
    promotion,
  }
}

function datedAhead(parts: ReleaseParts, plan: Plan, date: string, now: number): PitlaneError {
  return new PitlaneError(
    'VERIFICATION_FAILED',
    `${parts.bucket.location}/${KEYS.document(plan.version)} is dated ${date}, it is not signed, and it is ${isoSeconds(now)} here`,
    { hint: 'Set the clock right, or remove the document when it is not yours.' },
  )
}

async function materialsOf(parts: ReleaseParts, plan: Plan, build: BuildRow, fixed: Fixed): Promise<Materials> {
  const { db } = parts.engine.writer
  const artifacts = await readArtifacts(db, build.id)
  const layers = await readLayers(db, build.id)
  const bodies = new Map<string, Awaited<ReturnType<typeof parts.content.open>>>()
  const documentation = await readDocumentation(db, build.id)
  const isKept = plan.release?.documentation?.kept != null
  for (const sha256 of [
    // What is not kept under the version is opened when the site gets it.
    ...(isKept ? documentation.map((row) => row.sha256) : []),
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
    documentation,
    signer: parts.lists.signer,
    ...fixed,
    images: parts.images,
    body: (sha256, size) => {
      const body = bodies.get(sha256)
      if (body === undefined || body.size !== size)
        throw new PitlaneError('PLAN_CONTRADICTION', `no stored content ${sha256} of ${size} bytes`)
      return body
    },
  })
}

/** A publication before anything of it is tried: what it decides, what it will put, that nothing stands in its way; and written down. */
import { readArtifacts, readLayers, readReleaseTests } from '../database/queries/artifacts.ts'
import type { BuildRow } from '../database/queries/builds.ts'
import { readDocumentation } from '../database/queries/documentation.ts'
import { findPublication, insertPublication, type PublicationRow } from '../database/queries/publications.ts'
import { PitlaneError } from '../errors.ts'
import { ahead, atOnce } from '../parallel.ts'
import { KEYS } from '../plan/keys.ts'
import type { Plan } from '../plan/plan.ts'
import { findContradictions, orStartOver } from './contradictions.ts'
import { type BuiltDocument, isoSeconds } from './document.ts'
import { requireOwnNames } from './documentation/own-site.ts'
import { readTrustedDocument } from './documents.ts'
import { type Fixed, readFixed, writeFixed } from './fixed.ts'
import { journalRows } from './journal.ts'
import { requireOwnTags } from './lists/floating.ts'
import { listOperations } from './lists/lists.ts'
import { readSite, releasesOf } from './lists/read-site.ts'
import { refuseOlderLists } from './lists/older-lists.ts'
import { removeOrphans, signaturesOf } from './lists/orphans.ts'
import { readStanding, type Standing, UNSIGNED_AHEAD } from './lists/standing.ts'
import { makeMaterials, type Materials } from './materials.ts'
import { requireSameOwner } from './owner.ts'
import { declared } from './presence.ts'
import { type Operation, operationFacts } from './publication.ts'
import { requireComplete } from './publication-checks.ts'
import type { ReleaseParts } from './release.ts'
import { requireReleased } from './released.ts'
import type { StoredDocument } from './revisions.ts'

export type Promotion = BuiltDocument['promotion']

/** What of it is about to be carried out, and since when. */
export interface Prepared {
  readonly publication: PublicationRow
  readonly materials: Materials
}

/** The publication with its date and operations, written down before anything is tried; or the one that was begun. */
export async function prepare(
  parts: ReleaseParts,
  plan: Plan,
  build: BuildRow,
  promotion: Promotion,
): Promise<Prepared> {
  const { writer } = parts.engine
  // Its own document comes back with it.
  const lists = { ...parts.lists, without: new Set([plan.version]), returning: plan.version }
  const begun = await findPublication(writer.db, plan.version)
  if (begun !== undefined) {
    // What may have been lost since it was begun stops it before its tags, as it would have before anything.
    const [materials] = await atOnce([
      () => materialsOf(parts, plan, build, readFixed(begun)),
      async () => readSite({ ...lists, note: () => undefined }, await readStanding(lists), 'changes'),
    ])
    return { publication: begun, materials }
  }
  const reading = ahead(readTrustedDocument(parts.bucket, plan.version, parts.lists.check))
  const standing = await readStanding(parts.lists)
  const [{ fixed, materials }, site] = await atOnce([
    async () => {
      const there = await reading
      const decided = await decide(parts, plan, promotion, standing, there)
      const made = await materialsOf(parts, plan, build, decided)
      await requireComplete(parts, plan, made, declared(made.operations))
      if (there === null) requireAsListed(parts, standing, made)
      await requireFree(parts, plan.version, made.operations, { standing, isThere: there !== null })
      return { fixed: decided, materials: made }
    },
    // A document in the bucket that can't be trusted would stop the lists at the end, with everything else of this release out.
    () => readSite(lists, standing, 'changes'),
  ])
  listOperations(lists, site, standing.serial + 1, fixed.publishedAt)
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
  await writer.write((trx) => insertPublication(trx, publication, journalRows(materials.operations)))
  return { publication, materials }
}

/**
 * What readers were shown under a version stays what it was, also when its document is lost.
 * @throws PitlaneError `CONTRADICTION`
 */
function requireAsListed(
  { bucket }: ReleaseParts,
  { proven, index }: Standing,
  { document, operations }: Materials,
): void {
  const { version } = document
  const listed = proven ? index?.releases.find((release) => release.version === version) : undefined
  if (listed === undefined) return
  const key = KEYS.document(version)
  const own = operations.map(operationFacts).find(({ destination }) => destination === key)
  if (own === undefined || own.sha256 === listed.document.sha256) return
  throw new PitlaneError(
    'CONTRADICTION',
    `${bucket.location} has lost ${key}, and readers were shown another one\n  shown:  ${listed.document.sha256}\n  here:   ${own.sha256}`,
    {
      hint: `Put ${KEYS.folder(version)} back from a copy, or run the same command where it was published: its state there makes the same bytes. Or release under a new version.`,
    },
  )
}

/** No name is another one's, neither of the release nor of the lists that will name it. */
async function requireFree(
  { bucket, registry, lists }: ReleaseParts,
  version: string,
  operations: readonly Operation[],
  { standing, isThere }: { readonly standing: Standing; readonly isThere: boolean },
): Promise<void> {
  const isListed = standing.index?.releases.some((release) => release.version === version) === true
  // A version that was listed once stays what it was, also when its document is gone.
  const orphans = new Set(isListed || isThere ? [] : signaturesOf(version, operations))
  const others = operations.filter((operation) => !orphans.has(operation))
  await atOnce([
    async () => {
      const removed = await removeOrphans(bucket, [...orphans])
      if (removed.length > 0)
        lists.note(`removed what an earlier try had signed and never published: ${removed.join(', ')}`)
    },
    () =>
      findContradictions({ bucket, registry }, others).catch((error: unknown) => {
        throw isListed ? error : orStartOver(error)
      }),
    () => requireSameOwner(lists, standing),
    () => refuseOlderLists(lists, standing),
  ])
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

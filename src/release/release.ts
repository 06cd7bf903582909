/**
 * From a planned commit to a published release: its green checks, its promotion, the release build, and the publication. Each part is
 * looked for before it is done, so that the same call goes on after anything.
 */
import type { ContentStore } from '../artifact/content.ts'
import { writeLayers } from './layers.ts'
import type { Bucket } from '../buckets/types.ts'
import type { BuildRow } from '../database/queries/builds.ts'
import { findCandidate, findGreenChecks } from '../database/queries/find-builds.ts'
import { findPublication } from '../database/queries/publications.ts'
import { insertPromotion, readPromotion } from '../database/queries/promotions.ts'
import { PitlaneError } from '../errors.ts'
import type { Repository } from '../forges/types.ts'
import type { Registry } from '../image/types.ts'
import type { Event } from '../event/event.ts'
import { publicName } from '../event/promotion.ts'
import { ahead, inParallel } from '../parallel.ts'
import { checksDigest } from '../plan/plan-id.ts'
import { KEYS } from '../plan/keys.ts'
import type { Plan } from '../plan/plan.ts'
import { buildFailure, carryOutBuild } from '../run/build.ts'
import type { EngineParts, StopSignals } from '../run/parts.ts'
import { suspendOthers } from '../run/suspend.ts'
import { readTrustedDocument } from './documents.ts'
import { isSiteBegun } from './documentation/follow.ts'
import { contradiction, orStartOver } from './contradictions.ts'
import { whatLacks } from './lists/listable.ts'
import type { ListParts } from './lists/list-parts.ts'
import { requireSameOwner } from './owner.ts'
import type { ImagePlace } from './materials.ts'
import { rebuildPages } from './lists/rebuild-pages.ts'
import { publish } from './publish.ts'
import { publicationBuild } from './publication-build.ts'
import { requireReleased } from './released.ts'
import { refuseWithdrawn } from './states/refuse-withdrawn.ts'
import type { Readers } from './shown.ts'
import { requireNotRetired } from './retention/retired.ts'
import type { StoredDocument } from './revisions.ts'
import { requireStillThere } from './still-there.ts'
import { settledStanding, type Standing } from './lists/standing.ts'

export interface ReleaseParts {
  readonly engine: EngineParts
  readonly content: ContentStore
  readonly repository: Repository
  readonly bucket: Bucket
  readonly registry: Registry | null
  readonly readers: Readers
  readonly lists: ListParts
  readonly images: ImagePlace
  readonly pitlaneVersion: string
  readonly stop: StopSignals
}

export interface ReleaseRequest {
  readonly plan: Plan
  readonly event: Event
  readonly reason: string | null
  /** The plan is that of a release that was begun, and today it would be another one. */
  readonly inherited: boolean
}

/** Runs the checks of a commit, or finds the build in which they were green. */
export async function greenChecks(
  parts: Pick<ReleaseParts, 'engine' | 'stop'>,
  request: ReleaseRequest,
): Promise<BuildRow> {
  const { plan, event } = request
  const digest = checksDigest(plan)
  const green = await findGreenChecks(parts.engine.writer.db, digest)
  if (green !== undefined) {
    const about = { number: green.number, kind: green.kind, version: plan.version, commit: green.commit_id }
    parts.engine.report({ event: 'build', ...about, state: 'reused' })
    return green
  }
  const build = await carryOutBuild(parts.engine, { kind: 'checks', plan, checksDigest: digest, event }, parts.stop)
  if (build.state !== 'succeeded') throw await buildFailure(parts.engine, build)
  return build
}

export async function release(parts: ReleaseParts, request: ReleaseRequest): Promise<void> {
  const { plan } = request
  const { bucket, readers } = parts
  const served = readers.bucket !== bucket
  const published = {
    event: 'published',
    version: plan.version,
    channel: plan.channel,
    bucket: bucket.location,
    page: `${readers.bucket.location}/${KEYS.page}`,
    public: plan.release?.publish?.public ?? null,
    served,
  } as const
  const digest = checksDigest(plan)
  const green = await findGreenChecks(parts.engine.writer.db, digest)
  await suspendOthers(parts.engine, { checks: green === undefined ? digest : null, release: plan.id })
  const retired = ahead(requireNotRetired(bucket, plan.version, parts.lists.check))
  const document = ahead(readTrustedDocument(bucket, plan.version, parts.lists.check))
  const standing = await settledStanding(parts.lists)
  // Also of a version that is there: with another key or name, nothing of this bucket is this project's.
  await requireSameOwner(parts.lists, standing)
  await retired
  const already = await isPublished(parts, plan, standing, await document)
  if (already) await refuseWithdrawn(parts.lists, plan.version, standing)
  if (already) return parts.engine.report({ ...published, already })
  if (request.inherited) {
    const message = `the release of ${plan.version} has begun, and goes on as it was planned then; \`pitlane plan\` shows what it would be today`
    parts.engine.report({ event: 'note', message })
  }
  await requireWritablePlaces(parts, plan)
  const build = await releaseBuild(parts, request)
  if (plan.release?.image) await writeLayers(parts, plan, build)
  const promotion = await readPromotion(parts.engine.writer.db, build.id)
  await publish(parts, plan, build, {
    actor: publicName(promotion.actor),
    reason: promotion.reason,
    build: promotion.number,
  })
  parts.engine.report({ ...published, already })
}

/** Before anything is built for them. */
async function requireWritablePlaces({ bucket, registry }: ReleaseParts, plan: Plan): Promise<void> {
  const { repository, platforms } = plan.release?.image ?? { repository: '', platforms: [] }
  const repositories = new Set(platforms.length === 0 ? [] : [repository, ...platforms.map((each) => each.repository)])
  const places = [
    () => bucket.requireWritable(),
    ...[...repositories].map((name) => () => registry?.requireWritable(name)),
  ]
  await inParallel(places, places.length, async (require) => require())
}

/** The release build of this plan that is green, or a new one, promoted from green checks. */
async function releaseBuild(parts: ReleaseParts, request: ReleaseRequest): Promise<BuildRow> {
  const { db } = parts.engine.writer
  const { plan, event, reason } = request
  const bound = await publicationBuild(parts, plan)
  if (bound !== null) return bound
  const candidate = await findCandidate(db, plan.id)
  if (candidate?.state === 'succeeded') {
    const lost = await parts.engine.work.lostOutputs(candidate, plan.stages)
    if (lost === null) {
      const about = { number: candidate.number, kind: candidate.kind, version: plan.version }
      parts.engine.report({ event: 'build', ...about, commit: candidate.commit_id, state: 'reused' })
      return candidate
    }
    const message = `build ${candidate.number} can't be released, and a new one begins: ${lost}`
    parts.engine.report({ event: 'note', message })
  }
  const checks = await greenChecks(parts, request)
  const build = await carryOutBuild(
    parts.engine,
    {
      kind: 'release',
      plan,
      checksDigest: checksDigest(plan),
      event,
      also: (trx, row) =>
        insertPromotion(trx, row, {
          buildId: checks.id,
          version: plan.version,
          actor: event.actor,
          reason,
          at: event.at,
        }),
    },
    parts.stop,
  )
  if (build.state !== 'succeeded') throw await buildFailure(parts.engine, build)
  return build
}

/**
 * Whether the version is complete and listed. The bucket is asked, not only the rows: a release made from another machine counts.
 * @throws PitlaneError `CONTRADICTION` when the version is there from another commit
 */
async function isPublished(
  parts: ReleaseParts,
  plan: Plan,
  { index, proven, doubt }: Standing,
  there: StoredDocument | null,
): Promise<boolean> {
  if (there === null) return false
  const document = requireReleased(parts.bucket, there.document)
  if (document.commit !== plan.source.commit) {
    const error = contradiction(
      `${plan.version} in ${parts.bucket.location}`,
      `commit ${document.commit}`,
      `commit ${plan.source.commit}`,
    )
    throw index?.releases.some(({ version }) => version === plan.version) === true ? error : orStartOver(error)
  }
  const publication = await findPublication(parts.engine.writer.db, plan.version)
  if (publication !== undefined && publication.state !== 'published') return false
  const listed = index?.releases.find((candidate) => candidate.version === plan.version)
  const complete = proven || (await whatLacks(parts.lists, there.document)) === null
  if (complete && listed?.document.sha256 === there.sha256) {
    if (await isSiteBegun(parts.lists, document)) {
      // Whoever began it is gone with what it had built.
      if (document.documentation?.kept == null && publication === undefined) return false
      await rebuildPages(parts.lists, parts.stop.drain)
    }
    await requireStillThere(parts.lists, document)
    return true
  }
  if (publication !== undefined) {
    throw new PitlaneError(
      'PLAN_CONTRADICTION',
      `${plan.version} was published, and ${KEYS.index} does not list it with the same document`,
      {
        hint: 'Run `pitlane pages rebuild`: it computes the lists from the documents again.',
      },
    )
  }
  if (index === null && doubt !== null && (await whatLacks(parts.lists, there.document)) === null) {
    throw new PitlaneError(
      'PLAN_CONTRADICTION',
      `${plan.version} is complete, and no ${KEYS.index} that counts lists it`,
      {
        hint: 'Run `pitlane pages rebuild`: it computes the lists from the documents again.',
      },
    )
  }
  // Half published, and the state that began it is gone: what is there goes on if the same bytes are built.
  return false
}

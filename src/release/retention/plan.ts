/**
 * What `pitlane retention` would do: read from the bucket and the registry, decided by the policy, and nothing changed. Deterministic: the
 * same bucket, policy and time give the same plan.
 */
import { PitlaneError } from '../../errors.ts'
import { KEYS } from '../../plan/keys.ts'
import type { Retention } from '../../plan/retention.ts'
import { suggestion } from '../../words/nearest.ts'
import { builtOf, documentationIn, documentedAt, isoSeconds, type ReleaseDocument } from '../document.ts'
import { entriesBelow } from '../documentation/documents.ts'
import { isPage } from '../documentation/kinds.ts'
import { readFiles } from '../documentation/read-site.ts'
import { nameOf } from '../lists/floating.ts'
import { whatLacks } from '../lists/listable.ts'
import { listOperations } from '../lists/lists.ts'
import type { ListParts } from '../lists/list-parts.ts'
import { readSite, releasesOf, type Site } from '../lists/read-site.ts'
import { requireSameOwner } from '../owner.ts'
import { indexIn } from '../lists/pointers.ts'
import { type Contents, listRetired, readRetired, type RetiredDocument } from './retired.ts'
import type { StoredDocument } from '../revisions.ts'
import { noteDoubt, type Standing } from '../lists/standing.ts'
import { isWithdrawn, type States } from '../states/state-document.ts'
import { ImageReader, objectsOf, tagsOf } from './contents.ts'
import { judge, type Verdict } from './policy.ts'
import { reasonOf } from './reasons.ts'
import { requireAbsent } from './stale.ts'
import { countStrays, type Strays } from './strays.ts'

export interface RetentionParts {
  readonly lists: ListParts
  readonly retention: Retention
}

/**
 * - `kept`: listed, and stays
 * - `retire`: leaves the lists now
 * - `retired`: has left them, and waits for its time
 * - `remove`: its time has come
 * - `restore`: had left them, and comes back
 * - `held`: nothing is done with it; `reason` says why
 */
export type Step = 'kept' | 'retire' | 'retired' | 'remove' | 'restore' | 'held'

export interface PlannedVersion {
  readonly version: string
  readonly channel: string
  /** ISO 8601, as all dates here. */
  readonly publishedAt: string
  readonly step: Step
  /** In words: the rule that keeps it, or why it goes. */
  readonly reason: string
  /** Since when nothing keeps it. */
  readonly since: string | null
  /** Before this nothing of it is removed; null where it is not known yet. */
  readonly removeAfter: string | null
  /** What goes with it; null for what stays. */
  readonly contents: Contents | null
  /** The mark that it has in the bucket. */
  readonly mark: RetiredDocument | null
  /** SHA-256 of the release document; null when that is gone already. */
  readonly document: string | null
}

export interface RetentionPlan {
  /** As the page shows them; what has no document any more first. */
  readonly versions: readonly PlannedVersion[]
  /** Versions of which only the signatures of a mark are left. */
  readonly remains: readonly string[]
  readonly strays: Strays
}

/**
 * @param at milliseconds since 1970
 * @throws PitlaneError `CLOCK_WRONG`, `CONFIG_INVALID` for a pin that names nothing, and what reading the lists throws
 */
export async function planRetention(parts: RetentionParts, standing: Standing, at: number): Promise<RetentionPlan> {
  const { lists, retention } = parts
  noteDoubt(lists, standing)
  await requireSameOwner(lists, standing)
  const site = await readSite(lists, standing, 'bucket')
  const listing = await listRetired(lists.bucket)
  const documented = new Set(releasesOf(site).map(({ version }) => version))
  const withDocument = new Set(site.retired.map(({ mark }) => mark.version))
  // What is none was told with the lists.
  const { marks } = await readRetired(lists.bucket, listing, documented, lists.check)
  const loose = marks.filter(({ version }) => !withDocument.has(version))
  requireClock(site, loose, at)
  requirePins(retention, site, loose)
  // Or a pin would keep nothing, as there would be nothing to keep.
  const gone = loose.filter(({ version }) => site.stored.every(({ document }) => document.version !== version))
  await requireAbsent(
    lists,
    gone.map(({ version }) => KEYS.document(version)),
  )
  const verdicts = judge({ retention, now: at, ...(await candidatesOf(lists, site, at, retention.grace)) })
  const reader = lists.registry === null ? null : new ImageReader(lists.registry)
  const versions: PlannedVersion[] = []
  for (const mark of loose) versions.push(withoutDocument(mark, site, at))
  for (const verdict of verdicts) versions.push(await planVersion(parts, site, reader, verdict, at))
  const named = versions.flatMap(({ mark }) => mark?.contents.objects.map(({ key }) => key) ?? [])
  return { versions, remains: listing.remains, strays: await countStrays(lists, site, named) }
}

/**
 * Everything that was published, in the order of the page; what its pointers name, and those that readers see now, and what releases that are
 * withdrawn send people to.
 */
async function candidatesOf(lists: ListParts, site: Site, at: number, grace: number) {
  const { stored, retired, standing, states, documentation, notBefore } = site
  const everything = [...stored, ...retired.map((release) => release.stored)]
  const index = (as: States) => {
    const parts = { stored: everything, retired: [], standing, states: as, lost: [], documentation, stableLinks: false }
    return indexIn(listOperations(lists, parts, standing.serial + 1, Math.max(at, notBefore)))
  }
  // The index puts what is withdrawn behind all others, the page leaves it in its place.
  const { releases } = await index(new Map())
  const { pointers, floating = [] } = await index(states)
  const now = standing.index?.pointers ?? {}
  const growing = new Map(
    everything.flatMap(({ document }): [string, number][] => {
      const byHand = builtOf(document)?.byHand
      if (byHand === undefined || byHand.missing.length === 0) return []
      return [[document.version, Date.parse(byHand.revisedAt) + grace]]
    }),
  )
  const pointed = [...Object.entries(now), ...Object.entries(pointers)].map(([channel, version]): [string, string] => [
    version,
    (channel === 'stable' ? KEYS.latest : KEYS.latestOf(channel)).slice(KEYS.releases.length),
  ])
  return {
    candidates: releases.map(({ version, channel, date: published }) => ({
      version,
      channel,
      publishedAt: Date.parse(published),
      isOffered: !isWithdrawn(states, version),
      growsUntil: isWithdrawn(states, version) ? null : (growing.get(version) ?? null),
    })),
    named: new Map([
      ...successorsOf(states),
      ...[...(standing.index?.floating ?? []), ...floating].flatMap((tag): [string, string][] =>
        tag.version === null ? [] : [[tag.version, nameOf(tag)]],
      ),
      ...pointed,
    ]),
  }
}

/** What people are told to use instead of a release that is withdrawn, with the release. */
function successorsOf(states: States): readonly (readonly [string, string])[] {
  return [...states.values()].flatMap(({ state }) =>
    state.state === 'withdrawn' && state.supersededBy !== null
      ? [[state.supersededBy, `the withdrawn ${state.version}`] as const]
      : [],
  )
}

async function planVersion(
  { lists, retention }: RetentionParts,
  { stored, retired, standing, states, lost }: Site,
  reader: ImageReader | null,
  verdict: Verdict,
  at: number,
): Promise<PlannedVersion> {
  const { version, channel, since, kept } = verdict
  const found = retired.find((release) => release.mark.version === version)
  const own = found?.stored ?? stored.find(({ document }) => document.version === version)
  if (own === undefined) throw new PitlaneError('INTERNAL', `${version} was rendered and not read`)
  const facts = {
    version,
    channel,
    publishedAt: own.document.publishedAt,
    since: since === null ? null : isoSeconds(since),
    reason: reasonOf(verdict, retention),
    mark: found?.mark ?? null,
    document: own.sha256,
  }
  const stays = { contents: null, removeAfter: null }
  if (found === undefined) {
    if (kept !== null) return { ...facts, ...stays, step: 'kept' }
    // Off the lists, nobody could tell any more that it is withdrawn.
    const reason = `${facts.reason}, and its state comes back first`
    if (lost.some(({ state }) => state.version === version)) return { ...facts, ...stays, step: 'held', reason }
    // Its signatures would be written over.
    await requireAbsent(lists, [KEYS.retired(version)])
    const contents = await contentsOf(own.document, states, reader, lists)
    return { ...facts, step: 'retire', removeAfter: null, contents }
  }
  const { mark } = found
  if (kept !== null) {
    const lacks = await whatLacks(lists, own.document)
    if (lacks === null) return { ...facts, ...stays, step: 'restore' }
    const reason = `${facts.reason}, and lacks ${lacks}: its removal had begun`
    return { ...facts, ...stays, step: 'held', reason }
  }
  const waits = { ...facts, contents: mark.contents, removeAfter: mark.removeAfter }
  // Whoever wrote the mark died before the lists: readers see it until now, and its time begins anew.
  if (standing.index?.releases.some((release) => release.version === version) === true)
    return { ...waits, step: 'retire', removeAfter: null }
  return { ...waits, step: at >= Date.parse(mark.removeAfter) ? 'remove' : 'retired' }
}

/** The removal of a version whose document is gone goes on; a mark that speaks of another document than the one that is there does nothing. */
function withoutDocument(mark: RetiredDocument, { stored }: Site, at: number): PlannedVersion {
  const other = stored.find(({ document }) => document.version === mark.version)
  const { version, channel, publishedAt, removeAfter, contents } = mark
  const facts = { version, channel, publishedAt, since: null, mark }
  if (other !== undefined) {
    const reason = `${KEYS.retired(version)} is of another document of it`
    return { ...facts, reason, step: 'held', removeAfter: null, contents: null, document: other.sha256 }
  }
  const step = at >= Date.parse(removeAfter) ? 'remove' : 'retired'
  return { ...facts, reason: mark.reason, step, removeAfter, contents, document: null }
}

async function contentsOf(
  document: ReleaseDocument,
  states: States,
  reader: ImageReader | null,
  { bucket }: ListParts,
): Promise<Contents> {
  const tags = tagsOf(document)
  const images = await reader?.contents(tags)
  const objects: { key: string; size: number }[] = []
  for (const key of objectsOf(document, states)) objects.push({ key, size: (await bucket.head(key))?.size ?? 0 })
  const contents = { tags: [...tags], manifests: [...(images?.manifests ?? [])], blobs: [...(images?.blobs ?? [])] }
  const kept = documentationIn(document)?.kept ?? null
  if (kept === null) return { ...contents, objects }
  const files = entriesBelow(kept, await readFiles(bucket, document))
  // Pages first: what they name is there as long as they are.
  const documentation = files
    .map(({ key, size }) => ({ key, size }))
    .toSorted((a, b) => Number(isPage(b.key)) - Number(isPage(a.key)))
  return { ...contents, objects, documentation }
}

/** An age that is computed from a clock that can't be right would retire what should stay. */
function requireClock(
  { stored, retired, standing, states }: Site,
  loose: readonly RetiredDocument[],
  at: number,
): void {
  const documents: readonly StoredDocument[] = [...stored, ...retired.map((release) => release.stored)]
  const marks = [...loose, ...retired.map(({ mark }) => mark)]
  const dates = [
    ...documents.map(({ document }): [string, string] => [documentedAt(document), `${document.version} was published`]),
    ...[...states.values()].map(({ state }): [string, string] => [
      state.date,
      `the state of ${state.version} was changed`,
    ]),
    ...marks.map(({ retiredAt, version }): [string, string] => [retiredAt, `${version} was retired`]),
    ...(standing.index === null ? [] : [[standing.index.generatedAt, `${KEYS.index} was written`] as [string, string]]),
  ]
  const newest = dates.reduce<[string, string] | null>((a, b) => (a !== null && a[0] >= b[0] ? a : b), null)
  if (newest !== null && at < Math.floor(Date.parse(newest[0]) / 1000) * 1000)
    throw new PitlaneError('CLOCK_WRONG', `it is ${isoSeconds(at)} here, and ${newest[1]} at ${newest[0]}`, {
      hint: 'Nothing was changed: an age would be wrong. Set the clock right.',
    })
  const expires = standing.index?.expiresAt ?? null
  if (expires !== null && at > Date.parse(expires))
    throw new PitlaneError('CLOCK_WRONG', `it is ${isoSeconds(at)} here, and ${KEYS.index} has expired at ${expires}`, {
      hint: 'Nothing was changed. If the clock is right, renew the lists with `pitlane pages rebuild` first.',
    })
}

function requirePins({ pins }: Retention, { stored, retired }: Site, loose: readonly RetiredDocument[]): void {
  const known = [
    ...[...stored, ...retired.map((release) => release.stored)].map(({ document }) => document.version),
    ...loose.map(({ version }) => version),
  ]
  for (const pin of pins) {
    if (known.includes(pin)) continue
    const meant = known.length > 20 ? '' : `: ${suggestion(pin, known)}`
    throw new PitlaneError('CONFIG_INVALID', `retention.pins: there is no release ${pin}${meant}`, {
      hint: 'A pin that names nothing keeps nothing: correct it in pitlane.yaml, or take it out, and commit that.',
    })
  }
}

/**
 * Starting a version over that never became visible: what an earlier try has put is removed, its publication and its build are given up, and the
 * release begins anew. Asked for by name, shown before, refused for whatever anybody may have been told of.
 *
 * Killed anywhere, the same command goes on: what is to be removed is read from the bucket, its rows go last. The document goes first, so that
 * nobody meets one whose files are gone; without the flag, the earlier try puts back what is missing as long as its rows are there.
 */
import { documentationIn, imageIn, type ReleaseDocument } from '../document.ts'
import { readSiteDocuments } from '../documentation/change-site.ts'
import { findPublication, forgetPublication } from '../../database/queries/publications.ts'
import { giveUpBuild, readBuild } from '../../database/queries/find-builds.ts'
import { PitlaneError } from '../../errors.ts'
import { KEYS } from '../../plan/keys.ts'
import type { Plan } from '../../plan/plan.ts'
import { TARGETS } from '../../plan/targets.ts'
import { readTrustedDocument } from '../documents.ts'
import { projectChanged, requireSameOwner } from '../owner.ts'
import type { ReleaseParts } from '../release.ts'
import { settledStanding } from '../lists/standing.ts'
import { whatShows } from './visible.ts'

export interface StartOver {
  readonly version: string
  /** Keys that go, in that order. */
  readonly objects: readonly string[]
  /** Keys where only this version has any, and that no release of it puts there: they stay. */
  readonly foreign: readonly string[]
  /** Number of the build whose publication was begun here; null where none was. */
  readonly build: number | null
  /** Whether it has images: what was pushed of them by digest stays, and nothing names it. */
  readonly images: boolean
  /** The public address of a bucket that is a folder: nobody has looked there. */
  readonly unasked: string | null
}

/** The place of kept documentation: after everything else. */
const KEPT = 10_000

/** Shown what would be done; false stops it. */
export type Agree = (shown: StartOver) => Promise<boolean>

/**
 * @returns what was done, null when there was nothing to start over, `declined` when that was not wanted
 * @throws PitlaneError `VISIBLE`
 */
export async function startOver(parts: ReleaseParts, plan: Plan, agree: Agree): Promise<StartOver | 'declined' | null> {
  const shown = await consider(parts, plan)
  if (shown.objects.length === 0 && shown.build === null) return null
  if (!(await agree(shown))) return 'declined'
  return parts.lists.exclusively(async () => {
    const now = await consider(parts, plan, false)
    if (JSON.stringify(now) !== JSON.stringify(shown))
      throw new PitlaneError('PLAN_CONTRADICTION', `what there is of ${plan.version} has changed since it was shown`, {
        hint: 'Is somebody else publishing it? Nothing was removed: look at it again.',
      })
    for (const key of now.objects) {
      if (parts.stop.drain.aborted)
        throw new PitlaneError('INTERRUPTED', `starting ${plan.version} over was stopped`, {
          hint: 'Run the same command again: it goes on where it was.',
        })
      await parts.bucket.delete(key)
    }
    const { writer } = parts.engine
    const publication = await findPublication(writer.db, plan.version)
    if (publication !== undefined)
      await writer.write(async (trx) => {
        await giveUpBuild(trx, publication.release_build_id)
        await forgetPublication(trx, plan.version)
      })
    return now
  })
}

/** @param settle false for one who keeps others from publishing meanwhile */
async function consider(parts: ReleaseParts, plan: Plan, settle = true): Promise<StartOver> {
  const { bucket, engine, lists } = parts
  const { version } = plan
  if (settle) await requireSameOwner(lists, await settledStanding(lists))
  // One that the project has not signed is nothing of its own: that stops the work.
  const document = (await readTrustedDocument(bucket, version, lists.check))?.document ?? null
  if (document !== null && document.name !== plan.project) throw projectChanged(bucket, document.name, plan.project)
  const why = await whatShows(parts, plan, document)
  if (why !== null)
    throw new PitlaneError('VISIBLE', `${version} can't be started over: ${why}`, {
      hint: 'What people may have seen never gets other bytes. Release under a new version.',
    })
  const publication = await findPublication(engine.writer.db, version)
  const keys: string[] = []
  for await (const { key } of bucket.list(KEYS.folder(version))) keys.push(key)
  const placed = [
    ...keys.map((key) => ({ key, place: placeOf(key.slice(KEYS.folder(version).length)) })),
    ...(await keptDocumentation(lists, plan, document)),
  ]
  return {
    version,
    objects: placed
      .filter(({ place }) => place !== null)
      .toSorted((a, b) => (a.place ?? 0) - (b.place ?? 0))
      .map(({ key }) => key),
    foreign: placed.filter(({ place }) => place === null).map(({ key }) => key),
    build: publication === undefined ? null : (await readBuild(engine.writer.db, publication.release_build_id)).number,
    images: plan.release?.image != null || (document !== null && imageIn(document) !== null),
    unasked: parts.readers.bucket === bucket ? (plan.release?.publish?.public ?? null) : null,
  }
}

/**
 * What lies where documentation of the version is kept, which is for that alone; what the site names there is of the site, and stays.
 * Last of all: whoever finds the release without its flag again puts back what is gone.
 */
async function keptDocumentation(
  lists: ReleaseParts['lists'],
  { release }: Plan,
  document: ReleaseDocument | null,
): Promise<readonly { readonly key: string; readonly place: number | null }[]> {
  const recorded = document === null ? undefined : documentationIn(document)
  const folders = new Set([release?.documentation?.kept, recorded?.kept].filter((kept) => kept != null))
  if (folders.size === 0) return []
  const { now, next } = await readSiteDocuments(lists)
  const site = new Set(
    [now, next].flatMap((one) => [...(one?.files ?? []), ...(one?.leaving ?? [])]).map(({ key }) => key),
  )
  const found: { key: string; place: number | null }[] = []
  for (const folder of folders)
    for await (const { key } of lists.bucket.list(folder)) found.push({ key, place: site.has(key) ? null : KEPT })
  return found
}

/** In which place an object goes: documents first, and of those the first revision; null for what no release puts there. */
export function placeOf(name: string): number | null {
  const [, what, revision = '1', side] =
    /^(release|SHA256SUMS)(?:\.([1-9][0-9]{0,2}))?(?:\.json)?(\.minisig|\.sig)?$/.exec(name) ?? []
  if (/^documentation\.json(\.minisig|\.sig)?$/.test(name)) return name.endsWith('.json') ? 1999 : 3999
  if (what !== undefined && name.startsWith('release') === name.includes('.json'))
    return (side === undefined ? 0 : 2000) + (what === 'release' ? 0 : 1000) + Number(revision)
  const [target, file, ...rest] = name.split('/')
  const isBinary = TARGETS.some(({ triple }) => triple === target) && file !== undefined && rest.length === 0
  return isBinary ? 9000 : null
}

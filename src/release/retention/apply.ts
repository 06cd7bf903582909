/**
 * Carries a plan out, while nobody else publishes: marks of what comes back are taken away, what goes is marked, the lists follow, and only
 * then is removed what left them a grace time ago. Everything that is still to do can be read from the bucket at every moment, so that
 * the same command goes on after anything, also from another clone.
 */
import { PitlaneError } from '../../errors.ts'
import { KEYS } from '../../plan/keys.ts'
import { signedComment } from '../lists/last-serial.ts'
import type { ListParts } from '../lists/list-parts.ts'
import { parsePublicKey } from '../keys/public-key.ts'
import { refreshPages } from '../lists/rebuild-pages.ts'
import { readMark } from './retired.ts'
import { trustedCommentOf } from '../keys/sign.ts'
import { readStanding } from '../lists/standing.ts'
import { SIDE_LIMIT } from '../verify/verify-document.ts'
import { putMark, removeMark } from './mark.ts'
import { planRetention, type PlannedVersion, type RetentionParts, type RetentionPlan } from './plan.ts'
import { type Left, removeVersions } from './remove.ts'

export interface Applied {
  readonly plan: RetentionPlan
  readonly restored: readonly string[]
  readonly retired: readonly string[]
  readonly removed: readonly string[]
  /** Images that the registry does not delete: their versions are gone but for them, and stay marked. */
  readonly left: readonly Left[]
}

/** Called before anything is changed. */
export type Shown = (plan: RetentionPlan) => void

export async function applyRetention(parts: RetentionParts, stop: AbortSignal, show: Shown): Promise<Applied> {
  return parts.lists.exclusively(() => walk(parts, stop, show))
}

async function walk(parts: RetentionParts, stop: AbortSignal, show: Shown): Promise<Applied> {
  const { lists, retention } = parts
  const at = lists.clock.now()
  const plan = await planRetention(parts, await readStanding(lists), at)
  show(plan)
  const of = (step: PlannedVersion['step']) => plan.versions.filter((version) => version.step === step)
  const [restored, retired, due] = [of('restore'), of('retire'), of('remove')]
  for (const { version } of restored) {
    goOn(stop)
    await removeMark(lists, version)
  }
  for (const version of retired) {
    goOn(stop)
    // One that the lists have not followed yet is dated anew. Without it the version is listed, as it is by the lists.
    if (version.mark !== null) await removeMark(lists, version.version)
    await putMark(lists, version, at, at + retention.grace)
  }
  await refreshPages(lists, stop)
  await requireUnlisted(lists, due)
  const { removed, left } = await removeVersions(lists, plan, due, () => goOn(stop))
  for (const version of plan.remains) await removeRemains(lists, version)
  // As long as its files were there, install.sh knew that it is withdrawn.
  if (due.some(hasState)) await refreshPages(lists, stop)
  const names = (versions: readonly PlannedVersion[]) => versions.map(({ version }) => version)
  return { plan, restored: names(restored), retired: names(retired), removed, left }
}

function hasState({ version, contents }: PlannedVersion): boolean {
  return contents?.objects.some(({ key }) => key.startsWith(KEYS.states(version))) === true
}

function goOn(stop: AbortSignal): void {
  if (!stop.aborted) return
  throw new PitlaneError('INTERRUPTED', 'the retention was stopped before it was complete', {
    hint: 'Nothing is half visible. Run the same command again: it goes on where it was.',
  })
}

/** Only where the project's key has signed that there was a mark. */
async function removeRemains(lists: ListParts, version: string): Promise<void> {
  const { bucket, signer, name, check } = lists
  const key = KEYS.retired(version)
  const where = `${key}.minisig`
  const text = await bucket.read(where, SIDE_LIMIT)
  if (text === null || signer === null || (await readMark(bucket, version, check)) !== null) return
  const publicKey = parsePublicKey(signer.publicKey.line, 'the signing key')
  if (signedComment(text.toString('utf8'), where, publicKey) !== trustedCommentOf({ name, version, path: key })) return
  await removeMark(lists, version)
}

/** Nobody may still be led to what is removed now. */
async function requireUnlisted(lists: ListParts, due: readonly PlannedVersion[]): Promise<void> {
  if (due.length === 0) return
  const { index } = await readStanding(lists)
  const listed = new Set(index?.releases.map(({ version }) => version))
  const still = due.find(({ version }) => listed.has(version))
  if (index !== null && still === undefined) return
  throw new PitlaneError(
    'PLAN_CONTRADICTION',
    `${KEYS.index} ${still === undefined ? 'is gone' : `lists ${still.version} again`}`,
    {
      hint: 'Does somebody else publish there? Nothing was removed: run the same command again.',
    },
  )
}

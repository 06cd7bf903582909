/** "Back to the previous good one": the version that a channel points to is withdrawn, and the one before it takes its place. */
import { PitlaneError } from '../../errors.ts'
import { suggestion } from '../../words/nearest.ts'
import type { Decide } from './change-state.ts'
import type { ListParts } from '../lists/list-parts.ts'
import type { Site } from '../lists/read-site.ts'
import { pointersOf } from '../lists/pointers.ts'
import { isWithdrawn, type StateDocument, type States } from './state-document.ts'

/**
 * One that was cut off is ended and not begun a second time: as long as readers are pointed to a version that is withdrawn, that one is meant.
 * @param reason null says what it was rolled back to
 * @throws PitlaneError `NOT_FOUND` when there is no such channel, or nothing in it to go back to
 */
export function rollback(parts: ListParts, channel: string, reason: string | null, actor: string): Decide {
  return async (site, begun) => {
    const current = await currentOf(parts, site, channel, begun)
    const base = { version: current, state: 'withdrawn', amend: false, actor } as const
    const known = site.states.get(current)?.state
    if (known?.state === 'withdrawn') return { ...base, reason: known.reason, supersededBy: known.supersededBy }
    const previous = (await pointersOf(parts, withdrawn(site, current)))[channel]
    if (previous === undefined) {
      throw new PitlaneError('NOT_FOUND', `the channel ${channel} has nothing before ${current} to go back to`, {
        hint: `To leave it without a release: \`pitlane releases withdraw ${current}\`.`,
      })
    }
    return { ...base, reason: reason ?? 'Rolled back to the release before it', supersededBy: previous }
  }
}

async function currentOf(parts: ListParts, site: Site, channel: string, begun: StateDocument | null): Promise<string> {
  const versions = new Set(
    site.stored.filter(({ document }) => document.channel === channel).map(({ document }) => document.version),
  )
  if (versions.size === 0) {
    const known = [...new Set(site.stored.map(({ document }) => document.channel))].sort()
    throw new PitlaneError('NOT_FOUND', `no release is of the channel ${channel}; ${suggestion(channel, known)}`, {
      hint: 'See `pitlane releases list`.',
    })
  }
  if (begun !== null && begun.state === 'withdrawn' && versions.has(begun.version)) return begun.version
  const { index, doubt } = site.standing
  if (index === null && doubt !== null) {
    throw new PitlaneError(
      'VERIFICATION_FAILED',
      `which release of ${channel} readers are pointed to can't be told: ${doubt}`,
      {
        hint: 'Perhaps a rollback was cut off. Run `pitlane pages rebuild`, see `pitlane releases list`, and then decide.',
      },
    )
  }
  const shown = index?.pointers[channel]
  if (shown !== undefined && versions.has(shown) && isWithdrawn(site.states, shown)) return shown
  const current = (await pointersOf(parts, site))[channel]
  if (current !== undefined) return current
  const isLacking = [...versions].some((version) => !isWithdrawn(site.states, version))
  const rest = isLacking ? ', or lacks targets' : ''
  throw new PitlaneError('NOT_FOUND', `everything of the channel ${channel} is withdrawn${rest}`, {
    hint: 'Put a release back with `pitlane releases restore`, or publish a new one.',
  })
}

/** As if it were; only to see what the pointers would be. */
function withdrawn(site: Site, version: string): Site {
  const name = site.stored[0]?.document.name ?? ''
  const date = '1970-01-01T00:00:00Z'
  const state: StateDocument = {
    format: 'pitlane-state/1',
    name,
    version,
    revision: 1,
    previous: null,
    state: 'withdrawn',
    since: date,
    date,
    reason: 'to see',
    supersededBy: null,
    actor: '',
  }
  const states: States = new Map(site.states).set(version, { state, sha256: '0'.repeat(64) })
  return { ...site, states }
}

/** What a request makes of a release's state. Pure: nothing is read and nothing is written. */
import { sha256Of } from '../../bytes/digest.ts'
import { PitlaneError } from '../../errors.ts'
import { suggestion } from '../../words/nearest.ts'
import { documentedAt, isoSeconds, type ReleaseDocument } from '../document.ts'
import type { ListParts } from '../lists/list-parts.ts'
import type { Site } from '../lists/read-site.ts'
import {
  encodeState,
  isWithdrawn,
  MAX_REVISION,
  type StateDocument,
  type StoredState,
  stateWords,
} from './state-document.ts'

export interface StateRequest {
  readonly version: string
  readonly state: StateDocument['state']
  /** See `checkReason`. Null keeps the one that stands there. */
  readonly reason: string | null
  /** Null names none, or keeps the one that stands there. */
  readonly supersededBy: string | null
  /** Whether a release that is withdrawn may get another reason. */
  readonly amend: boolean
  /** Public name of whoever asks. */
  readonly actor: string
}

type Parts = Pick<ListParts, 'clock' | 'note' | 'bucket'>

/**
 * Null when it is so already.
 * @param begun the change that was begun and has not ended: when it is this one, it goes on as it was written down
 */
export function nextState(
  parts: Parts,
  site: Site,
  begun: StateDocument | null,
  request: StateRequest,
): StoredState | null {
  const release = releaseOf(parts, site, request.version)
  const current = site.states.get(request.version) ?? null
  const asked = { ...wanted(current, request), supersededBy: successorOf(parts, site, request, current) }
  if (begun !== null && begun.version === request.version && isSame(begun, asked)) {
    const stored = { state: begun, sha256: sha256Of(encodeState(begun)) }
    const follows = begun.revision === (current?.state.revision ?? 0) + 1
    if (follows || current?.sha256 === stored.sha256) return stored
  }
  if (current === null ? request.state === 'published' : isSame(current.state, asked)) return null
  if (current?.state.state === request.state && request.state === 'published') return null
  return made(parts, site, release, current, { ...request, ...asked })
}

function isSame(state: StateDocument, asked: Pick<StateDocument, 'state' | 'reason' | 'supersededBy'>): boolean {
  return state.state === asked.state && state.reason === asked.reason && state.supersededBy === asked.supersededBy
}

/** Throws `WITHDRAWN` when it is, for another reason. */
function wanted(current: StoredState | null, request: StateRequest): Pick<StateDocument, 'state' | 'reason'> {
  const { state, version, amend } = request
  const holds = current?.state.state === state ? current.state : null
  const reason = request.reason ?? holds?.reason ?? null
  if (reason === null) {
    throw new PitlaneError(
      'USAGE',
      `${version} can't be ${state === 'withdrawn' ? 'withdrawn' : 'restored'} without a reason`,
      {
        hint: 'Say it with --reason, for those who read the release page.',
      },
    )
  }
  if (holds !== null && state === 'withdrawn' && reason !== holds.reason && !amend) {
    throw new PitlaneError('WITHDRAWN', `${version} is ${stateWords(holds)}`, {
      hint: 'To change the reason, add --amend. To put the release back: `pitlane releases restore`.',
    })
  }
  return { state, reason }
}

function releaseOf({ bucket }: Parts, { stored }: Site, version: string): ReleaseDocument {
  const found = stored.find(({ document }) => document.version === version)
  if (found !== undefined) return found.document
  const known = stored.map(({ document }) => document.version)
  throw new PitlaneError(
    'NOT_FOUND',
    `${bucket.location} lists no release ${version}; ${suggestion(version, known.slice(-20))}`,
    { hint: 'See `pitlane releases list`.' },
  )
}

function successorOf(
  parts: Parts,
  site: Site,
  { version, state, supersededBy }: StateRequest,
  current: StoredState | null,
): string | null {
  if (state === 'published') return null
  if (supersededBy === null) return current?.state.state === 'withdrawn' ? current.state.supersededBy : null
  if (supersededBy === version) {
    throw new PitlaneError('USAGE', `${version} can't be superseded by itself`, {
      hint: 'Name the version that people should use instead, or leave --superseded-by out.',
    })
  }
  const successor = releaseOf(parts, site, supersededBy)
  const its = site.states.get(supersededBy)
  if (its !== undefined && isWithdrawn(site.states, supersededBy)) {
    throw new PitlaneError('WITHDRAWN', `${supersededBy} can't supersede ${version}: it is ${stateWords(its.state)}`, {
      hint: 'Name a version that people can use, or leave --superseded-by out.',
    })
  }
  const channel = releaseOf(parts, site, version).channel
  if (successor.channel !== channel)
    parts.note(`${version} is of the channel ${channel}, and its successor ${supersededBy} of ${successor.channel}`)
  return supersededBy
}

function made(
  { clock }: Parts,
  { standing }: Site,
  release: ReleaseDocument,
  current: StoredState | null,
  asked: Pick<StateDocument, 'state' | 'reason' | 'supersededBy' | 'actor'>,
): StoredState {
  const { name, version } = release
  const documented = documentedAt(release)
  const revision = (current?.state.revision ?? 0) + 1
  if (revision > MAX_REVISION) {
    throw new PitlaneError('USAGE', `the state of ${version} was changed ${MAX_REVISION} times`, {
      hint: 'Release under a new version.',
    })
  }
  // Clocks may go back; what follows something is not dated before it.
  const earlier = [documented, current?.state.date ?? documented].map((date) => Date.parse(date))
  const date = isoSeconds(Math.max(clock.now(), standing.generatedAt, ...earlier))
  const { state, reason, supersededBy, actor } = asked
  const document: StateDocument = {
    format: 'pitlane-state/1',
    name,
    version,
    revision,
    previous: current?.sha256 ?? null,
    state,
    since: current?.state.state === state ? current.state.since : date,
    date,
    reason,
    supersededBy,
    actor,
  }
  return { state: document, sha256: sha256Of(encodeState(document)) }
}

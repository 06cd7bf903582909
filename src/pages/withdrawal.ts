/** What pages, feeds and `install.sh` say of a release that is withdrawn. */
import type { Catalogue } from './catalogue.ts'
import { humanDate, plainLine } from './text.ts'

export interface Withdrawal {
  /** ISO 8601. */
  readonly since: string
  /** Ends like a sentence. */
  readonly reason: string
  /** What to use instead: the version that was named, or what came in its place when that was withdrawn as well. */
  readonly successor: string | null
}

/** Null for a release that is not withdrawn. */
export function withdrawalOf({ states }: Pick<Catalogue, 'states'>, version: string): Withdrawal | null {
  const seen = new Set<string>()
  let successor: string | null = version
  while (successor !== null && states.get(successor)?.state.state === 'withdrawn') {
    // A circle leads nowhere.
    if (seen.has(successor)) successor = null
    else {
      seen.add(successor)
      successor = states.get(successor)?.state.supersededBy ?? null
    }
  }
  const state = states.get(version)?.state
  return state?.state === 'withdrawn'
    ? { since: state.since, reason: sentence(plainLine(state.reason)), successor }
    : null
}

/** `Withdrawn on 24 November 2026: loses data. Use v1.2.1 instead.` */
export function withdrawalSentence({ since, reason, successor }: Withdrawal): string {
  return `Withdrawn on ${humanDate(since)}: ${reason}${successor === null ? '' : ` Use ${successor} instead.`}`
}

function sentence(text: string): string {
  return /[.!?…]$/.test(text) ? text : `${text}.`
}

/**
 * Which versions stay and which may go. Pure: the same releases, policy and time give the same answer, in the same order.
 *
 * What is retired already is looked at with the others: it has its place in their order, and comes back when it is kept now.
 */
import type { Retention } from '../../plan/retention.ts'
import { lineOf } from '../../plan/version.ts'

export interface Candidate {
  readonly version: string
  readonly channel: string
  /** Milliseconds since 1970. */
  readonly publishedAt: number
  /** False for what is withdrawn: it takes no place from others, and is no line's newest while the line has another. */
  readonly isOffered: boolean
  /** Milliseconds since 1970: until then what it lacks may still come; null for what is whole. */
  readonly growsUntil: number | null
}

export interface PolicyInput {
  readonly retention: Retention
  /** Newest first within each channel, as the page shows them. */
  readonly candidates: readonly Candidate[]
  /** Versions that something names, with what does: `latest`. They stay. */
  readonly named: ReadonlyMap<string, string>
  /** Milliseconds since 1970. */
  readonly now: number
}

/** Why a version stays; the first that holds. */
export type Kept =
  | { readonly by: 'no-policy' }
  | { readonly by: 'pin' }
  /** `name`: what names it. */
  | { readonly by: 'named'; readonly name: string }
  | { readonly by: 'line'; readonly line: string }
  /** `place`: 1 for the newest. */
  | { readonly by: 'keep'; readonly place: number; readonly keep: number }
  /** Milliseconds since 1970. */
  | { readonly by: 'for'; readonly until: number }
  | { readonly by: 'growing'; readonly until: number }

export interface Verdict extends Candidate {
  /** Null when it may go. */
  readonly kept: Kept | null
  /** Of its channel, 1 for the newest; of what is offered, when it is offered itself. */
  readonly place: number
  /** Since when nothing keeps it, milliseconds since 1970; null while something does. */
  readonly since: number | null
}

export function judge({ retention, candidates, named, now }: PolicyInput): readonly Verdict[] {
  const pins = new Set(retention.pins)
  const channels = new Map<string, { readonly all: Newer; readonly offered: Newer }>()
  return candidates.map((candidate): Verdict => {
    const { version, channel, publishedAt, isOffered, growsUntil } = candidate
    const before = channels.get(channel) ?? { all: new Newer(), offered: new Newer() }
    channels.set(channel, before)
    const newer = isOffered ? before.offered : before.all
    const place = newer.dates.length + 1
    const line = lineOf(version)
    const inLine = line === null ? null : (newer.lines.get(line) ?? null)
    const policy = retention.channels.get(channel)
    const kept = (): Kept | null => {
      if (policy === undefined) return { by: 'no-policy' }
      if (pins.has(version)) return { by: 'pin' }
      const name = named.get(version)
      if (name !== undefined) return { by: 'named', name }
      if (line !== null && inLine === null) return { by: 'line', line }
      if (policy.keep !== null && place <= policy.keep) return { by: 'keep', place, keep: policy.keep }
      const until = publishedAt + (policy.for ?? 0)
      if (policy.for !== null && until > now) return { by: 'for', until }
      return growsUntil !== null && growsUntil > now ? { by: 'growing', until: growsUntil } : null
    }
    const why = kept()
    // The rules let go of it one after the other: the last of them counts.
    const since = Math.max(
      publishedAt + (policy?.for ?? 0),
      newer.dates[(policy?.keep ?? 1) - 1] ?? publishedAt,
      inLine ?? publishedAt,
      growsUntil ?? publishedAt,
    )
    before.all.add(publishedAt, line)
    if (isOffered) before.offered.add(publishedAt, line)
    return { ...candidate, place, kept: why, since: why === null ? since : null }
  })
}

/** What came before a version in the order of its channel. */
class Newer {
  /** When they were published, in the order of time. */
  readonly dates: number[] = []
  /** By line, when the first of them was published. */
  readonly lines = new Map<string, number>()

  add(publishedAt: number, line: string | null): void {
    const later = this.dates.findIndex((date) => date > publishedAt)
    this.dates.splice(later === -1 ? this.dates.length : later, 0, publishedAt)
    if (line !== null) this.lines.set(line, Math.min(publishedAt, this.lines.get(line) ?? publishedAt))
  }
}

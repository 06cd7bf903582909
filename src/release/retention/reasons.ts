/** Verdicts in words. */
import type { ChannelPolicy, Retention } from '../../plan/retention.ts'
import { isoSeconds } from '../document.ts'
import type { Verdict } from './policy.ts'

const DAY = 86_400_000

export function reasonOf({ kept, channel, place }: Verdict, { channels }: Retention): string {
  const policy = channels.get(channel)
  switch (kept?.by) {
    case 'no-policy':
      return `${channel} has no policy`
    case 'pin':
      return 'pinned'
    case 'named':
      return `${kept.name} names it`
    case 'line':
      return `newest of ${kept.line}`
    case 'keep':
      return `number ${kept.place}, with keep: ${kept.keep}`
    case 'for':
      return `kept until ${isoSeconds(kept.until).slice(0, 10)}`
    case 'growing':
      return `lacks targets, which may still come until ${isoSeconds(kept.until)}`
    case undefined:
      return policy === undefined ? '' : goesBy(policy, place)
  }
}

function goesBy(policy: ChannelPolicy, place: number): string {
  return [
    ...(policy.keep === null ? [] : [`number ${place}, with keep: ${policy.keep}`]),
    ...(policy.for === null ? [] : [`older than ${policy.for / DAY}d`]),
  ].join('; ')
}

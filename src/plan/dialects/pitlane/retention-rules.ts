/** What `retention` has to mean beside the rest of the file. */
import { DEFAULT_CHANNELS, DEVELOPMENT } from '../../channel.ts'
import { suggestion } from '../../../words/nearest.ts'
import type { ChannelPolicy, Retention } from '../../retention.ts'
import { parseDays } from '../../duration.ts'
import type { Path, Problem } from './problems.ts'
import type { PitlaneFile } from './schema.ts'

type Written = NonNullable<PitlaneFile['retention']>

const problem = (path: Path, message: string, at: Problem['at'] = 'value'): Problem => ({ path, at, message })

/**
 * @param channels as the file declares them; null when that part could not be read
 * @param release whether there is one
 */
export function retentionRules(
  retention: Written,
  channels: PitlaneFile['channels'] | null,
  release: boolean,
): readonly Problem[] {
  const problems: Problem[] = []
  if (!release)
    problems.push(problem(['retention'], 'retention: there is no release that would be kept or removed', 'key'))
  const declared = channels === undefined ? DEFAULT_CHANNELS.map(({ name }) => name) : Object.keys(channels ?? {})
  const known = [...declared, DEVELOPMENT]
  for (const [channel, policy] of policies(retention)) {
    const path = ['retention', channel]
    if (channels !== null && !known.includes(channel)) {
      const meant = suggestion(channel, [...known, 'pins', 'grace'])
      problems.push(problem(path, `retention: there is no channel "${channel}": ${meant}`, 'key'))
    }
    if (policy.keep === undefined && policy.for === undefined)
      problems.push(problem(path, `retention.${channel}: expected keep, for, or both`))
  }
  for (const [index, version] of retention.pins.entries()) {
    const first = retention.pins.indexOf(version)
    if (first === index) continue
    const message = `"${version}" stands in the list already, at [${first}]`
    problems.push(problem(['retention', 'pins', index], message))
  }
  return problems
}

export function toRetention(retention: Written): Retention {
  const channels = policies(retention).map(([name, policy]): [string, ChannelPolicy] => [
    name,
    { keep: policy.keep ?? null, for: policy.for === undefined ? null : parseDays(policy.for) },
  ])
  return { channels: new Map(channels), pins: retention.pins, grace: parseDays(retention.grace) }
}

function policies({ pins: _pins, grace: _grace, ...channels }: Written) {
  return Object.entries(channels)
}

/** A version that is withdrawn is neither released again nor added to. */
import { PitlaneError } from '../../errors.ts'
import type { ListParts } from '../lists/list-parts.ts'
import type { Standing } from '../lists/standing.ts'
import { type States, stateWords } from './state-document.ts'
import { listedStates, readStates } from './states.ts'

/** Asks the bucket, and the list that readers see. Throws `WITHDRAWN`. */
export async function refuseWithdrawn(
  { bucket, name, check }: Pick<ListParts, 'bucket' | 'name' | 'check'>,
  version: string,
  { index }: Standing,
): Promise<void> {
  const { states } = await readStates(bucket, [{ name, version }], listedStates(index, name), check)
  requireOffered(states, version)
}

/** Throws `WITHDRAWN`. */
export function requireOffered(states: States, version: string): void {
  const stored = states.get(version)
  if (stored?.state.state !== 'withdrawn') return
  throw new PitlaneError('WITHDRAWN', `${version} is ${stateWords(stored.state)}`, {
    hint: `Release what replaces it under a new version. To put this one back: \`pitlane releases restore ${version}\`.`,
  })
}

/**
 * A store may answer a listing as it was a while ago. What a plan takes as absent because no listing shows it is asked for by its name before anything
 * is done about it: only a definite answer says that something is not there.
 */
import { PitlaneError } from '../../errors.ts'
import { inParallel } from '../../parallel.ts'
import type { ListParts } from '../lists/list-parts.ts'

const PARALLEL = 16

/** @throws PitlaneError `STORAGE_FAILED` when one of these is there */
export async function requireAbsent({ bucket }: Pick<ListParts, 'bucket'>, keys: readonly string[]): Promise<void> {
  const found = await inParallel(keys, PARALLEL, async (key) => ((await bucket.head(key)) === null ? null : key))
  const there = found.find((key) => key !== null)
  if (there === undefined) return
  throw new PitlaneError('STORAGE_FAILED', `${bucket.location}/${there} is there, and no listing shows it`, {
    hint: 'The store answers with an old listing, or somebody else publishes right now. Nothing was changed: run the same command again later.',
  })
}

/** Objects that belong to no listed or retired version: they are counted, and left alone. */
import { PitlaneError } from '../../errors.ts'
import { KEYS, reservedUnderReleases } from '../../plan/keys.ts'
import type { ListParts } from '../lists/list-parts.ts'
import type { Site } from '../lists/read-site.ts'
import { objectsOf } from './contents.ts'

export interface Strays {
  readonly objects: number
  readonly bytes: number
  /** The first few, in the order of their keys. */
  readonly examples: readonly string[]
}

/** More objects than any bucket of releases has: a listing without end is a fault of the store. */
const MOST_OBJECTS = 20_000_000
const EXAMPLES = 3

/** @param named keys that marks name */
export async function countStrays(
  { bucket }: ListParts,
  { stored, retired, states }: Site,
  named: readonly string[],
): Promise<Strays> {
  const documents = [...stored, ...retired.map((release) => release.stored)].map(({ document }) => document)
  const known = new Set([...documents.flatMap((document) => objectsOf(document, states)), ...named])
  const examples: string[] = []
  let objects = 0
  let bytes = 0
  let count = 0
  for await (const { key, size } of bucket.list(KEYS.releases)) {
    count += 1
    if (count > MOST_OBJECTS)
      throw new PitlaneError('STORAGE_FAILED', `${bucket.location} lists more than ${MOST_OBJECTS} objects`, {
        hint: 'Does the listing come to an end? Nothing was changed.',
      })
    const name = key.slice(KEYS.releases.length)
    if (known.has(key) || key.startsWith(KEYS.retiredFolder) || key.startsWith(KEYS.stableFolder)) continue
    if (!name.includes('/') && reservedUnderReleases(name) !== null) continue
    objects += 1
    bytes += size
    if (examples.length < EXAMPLES) examples.push(key)
  }
  return { objects, bytes, examples }
}

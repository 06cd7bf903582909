/** What the pointers would be: rendered as they are for readers, so that there is one order of versions. */
import { buffer } from 'node:stream/consumers'
import { PitlaneError } from '../../errors.ts'
import { requireOwnFloating } from './floating.ts'
import { listOperations } from './lists.ts'
import type { ListParts } from './list-parts.ts'
import type { Site } from './read-site.ts'
import type { Operation } from '../publication.ts'
import type { SiteIndex } from './site-index.ts'

/**
 * By channel; one of which nothing is offered has none.
 * @throws PitlaneError `PLAN_CONTRADICTION` when a pointer would go back without a reason
 */
export async function pointersOf(parts: ListParts, site: Site): Promise<SiteIndex['pointers']> {
  return (await nextIndex(parts, site)).pointers
}

/** What the index would be; the same errors, and `CONTRADICTION` when a tag that would move is somebody else's. */
export async function nextIndex(parts: ListParts, site: Site): Promise<SiteIndex> {
  const { standing, notBefore } = site
  const operations = listOperations(parts, site, standing.serial + 1, Math.max(parts.clock.now(), notBefore))
  await requireOwnFloating(parts.registry, operations)
  return indexIn(operations)
}

/** Of lists that are about to be put. */
export async function pointersIn(operations: readonly Operation[]): Promise<SiteIndex['pointers']> {
  return (await indexIn(operations)).pointers
}

/** The index among the operations that put lists out. */
export async function indexIn(operations: readonly Operation[]): Promise<SiteIndex> {
  const index = operations.at(-1)
  if (index?.to !== 'bucket') throw new PitlaneError('INTERNAL', 'lists without an index')
  // Rendered right here, and read as strangers read it when it is published.
  return JSON.parse((await buffer(index.body.open())).toString('utf8')) as SiteIndex
}

import type { Bucket } from '../buckets/types.ts'
import { PitlaneError } from '../errors.ts'
import { type BuiltDocument, builtOf, type ReleaseDocument } from './document.ts'

/**
 * A version that has a document of another kind is not taken up by `pitlane release`.
 * @throws PitlaneError `RELEASED_OTHERWISE`
 */
export function requireReleased({ location }: Pick<Bucket, 'location'>, document: ReleaseDocument): BuiltDocument {
  const built = builtOf(document)
  if (built !== null && built.byHand === undefined) return built
  const how = built === null ? 'was there before Pitlane and is adopted' : 'was made by hand'
  throw new PitlaneError('RELEASED_OTHERWISE', `${document.version} in ${location} ${how}`, {
    hint: 'A published name never changes its bytes. Release under a new version.',
  })
}

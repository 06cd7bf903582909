/** What is decided once, when a publication is written down, and stands in its row as JSON. */
import type { PublicationRow } from '../database/queries/publications.ts'
import { PitlaneError } from '../errors.ts'
import { BuiltDocument } from './document.ts'

const Stored = BuiltDocument.pick({ builder: true, promotion: true })

export interface Fixed {
  /** Milliseconds since 1970. */
  readonly publishedAt: number
  readonly builder: BuiltDocument['builder']
  readonly promotion: BuiltDocument['promotion']
}

export function writeFixed({ builder, promotion }: Fixed): string {
  return JSON.stringify({ builder, promotion })
}

/** @throws PitlaneError `PLAN_CONTRADICTION` when something else has written the row */
export function readFixed(publication: Pick<PublicationRow, 'version' | 'fixed' | 'published_at'>): Fixed {
  try {
    return { ...Stored.parse(JSON.parse(publication.fixed)), publishedAt: publication.published_at }
  } catch (error) {
    throw new PitlaneError(
      'PLAN_CONTRADICTION',
      `the publication of ${publication.version} is not as it was written down`,
      {
        hint: 'The state was changed from outside. Put the folder .pitlane back from a copy, or release under a new version.',
        cause: error,
      },
    )
  }
}

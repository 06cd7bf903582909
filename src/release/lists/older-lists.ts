/** The list of an older tool, in the place where ours will be: what only it names would be gone from the page without a word. */
import * as z from 'zod'
import { PitlaneError } from '../../errors.ts'
import { inParallel } from '../../parallel.ts'
import { KEYS } from '../../plan/keys.ts'
import { versionFault } from '../../plan/version-name.ts'
import type { ListParts } from './list-parts.ts'
import { LIST_LIMIT } from './site-index.ts'
import type { Standing } from './standing.ts'

/** Sections of versions: the shape that Garage's scripts gave it, as far as it is asked for here. */
const sections = z.array(z.object({ builds: z.array(z.object({ version: z.string() })) }))
const PARALLEL = 16
/** How many versions are named in an error. */
const NAMED = 5

/**
 * Looks only where no index of this project has been: from the first one on, the documents say what there is.
 * @throws PitlaneError `NOT_ADOPTED` when the list that is there names versions that have no document
 */
export async function refuseOlderLists({ bucket }: Pick<ListParts, 'bucket'>, { index }: Pick<Standing, 'index'>) {
  if (index !== null) return
  const bytes = await bucket.read(KEYS.garageList, LIST_LIMIT)
  if (bytes === null) return
  const named = versionsIn(bytes).filter((version) => versionFault(version) === null)
  const lost: string[] = []
  // Some are enough: a list of anybody's may name any number.
  for (let from = 0; from < named.length && lost.length <= NAMED; from += PARALLEL) {
    const some = named.slice(from, from + PARALLEL)
    const documents = await inParallel(some, PARALLEL, (version) => bucket.head(KEYS.document(version)))
    lost.push(...some.filter((_, at) => documents[at] === null))
  }
  if (lost.length === 0) return
  const some = lost.slice(0, NAMED).join(', ') + (lost.length > NAMED ? ' and others' : '')
  throw new PitlaneError(
    'NOT_ADOPTED',
    `${bucket.location} has a ${KEYS.garageList} of another tool, and lists made now would not name ${some}: ` +
      `${lost.length === 1 ? 'that version has' : 'these versions have'} no document`,
    {
      hint: `Give them theirs first: \`pitlane adopt --dry-run\` shows what it would do. Or take ${KEYS.garageList} away, if they are to be forgotten.`,
    },
  )
}

/** None where it is no such list: then it says nothing that could be lost. */
function versionsIn(bytes: Buffer): readonly string[] {
  try {
    const versions = sections.parse(JSON.parse(bytes.toString('utf8'))).flatMap(({ builds }) => builds)
    return [...new Set(versions.map(({ version }) => version))]
  } catch {
    return []
  }
}

/** Whether a release is withdrawn: what index.json says of it, and the document that says it. */
import { sha256Of } from '../../bytes/digest.ts'
import { KEYS } from '../../plan/keys.ts'
import type { ReleaseDocument } from '../document.ts'
import { type Findings, wrong } from './findings.ts'
import type { IndexRelease, SiteIndex } from '../lists/site-index.ts'
import { encodeState, parseState, type StateDocument, stateWords } from '../states/state-document.ts'
import { newestRevision, STATE_LIMIT } from '../states/states.ts'
import type { ListRequest } from './verify-lists.ts'
import { verifySigned } from './verify-document.ts'

/**
 * Only what the index names is read through an address: a cache would remember that a coming state is not there yet. In a folder a state that
 * the index does not know shows that the index is an old one.
 * @returns null for a release that was never withdrawn
 */
export async function verifyState(
  request: ListRequest,
  { name, version, channel }: ReleaseDocument,
  index: SiteIndex,
  found: Findings,
): Promise<StateDocument | null> {
  const { bucket, key } = request
  const listed = index.releases.find((release) => release.version === version)
  const facts = listed?.state
  const newest = bucket.list === undefined ? 0 : await newestRevision({ list: bucket.list.bind(bucket) }, version)
  if (facts === undefined && newest === 0) {
    if (listed?.withdrawn !== true) return null
    found.problems.push(`${KEYS.index} says that ${version} is withdrawn, and names no document that says so`)
    return null
  }
  const revision = Math.max(facts?.revision ?? 0, newest)
  const path = KEYS.state(version, revision)
  // The index is signed: what it says counts as a warning, also where the document is missing.
  let state = facts === undefined ? null : stateOf(facts, { name, version })
  await found.check(`${path.slice(KEYS.folder(version).length)} and index.json say what became of it`, async () => {
    const bytes = await bucket.read(path, STATE_LIMIT)
    if (bytes === null) throw wrong(`${path} is missing`)
    const read = parseState(bytes, path, { version, revision })
    if (read.name !== name) throw wrong(`${path} is of ${read.name}, release.json of ${name}`)
    if (key !== null) await verifySigned(bucket, bytes, { name, version, path }, key)
    state = read
    if (facts === undefined || facts.revision < revision)
      throw wrong(`${version} is ${stateWords(read)}, and ${KEYS.index} does not say so yet: it is an older list`)
    const same = encodeState(stateOf(facts, { name, version })).equals(bytes)
    if (!same || facts.document.sha256 !== sha256Of(bytes))
      throw wrong(`${KEYS.index} says something else than ${path}`)
    if (listed?.withdrawn !== (read.state === 'withdrawn'))
      throw wrong(
        `${KEYS.index} says that ${version} is ${listed?.withdrawn === true ? '' : 'not '}withdrawn, ${path} that it is ${read.state}`,
      )
    if (read.state === 'withdrawn' && index.pointers[channel] === version)
      throw wrong(`${KEYS.index} points to ${version}, which is withdrawn`)
  })
  return state
}

function stateOf(
  { document: _document, ...facts }: NonNullable<IndexRelease['state']>,
  { name, version }: Pick<ReleaseDocument, 'name' | 'version'>,
): StateDocument {
  return { format: 'pitlane-state/1', name, version, ...facts }
}

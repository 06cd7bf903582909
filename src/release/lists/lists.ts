/** Page, lists, feeds and pointers: rendered from every document in the bucket, signed, and put in the order of `PUBLICATION`. */
import { PitlaneError } from '../../errors.ts'
import { inParallel } from '../../parallel.ts'
import { STABLE } from '../../plan/channel.ts'
import { KEYS } from '../../plan/keys.ts'
import { compareVersions } from '../../plan/version.ts'
import { bodyOf } from '../digest.ts'
import { type ReleaseDocument } from '../document.ts'
import { floatingOperations, refuseTagsBackwards } from './floating.ts'
import { isThere } from '../perform.ts'
import { signDocument } from '../put-operations.ts'
import { type Operation, operationFacts } from '../publication.ts'
import { LIST_LIMIT, type SiteIndex } from './site-index.ts'
import type { Standing } from './standing.ts'
import type { Readers } from '../shown.ts'
import { stateOperations } from '../states/state-operations.ts'
import { isWithdrawn } from '../states/state-document.ts'
import type { ListParts, RenderSite, SiteFile } from './list-parts.ts'
import { type Site, releasesOf } from './read-site.ts'

type Listed = Pick<Site, 'stored' | 'standing' | 'states' | 'documentation' | 'stableLinks'>

/** What the lists have to be with this serial and date, without signatures, the index last; refuses to move a pointer backwards. */
export function listFiles(
  parts: Omit<ListParts, 'exclusively'>,
  site: Listed,
  serial: number,
  generatedAt: number,
): readonly SiteFile[] {
  return listsOf(parts, site, serial, generatedAt).files
}

/** The same, and what the index among them says. */
function listsOf(
  parts: Omit<ListParts, 'exclusively'>,
  { stored, standing, states, documentation, stableLinks }: Listed,
  serial: number,
  generatedAt: number,
): { readonly files: readonly SiteFile[]; readonly index: SiteFile; readonly next: SiteIndex } {
  const documents = stored.map(({ document }) => document)
  const digests = new Map(stored.map(({ document, sha256 }) => [document, sha256]))
  const { name, baseUrl, signer } = parts
  const publicKey = signer === null ? null : signer.publicKey
  const documentSha256 = (document: ReleaseDocument) => {
    const sha256 = digests.get(document)
    if (sha256 === undefined) throw new PitlaneError('INTERNAL', `${document.version} was not read from the bucket`)
    return sha256
  }
  const files = rendered(parts.render, {
    name,
    baseUrl,
    documents,
    states,
    documentation,
    documentSha256,
    publicKey,
    serial,
    generatedAt,
    stableLinks,
    compare: compareVersions,
  })
  const index = files.at(-1)
  if (index?.key !== KEYS.index) throw new PitlaneError('INTERNAL', 'index.json has to be rendered last')
  // Rendered right here, and read as strangers read it when it is published.
  const next = JSON.parse(index.bytes.toString('utf8')) as SiteIndex
  const mayGo = (version: string) => isWithdrawn(states, version) || parts.without?.has(version) === true
  refuseBackwards(standing, mayGo, next)
  if (standing.proven) refuseTagsBackwards(standing.index?.floating, next.floating, mayGo)
  return { files, index, next }
}

/** @throws PitlaneError `PLAN_CONTRADICTION` where the lists would be longer than anybody reads */
function rendered(render: RenderSite, input: Parameters<RenderSite>[0]): readonly SiteFile[] {
  const refuse = (key: string, size: string, cause?: unknown) =>
    new PitlaneError(
      'PLAN_CONTRADICTION',
      `${key} would have ${size} bytes with ${input.documents.length} releases, more than the ${LIST_LIMIT} that are read`,
      {
        hint: 'Nothing was written. Let old releases go (`retention:` in pitlane.yaml), or move what nobody needs any more out of _releases/.',
        cause,
      },
    )
  try {
    const files = render(input)
    const large = files.find(({ bytes }) => bytes.length > LIST_LIMIT)
    if (large === undefined) return files
    throw refuse(large.key, String(large.bytes.length))
  } catch (error) {
    // No text of JavaScript has more than 512 MiB.
    if (error instanceof RangeError && /string length/.test(error.message)) throw refuse(KEYS.index, 'too many', error)
    throw error
  }
}

/** The same as operations, signed. */
export function listOperations(
  parts: ListParts,
  site: Pick<Site, 'stored' | 'retired' | 'standing' | 'states' | 'lost' | 'documentation' | 'stableLinks'>,
  serial: number,
  generatedAt: number,
): readonly Operation[] {
  const { name, signer } = parts
  const { files, index, next } = listsOf(parts, site, serial, generatedAt)
  // The signatures of the index go right before it: what they sign appears with the next operation.
  const signed = signer === null ? [] : signDocument(signer, name, `serial-${serial}`, KEYS.index, index.bytes)
  const known = releasesOf(site)
  const { floating = [] } = next
  return [
    ...site.lost.flatMap(({ state }) => stateOperations(signer, state, 'lists')),
    ...files.slice(0, -1).map(putFile),
    ...abandonedLinks(site, known, files).map((key): Operation => ({ to: 'removal', entry: 'lists', key })),
    ...(parts.registry === null ? [] : floatingOperations(parts.registry, floating, known, parts.takeTags === true)),
    ...signed.map((side) => putFile({ ...side, cacheControl: index.cacheControl })),
    putFile(index),
  ]
}

/** Addresses that once led to a release and have nowhere to lead now: whoever asks is told that there is nothing. */
function abandonedLinks(
  { standing, stableLinks }: Pick<Site, 'standing' | 'stableLinks'>,
  known: readonly ReleaseDocument[],
  files: readonly SiteFile[],
): readonly string[] {
  if (!stableLinks && standing.index?.stableLinks !== true) return []
  const kept = new Set(files.map(({ key }) => key))
  const all = known
    .filter(({ channel }) => channel === STABLE)
    .flatMap((document) => document.files.map(({ target, name }) => KEYS.stable(target, name)))
    .flatMap((key) => [key, `${key}.sha256`, `${key}.minisig`])
  return [...new Set(all)].filter((key) => !kept.has(key)).sort()
}

function putFile({ key, bytes, contentType, cacheControl, redirect }: SiteFile): Operation {
  const options = { contentType, cacheControl, exclusive: false, ...(redirect !== undefined && { redirect }) }
  return { to: 'bucket', entry: 'lists', key, body: bodyOf(bytes), options }
}

/** @param mayGo a version that is withdrawn, by a signed state, or given up by name: it no longer holds the pointer where it is */
function refuseBackwards(
  { stable, index, proven }: Standing,
  mayGo: (version: string) => boolean,
  next: Pick<SiteIndex, 'pointers'>,
): void {
  const after = next.pointers['stable']
  // What lacks targets was never pointed to.
  const listed = ((proven && index?.releases) || []).filter(
    ({ channel, withdrawn, byHand }) => channel === 'stable' && !withdrawn && !byHand?.missing.length,
  )
  const before = [stable, ...listed.map(({ version }) => version)]
    .filter((version) => version !== null)
    .filter((version) => !mayGo(version))
    .toSorted(compareVersions)
    .at(-1)
  if (before === undefined) return
  if (after !== undefined && compareVersions(after, before) >= 0) return
  throw new PitlaneError(
    'PLAN_CONTRADICTION',
    `the newest stable version would go back from ${before} to ${after ?? 'none'}`,
    {
      hint: `Pointers only move forward. ${KEYS.document(before)} is missing from the bucket: put its folder back, or the whole bucket as it was.`,
    },
  )
}

async function exists(bucket: Readers['bucket'], key: string): Promise<boolean> {
  const there = await bucket.open(key)
  there?.destroy()
  return there !== null
}

/** How many objects are looked at at once. */
const PARALLEL = 16

/** Keys of these operations whose objects the bucket does not have with these bytes, and tags that do not lead where they should. */
export async function staleKeys(
  { bucket, registry }: Readers,
  operations: readonly Operation[],
): Promise<readonly string[]> {
  const isStale = async (operation: Operation): Promise<boolean> => {
    switch (operation.to) {
      case 'floating': {
        const { repository, tag, digest } = operation
        // Not every registry takes a tag away.
        if (digest === null || registry === null) return false
        return (await registry.resolveTag(repository, tag))?.digest !== digest
      }
      case 'removal':
        // Behind an address nobody asks for what is not there.
        return bucket.list !== undefined && (await exists(bucket, operation.key))
      default:
        return operation.to === 'bucket' && !(await isThere(bucket, operation))
    }
  }
  const stale = await inParallel(operations, PARALLEL, isStale)
  return operations.filter((_, at) => stale[at]).map((operation) => operationFacts(operation).destination)
}

/** Documentation as operations of a publication: what stays under a version, and a change of the site. */
import type { Body } from '../../buckets/types.ts'
import { KEYS } from '../../plan/keys.ts'
import { bodyOf } from '../digest.ts'
import { IMMUTABLE, signDocument } from '../put-operations.ts'
import type { EntryId, Operation } from '../publication.ts'
import type { Signer } from '../keys/sign.ts'
import type { Change } from './difference.ts'
import { type DocumentationSite, encodeSite, type SiteEntry } from './documents.ts'
import { contentTypeOf } from './kinds.ts'

/** The entries of a publication that change the site, in their order. */
export const SITE_ENTRIES: readonly EntryId[] = [
  'site-announced',
  'site-assets',
  'site-new-pages',
  'site-begun-pages',
  'site-pages',
  'site-top',
]

/** Names of the site get other bytes with every release: a reader asks whether his copy is still the newest. */
const CHANGING = 'no-cache'

/** A file under its version, where it never changes. */
export function keptOperation({ key }: SiteEntry, body: Body): Operation {
  const options = { contentType: contentTypeOf(key), cacheControl: IMMUTABLE, exclusive: true }
  return { to: 'bucket', entry: 'objects', key, body, options }
}

/** The list of a version's files, after its signatures. */
export function filesOperations(
  signer: Signer | null,
  name: string,
  version: string,
  bytes: Buffer,
): readonly Operation[] {
  const key = KEYS.documentation(version)
  const sides = signer === null ? [] : signDocument(signer, name, version, key, bytes)
  return [...sides, { key, bytes, contentType: 'application/json' }].map((file): Operation => {
    const options = { contentType: file.contentType, cacheControl: IMMUTABLE, exclusive: true }
    return { to: 'bucket', entry: 'objects', key: file.key, body: bodyOf(file.bytes), options }
  })
}

/** @param bodyFor the bytes of a file that is put */
export function changeOperations(
  { announce, put, site }: Change,
  signer: Signer | null,
  bodyFor: (file: SiteEntry) => Body,
): readonly Operation[] {
  const putOf = (entry: EntryId, files: readonly SiteEntry[]) =>
    files.map((file): Operation => {
      const options = { contentType: contentTypeOf(file.key), cacheControl: CHANGING, exclusive: false }
      return { to: 'bucket', entry, key: file.key, body: bodyFor(file), options }
    })
  return [
    ...(announce ? siteDocument('site-announced', KEYS.documentationNext, site, signer) : []),
    ...putOf('site-assets', put.assets),
    ...putOf('site-new-pages', put.newPages),
    ...putOf('site-begun-pages', put.begunPages),
    ...putOf('site-pages', put.changedPages),
    ...putOf('site-top', put.top),
    ...siteDocument('site-top', KEYS.documentationNow, site, signer),
  ]
}

/** Between its two signatures: at every moment one of them is of the document that is there. */
function siteDocument(
  entry: EntryId,
  key: string,
  site: DocumentationSite,
  signer: Signer | null,
): readonly Operation[] {
  const bytes = encodeSite(site)
  const put = (at: string, content: Buffer, contentType: string): Operation => ({
    to: 'bucket',
    entry,
    key: at,
    body: bodyOf(content),
    options: { contentType, cacheControl: CHANGING, exclusive: false },
  })
  const [minisig, sig] = (
    signer === null ? [] : signDocument(signer, site.name, `serial-${site.serial}`, key, bytes)
  ).map((side) => put(side.key, side.bytes, side.contentType))
  return [
    ...(minisig === undefined ? [] : [minisig]),
    put(key, bytes, 'application/json'),
    ...(sig === undefined ? [] : [sig]),
  ]
}

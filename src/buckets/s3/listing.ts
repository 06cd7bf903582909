/** Listings of an S3 server ("ListObjectsV2"), page by page: whole, or an error. */
import { ListObjectsV2Command, type ListObjectsV2Output } from '@aws-sdk/client-s3'
import { PitlaneError } from '../../errors.ts'
import type { S3Address } from '../address.ts'
import { keyFault, refuseKey } from '../key.ts'

/** Pages in a row: a server may look through a part of its index and find nothing, but not for ever. */
const MAX_EMPTY = 1000

export interface Listing {
  /** Performs a request with all its retries, and tells its failure. */
  ask(request: ListObjectsV2Command): Promise<ListObjectsV2Output>
  readonly address: S3Address
  /** Below that of the address. */
  readonly prefix: string
  /** For messages. */
  readonly where: string
}

export interface PageOptions {
  readonly delimiter?: '/'
  /** Of the keys below the address, only those behind this one. Some servers list from the beginning all the same. */
  readonly after?: string
}

/** @throws PitlaneError `STORAGE_FAILED`, also when something on the way has left a part out */
export async function* pages(
  listing: Listing,
  { delimiter, after }: PageOptions = {},
): AsyncGenerator<ListObjectsV2Output> {
  const { address, prefix, where } = listing
  const folder = prefix.lastIndexOf('/')
  // What is behind the last / is the beginning of a name, whatever it is.
  const fault = folder === -1 ? null : keyFault(prefix.slice(0, folder))
  if (fault !== null) refuseKey(prefix, where, fault)
  const request = { Bucket: address.bucket, Prefix: address.prefix + prefix, Delimiter: delimiter }
  const first = after === undefined ? {} : { StartAfter: address.prefix + after }
  let token: string | undefined
  let empty = 0
  do {
    const page = await listing.ask(new ListObjectsV2Command({ ...request, ...first, ContinuationToken: token }))
    const named = (page.Contents?.length ?? 0) + (page.CommonPrefixes?.length ?? 0)
    if (page.IsTruncated === undefined || (page.KeyCount ?? named) !== named)
      throw strange(listing, 'less than it announced')
    yield page
    const next = page.IsTruncated ? page.NextContinuationToken : undefined
    if (page.IsTruncated && next === undefined) throw strange(listing, 'that there is more, but not how to ask for it')
    empty = named === 0 ? empty + 1 : 0
    if (next !== undefined && (next === token || empty > MAX_EMPTY)) throw strange(listing, 'no end of its list')
    token = next
  } while (token !== undefined)
}

/** A name that the server listed, without the prefix of the address. */
export function own(listing: Listing, name: string | undefined): string {
  const base = listing.address.prefix
  if (name?.startsWith(base + listing.prefix) !== true) throw strange(listing, 'a name that was not asked for')
  return name.slice(base.length)
}

export function strange({ where }: Listing, what: string): PitlaneError {
  return new PitlaneError('STORAGE_FAILED', `${where}: the server listed ${what}`, {
    hint: 'Is that an S3 server? Nothing was changed.',
  })
}

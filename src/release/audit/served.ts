/**
 * What the public address serves against what the bucket has. Nothing is asked for that the bucket does not have: a cache would remember that
 * it is not there.
 */
import type { ListedObject } from '../../buckets/types.ts'
import { inParallel } from '../../parallel.ts'
import { KEYS } from '../../plan/keys.ts'
import { revisionOf } from '../document.ts'
import type { ListParts, SiteFile } from '../lists/list-parts.ts'
import { LIST_LIMIT } from '../lists/site-index.ts'
import type { Published } from '../verify/verify-document.ts'
import { Differences } from './difference.ts'
import type { AuditedVersions } from './versions.ts'

/** The reading half of an address. */
export interface Served extends Published {
  /** What the server says of it, whatever that is: HTTP status, and bytes where it tells. Fails when nobody answers. */
  look(key: string): Promise<{ readonly status: number; readonly size: number | null }>
}

const PARALLEL = 8
/** Answers of servers that do not know HEAD. */
const NO_HEAD = new Set([405, 501])

const KEPT = 'a cache may keep an older one'

export async function auditServed(
  { bucket }: Pick<ListParts, 'bucket'>,
  served: Served,
  objects: ReadonlyMap<string, ListedObject>,
  { stored, leaving }: AuditedVersions,
  files: readonly SiteFile[] | null,
): Promise<{ readonly differences: Differences['all']; readonly looked: number }> {
  const releases = stored.map(({ document }) => document).filter(({ version }) => !leaving.has(version))
  const small = new Set(
    [
      ...(files ?? []).flatMap(({ key, redirect }) => (redirect === undefined ? key : [])),
      ...['.minisig', '.sig'].map((side) => `${KEYS.index}${side}`),
      ...releases.flatMap((document) => {
        const revision = revisionOf(document)
        return [KEYS.document(document.version, revision), KEYS.sums(document.version, revision)]
      }),
    ].filter((key) => objects.has(key)),
  )
  const large = releases.flatMap((document) => document.files.map(({ path }) => path)).filter((key) => objects.has(key))
  const audited = await inParallel([...small, ...large], PARALLEL, async (key) => {
    const found = new Differences('public')
    const { status, size } = await served.look(key)
    const there = objects.get(key)?.size ?? null
    if (status !== 200 && !NO_HEAD.has(status)) found.add(key, `answers ${status}`)
    else if (size !== null && size !== there)
      found.add(key, `has ${size} bytes, and ${there} in the bucket${small.has(key) ? `: ${KEPT}` : ''}`)
    else if (small.has(key)) await compareBytes(bucket, served, key, found)
    return found.all
  })
  const sent = await inParallel(files ?? [], PARALLEL, async ({ key, redirect }) => {
    const found = new Differences('public')
    if (redirect === undefined || !objects.has(key)) return found.all
    const to = (await served.redirectOf?.(key)) ?? null
    if (to !== redirect) found.add(key, `leads to ${to ?? 'nothing'} instead of ${redirect}`)
    return found.all
  })
  return { differences: [...audited, ...sent].flat(), looked: audited.length }
}

async function compareBytes(bucket: Published, served: Published, key: string, found: Differences): Promise<void> {
  const [shown, there] = [await served.read(key, LIST_LIMIT), await bucket.read(key, LIST_LIMIT)]
  if (shown === null) found.add(key, 'is not there')
  else if (there !== null && !shown.equals(there)) found.add(key, `has other bytes than in the bucket: ${KEPT}`)
}

/**
 * `_releases/_changing`: that something new lies beside a release which is listed already, a revision of its document or of its state, and the lists may not say so yet.
 * It is put before, and removed once lists are out that were computed from everything: whoever dies in between leaves it to the next one, who then does
 * not go by the lists that are there. What it says is nothing that anybody has to believe: it only makes readers look.
 */
import type { Bucket } from '../../buckets/types.ts'
import { KEYS } from '../../plan/keys.ts'
import { bodyOf } from '../digest.ts'

const TEXT =
  'A document was put here that the lists do not name yet. Whoever writes lists next reads them all, and removes this.\n'
const OPTIONS = { contentType: 'text/plain; charset=utf-8', cacheControl: 'no-cache', exclusive: false }

/** Only for a caller that keeps others from publishing meanwhile. */
export async function announceChange(bucket: Pick<Bucket, 'put'>): Promise<void> {
  await bucket.put(KEYS.changing, bodyOf(Buffer.from(TEXT)), OPTIONS)
}

export async function isChanging(bucket: Pick<Bucket, 'head'>): Promise<boolean> {
  return (await bucket.head(KEYS.changing)) !== null
}

/** Once the lists name everything. */
export async function settleChange(bucket: Pick<Bucket, 'delete'>): Promise<void> {
  await bucket.delete(KEYS.changing)
}

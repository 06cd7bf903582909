/**
 * Reading signed documents of a bucket, each verified once: what this state has verified is believed as long as it is shown to be the same, by what the bucket's
 * listing says of it and of its signature, or by their bytes.
 */
import type { Bucket } from '../buckets/types.ts'
import { sha256Of } from '../bytes/digest.ts'
import type { DocumentMemory } from './lists/document-memory.ts'

/** Bytes; a signature file has some 300. */
const SIGNATURE_LIMIT = 4096

export interface Fetched {
  readonly bytes: Buffer
  /** Whether this version of Pitlane has verified exactly these under this name, with the project's key, before: signature and shape. */
  readonly isProven: boolean
  /** The `.minisig` beside it; null when there is none. */
  readonly signature: () => Promise<Buffer | null>
  /** To be called once they are verified. */
  readonly proven: () => void
}

/** Null when there is no object of that name. */
export type Fetch = (key: string, limit: number) => Promise<Fetched | null>

/** Remembers nothing. */
export function plainFetch(bucket: Pick<Bucket, 'read'>): Fetch {
  return async (key, limit) => {
    const bytes = await bucket.read(key, limit)
    const signature = () => readSignature(bucket, key)
    return bytes === null ? null : { bytes, isProven: false, signature, proven: () => undefined }
  }
}

export interface Remembering {
  readonly bucket: Pick<Bucket, 'read'>
  /** The bucket as `pitlane.yaml` names it. */
  readonly place: string
  /** What documents are verified with; null where nothing is signed. */
  readonly publicKey: string | null
  readonly memory: DocumentMemory
  /** What the listing says of an object; null where it says nothing. */
  readonly stampOf: (key: string) => string | null
}

export function rememberingFetch(parts: Remembering): Fetch {
  const { bucket, place, publicKey, memory, stampOf } = parts
  const read = async (key: string, limit: number, sighting: string) => {
    const bytes = await bucket.read(key, limit)
    if (bytes === null) return null
    const proven = () => memory.keep(bytes, sha256Of(bytes), sighting)
    return { bytes, isProven: false, signature: () => readSignature(bucket, key), proven }
  }
  return async (key, limit) => {
    const stamp = stampOf(key)
    const side = publicKey === null ? '' : stampOf(`${key}.minisig`)
    if (stamp === null || side === null) return byBytes(parts, key, limit)
    const sighting = sightingOf(['listed', place, key, publicKey, stamp, side])
    const sha256 = memory.seen(sighting)
    const bytes = sha256 === null ? null : memory.bytes(sha256)
    if (bytes === null || bytes.length > limit) return read(key, limit, sighting)
    return { bytes, isProven: true, signature: () => readSignature(bucket, key), proven: () => undefined }
  }
}

/** Both are read; only the work of verifying is spared. */
async function byBytes(
  { bucket, publicKey, memory }: Remembering,
  key: string,
  limit: number,
): Promise<Fetched | null> {
  const bytes = await bucket.read(key, limit)
  if (bytes === null) return null
  const sha256 = sha256Of(bytes)
  const signature = publicKey === null ? null : await readSignature(bucket, key)
  const signed = signature === null ? null : sha256Of(signature)
  const sighting = sightingOf(['read', key, publicKey, sha256, signed])
  const isProven = (publicKey === null || signature !== null) && memory.seen(sighting) === sha256
  const proven = () => memory.keep(bytes, sha256, sighting)
  return { bytes, isProven, signature: async () => signature, proven }
}

function readSignature(bucket: Pick<Bucket, 'read'>, key: string): Promise<Buffer | null> {
  return bucket.read(`${key}.minisig`, SIGNATURE_LIMIT)
}

function sightingOf(facts: readonly (string | null)[]): string {
  return sha256Of(JSON.stringify(facts))
}

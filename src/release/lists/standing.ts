/**
 * What may be believed of the list that readers see now. Whoever can write to the bucket can put any `index.json` there: it counts when the
 * project's key has signed exactly these bytes, or when this state has put them there itself. What is in doubt changes neither date nor
 * serial nor what is listed: all of that is computed again from the release documents, each of which is signed.
 */
import { createHash } from 'node:crypto'
import { ownListings, type OwnListings } from '../../database/queries/listings.ts'
import { sha256Of } from '../../bytes/digest.ts'
import { PitlaneError } from '../../errors.ts'
import { ahead } from '../../parallel.ts'
import { KEYS } from '../../plan/keys.ts'
import { compareVersions } from '../../plan/version.ts'
import { lastSerial } from './last-serial.ts'
import type { ListParts } from './list-parts.ts'
import { parsePublicKey, type PublicKey } from '../keys/public-key.ts'
import { trustedCommentOf } from '../keys/sign.ts'
import { isoSeconds } from '../document.ts'
import { LIST_LIMIT, parseSiteIndex, type SiteIndex } from './site-index.ts'
import { readSide } from '../verify/verify-document.ts'
import { verifyFile, verifyRaw } from '../keys/verify-signature.ts'

export interface Standing {
  /** The highest serial that readers may have seen; 0 when there was none. */
  readonly serial: number
  /** The same, of the bucket alone. */
  readonly shown: number
  /** No later list is dated before this: milliseconds since 1970, 0 when nothing is known. */
  readonly generatedAt: number
  /** Null where there is none, or none that counts. Unproven only with `sign: none`. */
  readonly index: SiteIndex | null
  /** Whether `index` is signed by the project or comes from this state. */
  readonly proven: boolean
  /** Whether `index` is the newest list that was put out from here: nobody else has put a later one. */
  readonly isOwn: boolean
  /** What is wrong with the file that is there, or what nothing vouches for. */
  readonly doubt: string | null
  /** The newest stable version that readers were shown: by a list that is proven, or from here. No list goes back behind it. */
  readonly stable: string | null
  /** What a file says that does not count: it may be another project's, and then nothing of it may be replaced. */
  readonly claim: SiteIndex | null
}

type Parts = Pick<ListParts, 'bucket' | 'place' | 'name' | 'signer' | 'writer' | 'clock'>

/** No project has published so often; a serial that nobody signed is followed up to here. */
export const UNSIGNED_SERIAL = 1_000_000_000
/** How far ahead of the clock a date may be that nobody signed: what clocks of two machines differ by, and time zones set wrongly. */
export const UNSIGNED_AHEAD = 86_400_000

/** Reads without a lock: between signature and index of a publication under way, the list looks as if it were forged. */
export async function readStanding(parts: Parts): Promise<Standing> {
  const { bucket, signer } = parts
  const own = await ownListings(parts.writer.db, parts.place)
  const key = signer === null ? null : parsePublicKey(signer.publicKey.line, 'the signing key')
  const last = key === null ? 0 : ahead(lastSerial(bucket, key, parts.name))
  const there = await bucket.head(KEYS.index)
  const signed = await last
  const nothing: Standing = {
    serial: Math.max(own.serial, signed),
    shown: signed,
    generatedAt: own.generatedAt,
    index: null,
    proven: false,
    isOwn: false,
    doubt: null,
    stable: own.stable,
    claim: null,
  }
  if (there === null) return nothing
  if (there.size > LIST_LIMIT)
    return { ...nothing, doubt: `it has ${there.size} bytes, more than the ${LIST_LIMIT} that are read` }
  const bytes = await bucket.read(KEYS.index, LIST_LIMIT)
  if (bytes === null) return nothing
  return judge(parts, bytes, { own, key, nothing })
}

async function judge(
  parts: Parts,
  bytes: Buffer,
  { own, key, nothing }: { own: OwnListings; key: PublicKey | null; nothing: Standing },
): Promise<Standing> {
  const name = `${parts.bucket.location}/${KEYS.index}`
  try {
    const isOwn = own.sha256s.has(sha256Of(bytes))
    if (!isOwn && key === null) return unsigned(parseSiteIndex(bytes, name), own, parts.clock.now())
    const index = isOwn
      ? ownIndex(bytes, name)
      : key === null
        ? parseSiteIndex(bytes, name)
        : await verifiedIndex(parts, bytes, key)
    const shown = Math.max(nothing.shown, index.serial)
    return {
      serial: Math.max(own.serial, shown),
      shown,
      generatedAt: Math.max(own.generatedAt, Date.parse(index.generatedAt)),
      index,
      proven: true,
      isOwn: isOwn && shown === own.published,
      doubt:
        index.serial < own.published
          ? `it is list ${index.serial}, and list ${own.published} was published from here: somebody put an old one back`
          : null,
      // A later list than the ones from here may name an older version: the one between was withdrawn.
      stable:
        index.serial < own.published
          ? newer(index.pointers['stable'] ?? null, own.stable)
          : (index.pointers['stable'] ?? null),
      claim: null,
    }
  } catch (error) {
    if (!(error instanceof PitlaneError) || error.code !== 'VERIFICATION_FAILED') throw error
    return { ...nothing, doubt: error.message, claim: claimOf(bytes) }
  }
}

/** What was rendered here has its shape; what a later version may have rendered here is held against it. */
function ownIndex(bytes: Buffer, name: string): SiteIndex {
  const index = JSON.parse(bytes.toString('utf8')) as SiteIndex
  return index.format === 'pitlane-index/1' ? index : parseSiteIndex(bytes, name)
}

/** Both signatures first: nothing that nobody signed is looked at more closely. Throws `VERIFICATION_FAILED`, `STATE_NEWER`. */
async function verifiedIndex({ bucket }: Parts, bytes: Buffer, key: PublicKey): Promise<SiteIndex> {
  const where = `${KEYS.index}.minisig`
  const blake2b512 = createHash('blake2b512').update(bytes).digest()
  const raw = ahead(readSide(bucket, `${KEYS.index}.sig`))
  const comment = verifyFile(key, { blake2b512 }, (await readSide(bucket, where)).toString('utf8'), null, where)
  verifyRaw(key, bytes, await raw, `${KEYS.index}.sig`)
  const index = parseSiteIndex(bytes, `${bucket.location}/${KEYS.index}`)
  const { name, serial } = index
  if (/^[\x21-\x7e]{1,1024}$/.test(name)) {
    if (comment === trustedCommentOf({ name, version: `serial-${serial}`, path: KEYS.index })) return index
  }
  throw new PitlaneError('VERIFICATION_FAILED', `${where}: the file was signed as ${JSON.stringify(comment)}`)
}

/** With `sign: none` there is nothing to check it by. Serial and date are followed within bounds, what it lists is looked at. */
function unsigned(index: SiteIndex, own: OwnListings, now: number): Standing {
  const doubts = ['it was not put there from here, and with `sign: none` nothing tells who wrote it']
  const date = Date.parse(index.generatedAt)
  if (index.serial > UNSIGNED_SERIAL) doubts.push(`its serial ${index.serial} is not followed`)
  if (date > now + UNSIGNED_AHEAD)
    doubts.push(`its date ${index.generatedAt} is not followed: it is ${isoSeconds(now)} here`)
  const shown = index.serial > UNSIGNED_SERIAL ? 0 : index.serial
  return {
    serial: Math.max(own.serial, shown),
    shown,
    generatedAt: Math.max(own.generatedAt, date > now + UNSIGNED_AHEAD ? 0 : date),
    index,
    proven: false,
    isOwn: false,
    doubt: doubts.join('; '),
    stable: own.stable,
    claim: null,
  }
}

function newer(one: string | null, other: string | null): string | null {
  if (one === null || other === null) return one ?? other
  return compareVersions(one, other) >= 0 ? one : other
}

function claimOf(bytes: Buffer): SiteIndex | null {
  try {
    return parseSiteIndex(bytes, KEYS.index)
  } catch {
    return null
  }
}

/**
 * The same when somebody may be publishing right now: what is in doubt is read again while nobody is.
 * Tells of doubts.
 */
export async function settledStanding(parts: ListParts): Promise<Standing> {
  const first = await readStanding(parts)
  const standing = first.doubt === null ? first : await parts.exclusively(() => readStanding(parts))
  noteDoubt(parts, standing)
  return standing
}

export function noteDoubt({ note }: Pick<ListParts, 'note'>, { doubt, proven, index }: Standing): void {
  if (doubt === null) return
  const follows =
    index === null
      ? 'Its date, serial and versions do not count: everything is computed from the signed documents.'
      : proven
        ? 'The next list goes on counting where the newest one was.'
        : 'What it lists is looked at again.'
  note(`${KEYS.index} is not trusted: ${doubt}. ${follows}`)
}

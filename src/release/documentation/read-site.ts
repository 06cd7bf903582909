/** Reading back what a bucket says about its documentation. Absent is absent; what can't be trusted stops the work. */
import type { Bucket } from '../../buckets/types.ts'
import { sha256Of } from '../../bytes/digest.ts'
import { PitlaneError } from '../../errors.ts'
import { KEYS } from '../../plan/keys.ts'
import { documentationIn, type ReleaseDocument } from '../document.ts'
import type { DocumentCheck } from '../documents.ts'
import { SIDE_LIMIT } from '../verify/verify-document.ts'
import {
  DOCUMENTATION_LIMIT,
  type DocumentationFile,
  type DocumentationSite,
  parseFiles,
  parseSite,
} from './documents.ts'

type Read = Pick<Bucket, 'location' | 'read'>

/** A document with the SHA-256 of the bytes it was read from. */
export interface StoredSite {
  readonly site: DocumentationSite
  readonly sha256: string
  /** Whether both signatures are of it; where the one that comes last is not, whoever put it died before. */
  readonly isWhole: boolean
}

/**
 * What the site holds now; null when there is none.
 * @param name the project
 * @param check null where nothing is signed
 * @throws PitlaneError `VERIFICATION_FAILED`, `STATE_NEWER`
 */
export function readSiteNow(bucket: Read, name: string, check: DocumentCheck | null): Promise<StoredSite | null> {
  return readSite(bucket, KEYS.documentationNow, name, check)
}

/** The same of what was announced last. */
export function readSiteNext(bucket: Read, name: string, check: DocumentCheck | null): Promise<StoredSite | null> {
  return readSite(bucket, KEYS.documentationNext, name, check)
}

async function readSite(
  bucket: Read,
  key: string,
  name: string,
  check: DocumentCheck | null,
): Promise<StoredSite | null> {
  const bytes = await bucket.read(key, DOCUMENTATION_LIMIT)
  if (bytes === null) return null
  const where = `${bucket.location}/${key}`
  try {
    const site = parseSite(bytes, where)
    if (site.name !== name) throw new PitlaneError('VERIFICATION_FAILED', `${where} is of the project ${site.name}`)
    const isWhole = check === null || (await requireSigned(bucket, key, bytes, site, check))
    return { site, sha256: sha256Of(bytes), isWhole }
  } catch (error) {
    if (!(error instanceof PitlaneError) || error.code !== 'VERIFICATION_FAILED') throw error
    throw new PitlaneError(error.code, error.message, {
      hint: `It says what the documentation site holds. Put ${key} and its signatures back from a copy; or remove it: then the site is put anew, and what it does not hold any more stays.`,
      cause: error,
    })
  }
}

/** One of the signatures goes out before the document and one after it: at every moment one of them is its own. Tells whether both are. */
async function requireSigned(
  bucket: Read,
  key: string,
  bytes: Buffer,
  { name, serial }: DocumentationSite,
  check: DocumentCheck,
): Promise<boolean> {
  const minisig = await faultOf(bucket, `${key}.minisig`, (side) =>
    check.verify(bytes, side.toString('utf8'), key, { name, version: `serial-${serial}` }),
  )
  const sig = await faultOf(bucket, `${key}.sig`, (side) => check.verifyRaw(bytes, side, key))
  if (minisig !== null && sig !== null) throw minisig
  return minisig === null && sig === null
}

async function faultOf(bucket: Read, name: string, verify: (side: Buffer) => void): Promise<PitlaneError | null> {
  const side = await bucket.read(name, SIDE_LIMIT)
  if (side === null) return new PitlaneError('VERIFICATION_FAILED', `${bucket.location}/${name} is missing`)
  try {
    verify(side)
    return null
  } catch (error) {
    if (error instanceof PitlaneError && error.code === 'VERIFICATION_FAILED') return error
    throw error
  }
}

/**
 * The files of a version's documentation, as its release document binds them.
 * @throws PitlaneError `VERIFICATION_FAILED` when the list is gone or is another one
 */
export async function readFiles(bucket: Read, document: ReleaseDocument): Promise<readonly DocumentationFile[]> {
  const { version } = document
  const documentation = documentationIn(document)
  if (documentation === undefined) return []
  const key = KEYS.documentation(version)
  const bytes = await bucket.read(key, DOCUMENTATION_LIMIT)
  const where = `${bucket.location}/${key}`
  if (bytes === null) throw new PitlaneError('VERIFICATION_FAILED', `${where} is missing`)
  const sha256 = sha256Of(bytes)
  if (sha256 !== documentation.sha256)
    throw new PitlaneError(
      'VERIFICATION_FAILED',
      `${where} has SHA-256 ${sha256}, release.json says ${documentation.sha256}`,
    )
  return parseFiles(bytes, where, version).files
}

/** Reading back what a bucket says about its documentation. Absent is absent; what can't be trusted stops the work. */
import { createHash } from 'node:crypto'
import type { Bucket } from '../../buckets/types.ts'
import { PitlaneError } from '../../errors.ts'
import { KEYS } from '../../plan/keys.ts'
import type { ReleaseDocument } from '../document.ts'
import type { DocumentCheck } from '../documents.ts'
import { SIDE_LIMIT } from '../verify-document.ts'
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
    if (check !== null) await requireSigned(bucket, key, bytes, site, check)
    return { site, sha256: createHash('sha256').update(bytes).digest('hex') }
  } catch (error) {
    if (!(error instanceof PitlaneError) || error.code !== 'VERIFICATION_FAILED') throw error
    throw new PitlaneError(error.code, error.message, {
      hint: `It says what the documentation site holds. Put ${key} and its signatures back from a copy; or remove it: then the site is put anew, and what it does not hold any more stays.`,
      cause: error,
    })
  }
}

/** One of the signatures goes out before the document and one after it: at every moment one of them is its own. */
async function requireSigned(
  bucket: Read,
  key: string,
  bytes: Buffer,
  { name, serial }: DocumentationSite,
  check: DocumentCheck,
): Promise<void> {
  const minisig = await bucket.read(`${key}.minisig`, SIDE_LIMIT)
  if (minisig === null) throw new PitlaneError('VERIFICATION_FAILED', `${bucket.location}/${key}.minisig is missing`)
  try {
    check.verify(bytes, minisig.toString('utf8'), key, { name, version: `serial-${serial}` })
  } catch (error) {
    if (!(error instanceof PitlaneError) || error.code !== 'VERIFICATION_FAILED') throw error
    const sig = await bucket.read(`${key}.sig`, SIDE_LIMIT)
    if (sig === null) throw error
    try {
      check.verifyRaw(bytes, sig, key)
    } catch {
      throw error
    }
  }
}

/**
 * The files of a version's documentation, as its release document binds them.
 * @throws PitlaneError `VERIFICATION_FAILED` when the list is gone or is another one
 */
export async function readFiles(
  bucket: Read,
  { version, documentation }: Pick<ReleaseDocument, 'version' | 'documentation'>,
): Promise<readonly DocumentationFile[]> {
  if (documentation === undefined) return []
  const key = KEYS.documentation(version)
  const bytes = await bucket.read(key, DOCUMENTATION_LIMIT)
  const where = `${bucket.location}/${key}`
  if (bytes === null) throw new PitlaneError('VERIFICATION_FAILED', `${where} is missing`)
  const sha256 = createHash('sha256').update(bytes).digest('hex')
  if (sha256 !== documentation.sha256)
    throw new PitlaneError(
      'VERIFICATION_FAILED',
      `${where} has SHA-256 ${sha256}, release.json says ${documentation.sha256}`,
    )
  return parseFiles(bytes, where, version).files
}

/** A published release held against the public key and nothing else: what anybody can do with `pitlane verify`. */
import type { Bucket } from '../../buckets/types.ts'
import { PitlaneError } from '../../errors.ts'
import { checkImage } from '../../image/check.ts'
import type { Pullable } from '../../image/pulling.ts'
import { inParallel } from '../../parallel.ts'
import { KEYS } from '../../plan/keys.ts'
import type { Meter, Metering } from '../../run/meter.ts'
import { adoptedRemarks, unknownDigests } from '../adopt/document.ts'
import { byHandRemarks } from '../by-hand/by-hand.ts'
import {
  type AdoptedFile,
  builtOf,
  isAdopted,
  type ReleaseDocument,
  type ReleaseFile,
  type ReleaseImage,
  revisionOf,
} from '../document.ts'
import { DOCUMENT_LIMIT, parseDocument } from '../documents.ts'
import { Findings, type Skipped, wrong } from './findings.ts'
import { countedRegistry } from '../counted.ts'
import { checksums } from '../put-operations.ts'
import type { PublicKey } from '../keys/public-key.ts'
import { followRevisions, newestInBucket, newestInIndex, type StoredDocument } from '../revisions.ts'
import type { StateDocument } from '../states/state-document.ts'
import { type Published, readSides, verifySigned } from './verify-document.ts'
import { verifyFileOf } from './verify-file.ts'
import { verifyLists } from './verify-lists.ts'

export interface VerifyRequest {
  readonly bucket: Published
  /**
   * Where the images are, asked for once the document that names them is verified: nothing is done for a registry that a forged one names.
   * Null leaves the images out; the result says so.
   */
  readonly registryOf: (image: ReleaseImage) => Promise<Pullable | null>
  readonly version: string
  /** Null accepts only a release that says it is not signed. */
  readonly key: PublicKey | null
  /** Milliseconds since 1970, to tell whether the index has expired. */
  readonly now: number
  readonly metering: Metering
}

export interface Verification {
  readonly document: ReleaseDocument | null
  /** What was found right, one line each. */
  readonly checks: readonly string[]
  /** What was found wrong; empty when the release verifies. */
  readonly problems: readonly string[]
  /** What was not looked at. */
  readonly skipped: readonly Skipped[]
  /** What nobody can check, because the release does not say what it has to be: it has not passed. */
  readonly unknown: readonly string[]
  /** What is no fault and has to be said: that it was made by hand, or adopted, that a tag could not be taken away. */
  readonly remarks: readonly string[]
  /** What became of the release since, as the index and a document of its own say; null when nothing has. */
  readonly state: StateDocument | null
}

/** How many binaries are read at once: two are hashed while two more are waited for. */
const PARALLEL = 4
const SUMS_LIMIT = 4 * 1024 * 1024

export async function verifyRelease(asked: VerifyRequest): Promise<Verification> {
  const found = new Findings()
  let place: ReturnType<VerifyRequest['registryOf']> | undefined
  const request = { ...asked, registryOf: (image: ReleaseImage) => (place ??= asked.registryOf(image)) }
  const verified = await verifyDocument(request, found)
  const document = verified?.document ?? null
  let state: StateDocument | null = null
  if (verified !== null && document !== null) {
    const { sha256 } = verified
    const [sums, lists] = [new Findings(), new Findings()]
    const parts = await inParallel(
      [
        async () => {
          // Of what nobody has read there are none, and nothing else says what they would be.
          if (checksums(document) !== null) await verifySums(request, document, sums)
          return [sums]
        },
        () => verifyContent(request, document),
        async () => {
          state = await verifyLists(request, document, sha256, lists)
          return [lists]
        },
      ],
      3,
      (part) => part(),
    )
    for (const part of parts.flat()) found.add(part)
  }
  const { checks, problems, skipped } = found
  const { remarks, unknown } = remarksOf(document)
  return { document, checks, problems, skipped, unknown, remarks: [...remarks, ...found.remarks], state }
}

function remarksOf(document: ReleaseDocument | null): Pick<Verification, 'remarks' | 'unknown'> {
  if (document === null) return { remarks: [], unknown: [] }
  if (isAdopted(document)) return { remarks: adoptedRemarks(document), unknown: unknownDigests(document) }
  return { remarks: document.byHand === undefined ? [] : byHandRemarks(document.byHand), unknown: [] }
}

/** The document is looked at first: everything else is compared with it. Null when it can't be trusted. */
async function verifyDocument(request: VerifyRequest, found: Findings): Promise<StoredDocument | null> {
  const { bucket, version, key } = request
  const path = KEYS.document(version)
  const sides = key === null ? undefined : readSides(bucket, path)
  const first = await bucket.read(path, DOCUMENT_LIMIT)
  if (first === null) {
    throw new PitlaneError('NOT_FOUND', `${bucket.location} has no release ${version}`, {
      hint: `Expected ${path}. Is it the folder or address that holds ${KEYS.page}?`,
    })
  }
  const read = async (at: string) => {
    const bytes = at === path ? first : await bucket.read(at, DOCUMENT_LIMIT)
    if (bytes === null) return null
    const document = parseDocument(bytes, at, version)
    requireScheme(document, key)
    const signed = { name: document.name, version, path: at }
    if (key !== null) await verifySigned(bucket, bytes, signed, key, at === path ? sides : undefined)
    return { document, bytes }
  }
  let stored: StoredDocument | null = null
  await found.check(`release.json of ${version}`, async () => {
    stored = await followRevisions(version, read, () => newestShown(bucket, version))
  })
  return stored
}

/** Behind an address only the list tells. In a folder everything that lies there does, so that a list that was put back is told as old. */
async function newestShown(bucket: VerifyRequest['bucket'], version: string): Promise<number> {
  const named = await newestInIndex(bucket, version)
  return canList(bucket) ? Math.max(named, await newestInBucket(bucket, version)) : named
}

function canList(bucket: VerifyRequest['bucket']): bucket is Published & Pick<Bucket, 'list'> {
  return bucket.list !== undefined
}

function requireScheme(document: ReleaseDocument, key: PublicKey | null): void {
  if (key === null && document.signing.scheme !== 'none') {
    throw new PitlaneError('USAGE', `${document.version} is signed, and no key was given to verify it with`, {
      hint: 'Give it with --key.',
    })
  }
  if (key !== null && document.signing.scheme === 'none') {
    throw wrong(`${document.version} says that it is not signed, and a key was given`)
  }
}

async function verifySums(request: VerifyRequest, document: ReleaseDocument, found: Findings): Promise<void> {
  const { bucket, key } = request
  const { name, version } = document
  const path = KEYS.sums(version, revisionOf(document))
  await found.check('SHA256SUMS names exactly the files of release.json', async () => {
    const sides = key === null ? undefined : readSides(bucket, path)
    const bytes = await bucket.read(path, SUMS_LIMIT)
    if (bytes === null) throw wrong(`${path} is missing`)
    if (key !== null) await verifySigned(bucket, bytes, { name, version, path }, key, sides)
    if (bytes.toString('utf8') !== checksums(document)) throw wrong(`${path} says something else than release.json`)
  })
}

/** Binaries and images at the same time, as layers are unpacked on other threads; what was found in the order of the document. */
async function verifyContent(request: VerifyRequest, document: ReleaseDocument): Promise<readonly Findings[]> {
  const files: readonly (ReleaseFile | AdoptedFile)[] = document.files
  const image = builtOf(document)?.image ?? null
  // Where that is wrong, looking at the image tells it.
  const place = image === null ? null : await new Findings().attempt(() => request.registryOf(image))
  const looked = place?.value == null || image === null ? [] : [{ size: sizeOf(image.platforms) }]
  const about = {
    of: `${document.version} to verify it`,
    doing: 'reading',
    pieces: files.length + looked.length,
    bytes: sizeOf([...files, ...looked]),
  } as const
  const images = new Findings()
  return request.metering(about, async (meter) => {
    const [binaries] = await Promise.all([
      inParallel(files, PARALLEL, async (file) => {
        const found = new Findings()
        const piece = meter.piece(file.size)
        await verifyFileOf({ ...request, piece }, document, file, found)
        piece.done()
        return found
      }),
      verifyImages(request, document, meter, images),
    ])
    return [...binaries, images]
  })
}

function sizeOf(parts: readonly { readonly size: number }[]): number {
  return parts.reduce((sum, { size }) => sum + size, 0)
}

async function verifyImages(
  request: VerifyRequest,
  document: ReleaseDocument,
  meter: Meter,
  found: Findings,
): Promise<void> {
  const built = builtOf(document)
  const image = built?.image ?? null
  if (built === null || image === null) return
  const name = `${image.repository}:${image.tag}`
  const place = await found.attempt(() => request.registryOf(image))
  if (place === null) return
  const registry = place.value
  if (registry === null) {
    found.skipped.push({
      kind: 'image',
      what: `image ${name}`,
      remedy: 'give its registry or layout with --registry, or --no-images',
    })
    return
  }
  await found.check(`image ${name}@${image.digest}, ${image.platforms.length} platforms`, async () => {
    const binaries = new Map(built.files.map((file) => [file.target, file]))
    const piece = meter.piece(sizeOf(image.platforms))
    const findings = await checkImage(countedRegistry(registry, piece), image, binaries)
    piece.done()
    if (findings.length > 0) throw wrong(findings.map((finding) => `${finding.subject}: ${finding.problem}`).join('\n'))
  })
}

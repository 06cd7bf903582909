// What a reader of the bucket and the image layout may rely on at every moment, also in the middle of a publication: whatever a page, a
// list, a pointer or a tag names is there, with the bytes that were promised.
import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { KEYS } from '../../src/plan/keys.ts'
import { compareVersions } from '../../src/plan/version.ts'
import { isAdopted, ReleaseDocument } from '../../src/release/document.ts'
import { listedRevision, parseSiteIndex } from '../../src/release/lists/site-index.ts'

interface Published {
  readonly bucket: string
  readonly images: string
}

/** What was seen at one moment. */
export interface View {
  readonly problems: readonly string[]
  readonly serial: number
  readonly latest: string | null
  /** `repository:tag` → digest. */
  readonly tags: ReadonlyMap<string, string>
  /** By list: the versions that it names. */
  readonly versions: ReadonlyMap<string, ReadonlySet<string>>
}

/** Files of the site that stand for all releases. They name each other in circles, so the very first time some come before others. */
const STANDING: ReadonlySet<string> = new Set(
  Object.values<unknown>(KEYS).filter((key): key is string => typeof key === 'string'),
)
const LISTS = [KEYS.page, KEYS.garageList, KEYS.index, KEYS.atomStable, KEYS.atomAll] as const
const POINTERS = [KEYS.latest, KEYS.latestOf('extra'), KEYS.latestOf('development')] as const

/** `withdrawn`: a version that is, or is about to be; one list leaves it out, before the index says why. */
export function look({ bucket, images }: Published, withdrawn: string | null = null): View {
  const problems: string[] = []
  const versions = new Map<string, ReadonlySet<string>>()
  const object = (key: string) => (existsSync(join(bucket, key)) ? readFileSync(join(bucket, key)) : null)
  const mustBe = (by: string, key: string, sha256?: string) => {
    const bytes = object(key)
    if (bytes === null) problems.push(`${by} names ${key}, which is absent`)
    else if (sha256 !== undefined && sha(bytes) !== sha256) problems.push(`${by} names ${key} with other bytes`)
  }

  for (const list of LISTS) {
    const text = object(list)?.toString('utf8')
    if (text === undefined) continue
    const named = new Set(text.match(/_releases\/[A-Za-z0-9._+-]+(?:\/[A-Za-z0-9._+-]+)+/g))
    for (const key of named) if (!STANDING.has(key)) mustBe(list, key)
    versions.set(list, new Set([...named].map((key) => key.split('/')[1] ?? '')))
  }
  for (const pointer of POINTERS) {
    const version = object(pointer)?.toString('utf8').trim()
    if (version !== undefined) checkDocument(pointer, version, object, mustBe, problems)
  }
  const indexBytes = object(KEYS.index)
  const index = indexBytes === null ? null : parseSiteIndex(indexBytes, KEYS.index)
  for (const release of index?.releases ?? []) {
    const revision = listedRevision(release)
    mustBe(KEYS.index, KEYS.document(release.version, revision), release.document.sha256)
    checkDocument(KEYS.index, release.version, object, mustBe, problems, revision)
    for (const file of release.files)
      mustBe(KEYS.index, KEYS.binary(release.version, file.target, file.name), file.sha256 ?? undefined)
    // It comes last: what it names, everybody names, unless a newer publication is under way.
    for (const list of [KEYS.page, KEYS.garageList, KEYS.atomAll]) {
      if (release.version === withdrawn && list === KEYS.garageList) continue
      const text = object(list)?.toString('utf8') ?? ''
      if (!text.includes(release.version)) problems.push(`${KEYS.index} names ${release.version}, ${list} does not`)
    }
  }
  const tags = tagsOf(images, problems)
  for (const release of index?.releases ?? []) {
    const { image } = release
    const name = image?.reference.split('@')[0]
    if (image && tags.get(name ?? '') !== image.digest)
      problems.push(`${KEYS.index} names ${image.reference}, and ${name} is ${tags.get(name ?? '') ?? 'absent'}`)
  }
  for (const { repository, tag, digest } of index?.floating ?? [])
    if (digest !== null && !tags.has(`${repository}:${tag}`))
      problems.push(`${KEYS.index} names ${repository}:${tag}, which is absent`)
  const latest = object(KEYS.latest)?.toString('utf8').trim() ?? null
  return { problems, serial: index?.serial ?? 0, latest, tags, versions }
}

/** What the later of two looks shows and the earlier one forbids. */
export function backwards(before: View, after: View): string[] {
  const problems: string[] = []
  if (after.serial < before.serial) problems.push(`the serial went from ${before.serial} back to ${after.serial}`)
  if (before.latest !== null && (after.latest === null || compareVersions(after.latest, before.latest) < 0))
    problems.push(`latest went from ${before.latest} back to ${after.latest ?? 'nothing'}`)
  for (const [tag, digest] of before.tags)
    if (tag.endsWith(':latest')) {
      if (!after.tags.has(tag)) problems.push(`the tag ${tag} is gone`)
    } else if (after.tags.get(tag) !== digest) problems.push(`the tag ${tag} was ${digest}, is ${after.tags.get(tag)}`)
  for (const [list, named] of before.versions)
    for (const version of named)
      if (after.versions.get(list)?.has(version) !== true) problems.push(`${list} no longer names ${version}`)
  return problems
}

function checkDocument(
  by: string,
  version: string,
  object: (key: string) => Buffer | null,
  mustBe: (by: string, key: string, sha256?: string) => void,
  problems: string[],
  revision = 1,
): void {
  const key = KEYS.document(version, revision)
  const sums = KEYS.sums(version, revision)
  const bytes = object(key)
  if (bytes === null) return void problems.push(`${by} names ${version}, whose ${key} is absent`)
  const document = ReleaseDocument.parse(JSON.parse(bytes.toString('utf8')))
  const isDigested = document.files.every(({ sha256 }) => sha256 !== null)
  for (const beside of [...(isDigested ? [sums, `${sums}.minisig`] : []), `${key}.minisig`, `${key}.sig`])
    mustBe(by, beside)
  for (const file of document.files) {
    mustBe(key, file.path, file.sha256 ?? undefined)
    if (isAdopted(document)) continue
    mustBe(key, `${file.path}.sha256`)
    mustBe(key, `${file.path}.minisig`)
  }
}

interface Named {
  readonly digest: string
  readonly annotations?: Readonly<Record<string, string>>
}
interface Manifest {
  readonly manifests?: readonly Named[]
  readonly config?: Named
  readonly layers?: readonly Named[]
}

/** Follows every tag down to its layers. */
function tagsOf(images: string, problems: string[]): ReadonlyMap<string, string> {
  const tags = new Map<string, string>()
  const file = join(images, 'index.json')
  if (!existsSync(file)) return tags
  const follow = (by: string, digest: string, isManifest: boolean) => {
    const path = join(images, 'blobs', 'sha256', digest.slice('sha256:'.length))
    if (!existsSync(path)) return void problems.push(`${by} names ${digest}, which is absent`)
    const bytes = readFileSync(path)
    if (`sha256:${sha(bytes)}` !== digest) return void problems.push(`${by} names ${digest}, which has other bytes`)
    if (!isManifest) return
    const manifest = JSON.parse(bytes.toString('utf8')) as Manifest
    for (const child of manifest.manifests ?? []) follow(digest, child.digest, true)
    for (const blob of [...(manifest.config ? [manifest.config] : []), ...(manifest.layers ?? [])])
      follow(digest, blob.digest, false)
  }
  for (const { digest, annotations } of (JSON.parse(readFileSync(file, 'utf8')) as Manifest).manifests ?? []) {
    const name = annotations?.['org.opencontainers.image.ref.name'] ?? ''
    tags.set(name, digest)
    follow(name, digest, true)
  }
  return tags
}

function sha(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex')
}

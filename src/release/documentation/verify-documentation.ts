/** Whether the documentation that a release recorded is what people read: what is kept under the version, and the site where it is of it. */
import { documentationIn, type ReleaseDocument } from '../document.ts'
import { documentCheck } from '../documents.ts'
import { measureThere } from '../digest.ts'
import { type Findings, wrong } from '../verify/findings.ts'
import { inParallel } from '../../parallel.ts'
import { KEYS } from '../../plan/keys.ts'
import { verifySigned } from '../verify/verify-document.ts'
import type { ListRequest } from '../verify/verify-lists.ts'
import type { SiteIndex } from '../lists/site-index.ts'
import {
  DOCUMENTATION_LIMIT,
  type DocumentationFile,
  type DocumentationSite,
  entriesBelow,
  type SiteEntry,
} from './documents.ts'
import { readFiles, readSiteNext, readSiteNow } from './read-site.ts'

/** Files read at once. */
const PARALLEL = 8
/** Files that are told by name. */
const NAMED = 5

/** @param index null when it could not be read */
export async function verifyDocumentation(
  request: ListRequest,
  document: ReleaseDocument,
  index: SiteIndex | null,
  found: Findings,
): Promise<void> {
  const { version } = document
  const documentation = documentationIn(document)
  if (documentation === undefined) return
  let files: readonly DocumentationFile[] = []
  const { problems } = found
  const before = problems.length
  await found.check(`documentation.json lists ${documentation.files} files`, async () => {
    files = await readFiles(request.bucket, document)
    const key = KEYS.documentation(version)
    const bytes = request.key === null ? null : await request.bucket.read(key, DOCUMENTATION_LIMIT)
    if (bytes !== null && request.key !== null)
      await verifySigned(request.bucket, bytes, { name: document.name, version, path: key }, request.key)
    if (files.length !== documentation.files) throw wrong(`${KEYS.documentation(version)} lists ${files.length} files`)
  })
  if (problems.length > before) return
  const { kept } = documentation
  if (kept !== null)
    await found.check(`documentation of ${version} in ${kept}`, () => verifyFiles(request, entriesBelow(kept, files)))
  const shown = index?.documentation
  if (shown?.version !== version) return
  const title = `documentation in ${shown.path === '' ? 'the top of the bucket' : shown.path}, which is of ${version}`
  await found.check(title, async () => {
    const site = await shownSite(request, document.name, shown)
    // A later site is under way, and the lists do not say so yet.
    if (site === null) return
    const own = entriesBelow(site.path, files)
    const listed = new Map(site.files.map(({ key, sha256 }) => [key, sha256]))
    if (listed.size !== own.length || own.some(({ key, sha256 }) => listed.get(key) !== sha256))
      throw wrong(`${KEYS.documentationNow} lists other files than ${KEYS.documentation(version)}`)
    await verifyFiles(request, own)
  })
}

/** The site that the index names; null where it is being changed. */
async function shownSite(
  { bucket, key }: ListRequest,
  name: string,
  shown: NonNullable<SiteIndex['documentation']>,
): Promise<DocumentationSite | null> {
  const check = key === null ? null : documentCheck(key)
  const now = await readSiteNow(bucket, name, check)
  if (now === null) throw wrong(`${KEYS.documentationNow} is missing`)
  const { site, sha256 } = now
  if (site.serial > shown.serial) return null
  if (sha256 !== shown.document.sha256)
    throw wrong(
      `${KEYS.index} names ${KEYS.documentationNow} with SHA-256 ${shown.document.sha256}, and it has ${sha256}`,
    )
  const next = await readSiteNext(bucket, name, check)
  return next !== null && next.site.serial > site.serial ? null : site
}

async function verifyFiles({ bucket }: ListRequest, files: readonly SiteEntry[]): Promise<void> {
  const found = await inParallel(files, PARALLEL, async ({ key, size, sha256 }) => {
    const there = await measureThere(await bucket.open(key))
    if (there === null) return `${key} is missing`
    if (there.sha256 === sha256) return null
    return `${key} has SHA-256 ${there.sha256} and ${there.size} bytes, not ${sha256} and ${size}`
  })
  const faults = found.filter((fault) => fault !== null)
  if (faults.length === 0) return
  const more = faults.length > NAMED ? [`and ${faults.length - NAMED} more`] : []
  throw wrong([...faults.slice(0, NAMED), ...more].join('\n'))
}

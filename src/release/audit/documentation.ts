/** The documentation site, and what is kept of it under versions, against the documents that say what they hold. */
import { inParallel } from '../../parallel.ts'
import { KEYS } from '../../plan/keys.ts'
import { measureThere } from '../digest.ts'
import { documentationIn } from '../document.ts'
import { sizes } from '../documentation/change-site.ts'
import { entriesBelow, type SiteEntry } from '../documentation/documents.ts'
import { readFiles } from '../documentation/read-site.ts'
import type { ListParts } from '../lists/list-parts.ts'
import type { Site } from '../lists/read-site.ts'
import { Differences } from './difference.ts'
import type { AuditedVersions } from './versions.ts'

const PARALLEL = 4

/** Names of the site's own documents: each with its signatures. */
export const SITE_DOCUMENTS: readonly string[] = [KEYS.documentationNow, KEYS.documentationNext].flatMap((key) =>
  ['', '.minisig', '.sig'].map((side) => `${key}${side}`),
)

export async function auditDocumentation(
  { bucket }: ListParts,
  { documentation }: Pick<Site, 'documentation'>,
  { stored, leaving }: AuditedVersions,
  digest: boolean,
): Promise<Differences['all']> {
  const found = new Differences('bucket')
  const named = new Set<string>()
  const look = async (path: string, files: readonly SiteEntry[]) => {
    const there = await sizes(bucket, { path, files })
    const lost = files.filter(({ key, size }) => there.get(key) !== size)
    for (const { key } of files) named.add(key)
    for (const { key, size } of lost)
      found.add(key, there.has(key) ? `has ${there.get(key)} bytes instead of ${size}` : 'is missing')
    if (!digest) return there
    await inParallel(
      files.filter((file) => !lost.includes(file)),
      PARALLEL,
      async ({ key, sha256 }) => {
        if ((await measureThere(await bucket.open(key)))?.sha256 !== sha256) found.add(key, 'has other bytes')
      },
    )
    return there
  }
  for (const { document } of stored) {
    const kept = documentationIn(document)?.kept ?? null
    if (kept === null || leaving.has(document.version)) continue
    // Whether the list of its files is the right one is told with the version.
    const files = await new Differences('bucket').found(kept, () => readFiles(bucket, document))
    if (files !== null) await look(kept, entriesBelow(kept, files))
  }
  if (documentation === null) return found.all
  const { site, isWhole } = documentation
  if (!isWhole) found.add(KEYS.documentationNow, 'lacks one of its signatures: `pitlane pages rebuild` puts it')
  const there = await look(site.path, site.files)
  for (const { key } of site.leaving) named.add(key)
  // The top of the bucket holds everything else, too; what leaves with its version is named by the mark of that.
  if (site.path === '' || leaving.size > 0) return found.all
  for (const key of there.keys()) if (!named.has(key)) found.add(key, 'is named by no document')
  return found.all
}

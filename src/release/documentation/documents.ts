/**
 * Two documents about documentation. `documentation.json` of a version says which files its documentation has; `release.json` names it by its
 * digest, and it never changes. `_documentation.json` says what the site holds that people read now, and what it holds no more
 * and when that goes: everything that is to be known of the site stands in it, also for whoever comes from another machine.
 */
import { z } from 'zod'
import { keyFault } from '../../buckets/key.ts'
import { PitlaneError } from '../../errors.ts'
import { KEYS } from '../../plan/keys.ts'
import { hex64, isoDate, versionName } from '../document.ts'
import { parseFormat } from '../format.ts'

/** Bytes of either document. */
export const DOCUMENTATION_LIMIT = 64 * 1024 * 1024
/** More than a site has, with everything that has left it. */
const MOST_FILES = 200_000

/** The layout's own names: nothing of the documentation is called so, and so nothing else is ever replaced or removed. */
export function isForeign(key: string): boolean {
  return key.startsWith('_releases') || key.startsWith('.pitlane')
}

const size = z.int().nonnegative()
const relativePath = z.string().refine((path) => keyFault(path) === null, 'is no path')
/** A key that is no other part of the layout. */
export const siteKey = z
  .string()
  .refine((key) => keyFault(key) === null && !isForeign(key), 'is no name in a documentation site')
/** Empty for the top of the bucket, else ending with `/`. */
const sitePath = z
  .string()
  .refine((path) => path === '' || (path.endsWith('/') && keyFault(path.slice(0, -1)) === null && !isForeign(path)), {
    error: 'is no folder in the bucket',
  })

const DocumentationFiles = z.strictObject({
  format: z.literal('pitlane-documentation/1'),
  name: z.string(),
  version: versionName,
  /** In the order of the paths' bytes; paths are relative to the top of the site. */
  files: z.array(z.strictObject({ path: relativePath, size, sha256: hex64 })).max(MOST_FILES),
})
export type DocumentationFiles = z.infer<typeof DocumentationFiles>
export type DocumentationFile = DocumentationFiles['files'][number]

export const DocumentationSite = z.strictObject({
  format: z.literal('pitlane-documentation-site/1'),
  /** The project. */
  name: z.string(),
  /** Goes up with each change of the site. */
  serial: z.int().positive(),
  date: isoDate,
  path: sitePath,
  /** The release that it is of; null where somebody put it who named none. */
  version: versionName.nullable(),
  /** Everything that is there, in the order of the keys' bytes. */
  files: z.array(z.strictObject({ key: siteKey, size, sha256: hex64 })).max(MOST_FILES),
  /** What pages from before may still name, and when it is removed. */
  leaving: z.array(z.strictObject({ key: siteKey, removeAfter: isoDate })).max(MOST_FILES),
})
export type DocumentationSite = z.infer<typeof DocumentationSite>
export type SiteEntry = DocumentationSite['files'][number]

export function encodeFiles(document: DocumentationFiles): Buffer {
  return encode(DocumentationFiles.parse(document))
}

export function encodeSite(site: DocumentationSite): Buffer {
  return encode(DocumentationSite.parse(site))
}

/** Throws `STATE_NEWER`, and `VERIFICATION_FAILED` when the bytes are no such document. */
export function parseFiles(bytes: Buffer, name: string, version: string): DocumentationFiles {
  const what = 'a list of documentation'
  const files = parseFormat(bytes, name, { format: 'pitlane-documentation/1', schema: DocumentationFiles, what })
  if (files.version !== version) throw new PitlaneError('VERIFICATION_FAILED', `${name} is of ${files.version}`)
  return files
}

/** The same for the site. */
export function parseSite(bytes: Buffer, name: string): DocumentationSite {
  const what = 'the state of a documentation site'
  return parseFormat(bytes, name, { format: 'pitlane-documentation-site/1', schema: DocumentationSite, what })
}

/** Objects one to a line, so that thousands of them can be looked through. */
function encode(value: object): Buffer {
  const text = JSON.stringify(value, null, 2).replace(/\{\n\s+([^{}[\]]*?)\n\s+\}/g, (_, inner: string) => {
    return `{ ${inner.replace(/,\n\s+/g, ', ')} }`
  })
  return Buffer.from(`${text}\n`)
}

/** What a version's documentation is called where it lies below a prefix. */
export function entriesBelow(path: string, files: readonly DocumentationFile[]): readonly SiteEntry[] {
  const entries = files.map(({ path: file, size: bytes, sha256 }) => ({ key: `${path}${file}`, size: bytes, sha256 }))
  const foreign = entries.find(({ key }) => isForeign(key))
  if (foreign === undefined) return entries
  throw new PitlaneError('OUTPUT_UNFIT', `the documentation has ${foreign.key}, which belongs to Pitlane there`, {
    hint: `Give it another name, or let the documentation lie in a folder of its own: release.documentation.path. ${KEYS.releases} holds the releases.`,
  })
}

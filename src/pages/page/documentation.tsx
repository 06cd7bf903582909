import { TOP_PAGE } from '../../plan/documentation.ts'
import { documentationIn, type ReleaseDocument } from '../../release/document.ts'
import { relativeUrl } from '../../plan/key-url.ts'
import type { Catalogue } from '../catalogue.ts'
import { shortVersion } from '../text.ts'

/** The first page of the site, seen from the release page. */
export function documentationUrl({ site }: NonNullable<Catalogue['documentation']>): string {
  return relativeUrl(`${site.path}${TOP_PAGE}`)
}

/** Where the documentation of a version can be read, with the words for it; null where nowhere. */
function documentationOf(document: ReleaseDocument, catalogue: Catalogue): string | null {
  const { version } = document
  const documentation = documentationIn(document)
  if (catalogue.documentation?.site.version === version) return documentationUrl(catalogue.documentation)
  return documentation?.kept == null ? null : relativeUrl(`${documentation.kept}${TOP_PAGE}`)
}

/** A line with the link; nothing where there is none. */
export function Documentation({ document, catalogue }: { document: ReleaseDocument; catalogue: Catalogue }) {
  const href = documentationOf(document, catalogue)
  return href === null ? null : (
    <p>
      <a href={href}>Documentation of {shortVersion(document.version)}</a>
    </p>
  )
}

/** The same in a line of links. */
export function DocumentationLink({ document, catalogue }: { document: ReleaseDocument; catalogue: Catalogue }) {
  const href = documentationOf(document, catalogue)
  return href === null ? null : <a href={href}>documentation</a>
}

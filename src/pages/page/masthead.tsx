import { KEYS } from '../../plan/keys.ts'
import { builtOf } from '../../release/document.ts'
import { relativeUrl } from '../../plan/key-url.ts'
import { isInstallable } from '../adoption.ts'
import type { Catalogue } from '../catalogue.ts'
import { plainLine } from '../text.ts'
import { documentationUrl } from './documentation.tsx'
import { installedFrom, otherWord } from './others.tsx'

/** The project's name, and links to the sections that this page has. */
export function Masthead({ catalogue }: { catalogue: Catalogue }) {
  const featured = catalogue.featured
  const links = [
    featured && ['#_download', 'Download'],
    installedFrom(catalogue) !== null && ['#_install', 'Install'],
    featured && isInstallable(featured) && ['#_verify', 'Verify'],
    featured && builtOf(featured)?.image && ['#_image', 'Image'],
    catalogue.stable.some((document) => document !== featured) && ['#_older', otherWord(catalogue)],
    catalogue.extra.length > 0 && ['#_extra', 'Extra'],
    catalogue.development.length > 0 && ['#_development', 'Development'],
    catalogue.documentation && [documentationUrl(catalogue.documentation), 'Documentation'],
    [relativeUrl(KEYS.atomStable), 'Feed'],
  ].filter((link) => Array.isArray(link))
  return (
    <header class="masthead">
      <p>
        <strong>
          <bdi>{plainLine(catalogue.name)}</bdi>
        </strong>{' '}
        releases
      </p>
      <nav aria-label="On this page">
        <ul>
          {links.map(([href, words]) => (
            <li>
              <a href={href}>{words}</a>
            </li>
          ))}
        </ul>
      </nav>
    </header>
  )
}

import { KEYS } from '../../plan/keys.ts'
import { relativeUrl } from '../../plan/key-url.ts'
import type { Catalogue } from '../catalogue.ts'
import { shortVersion } from '../text.ts'
import { documentationUrl } from './documentation.tsx'

export function Footer({ catalogue }: { catalogue: Catalogue }) {
  return (
    <footer>
      <ul class="links">
        <li>
          <a href={relativeUrl(KEYS.index)}>index.json</a> for tools
        </li>
        <li>
          <a href={relativeUrl(KEYS.garageList)}>_releases.json</a>
        </li>
        <li>
          Feeds: <a href={relativeUrl(KEYS.atomStable)}>stable</a>, <a href={relativeUrl(KEYS.atomAll)}>everything</a>
        </li>
        <li>
          <a href={relativeUrl(KEYS.installScript)}>install.sh</a>
        </li>
        {catalogue.documentation === null ? null : (
          <li>
            <a href={documentationUrl(catalogue.documentation)}>Documentation</a>
            {catalogue.documentation.site.version === null
              ? null
              : ` of ${shortVersion(catalogue.documentation.site.version)}`}
          </li>
        )}
        {catalogue.sourceUrl === null ? null : (
          <li>
            <a href={catalogue.sourceUrl}>Source code</a>
          </li>
        )}
      </ul>
      <p>
        List number {catalogue.serial}. Made with Pitlane from the releases’ own documents; every value on this page is
        in their <code>release.json</code>.
      </p>
    </footer>
  )
}

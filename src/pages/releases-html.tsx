/**
 * `_releases.html`: for people. Works without JavaScript and without any other address than its own; links are relative, so that it
 * opens from a folder too. Section anchors start with an underscore, which no version does.
 */
import { renderToString } from 'preact-render-to-string'
import type { Catalogue } from './catalogue.ts'
import { Featured } from './page/featured.tsx'
import { Footer } from './page/footer.tsx'
import { Head } from './page/head.tsx'
import { Masthead } from './page/masthead.tsx'
import { NothingStable, OtherReleases } from './page/others.tsx'
import { SCRIPT } from './script.ts'

export function releasesPage(catalogue: Catalogue): string {
  const html = renderToString(<Page catalogue={catalogue} />)
  // A line per block, so that the source can be read and compared. None of these can be in running text, where `<` is escaped.
  const ends =
    /(<\/(?:head|title|style|script|header|nav|section|h[1-6]|p|ul|li|dl|dd|dt|pre|table|caption|thead|tr|details|summary|footer)>)/g
  return `<!doctype html>\n${html.replace(ends, '$1\n')}\n`
}

function Page({ catalogue }: { catalogue: Catalogue }) {
  const featured = catalogue.featured
  return (
    <html lang="en">
      <Head catalogue={catalogue} />
      <body>
        <a class="skip" href="#_main">
          Skip to the content
        </a>
        <Masthead catalogue={catalogue} />
        <main id="_main">
          {featured ? <Featured document={featured} catalogue={catalogue} /> : <NothingStable catalogue={catalogue} />}
          <OtherReleases catalogue={catalogue} />
        </main>
        <Footer catalogue={catalogue} />
        <script dangerouslySetInnerHTML={{ __html: SCRIPT }} />
      </body>
    </html>
  )
}

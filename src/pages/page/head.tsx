import { createHash } from 'node:crypto'
import { KEYS } from '../../plan/keys.ts'
import { relativeUrl } from '../../plan/key-url.ts'
import type { Catalogue } from '../catalogue.ts'
import { SCRIPT } from '../script.ts'
import { STYLE } from '../style.ts'
import { plainLine } from '../text.ts'

function sourceHash(text: string): string {
  return `'sha256-${createHash('sha256').update(text).digest('base64')}'`
}

const POLICY = [
  "default-src 'none'",
  `style-src ${sourceHash(STYLE)}`,
  `script-src ${sourceHash(SCRIPT)}`,
  'img-src data:',
  "base-uri 'none'",
  "form-action 'none'",
].join('; ')

/** What browsers and feed readers are told; the policy comes before the style sheet and the script that it allows. */
export function Head({ catalogue }: { catalogue: Catalogue }) {
  const name = plainLine(catalogue.name)
  const featured = catalogue.featured
  return (
    <head>
      <meta charset="utf-8" />
      <meta httpEquiv="Content-Security-Policy" content={POLICY} />
      <meta name="viewport" content="width=device-width, initial-scale=1" />
      <meta name="referrer" content="no-referrer" />
      <meta name="color-scheme" content="light dark" />
      <title>{featured ? `${name} ${featured.version} – releases` : `${name} – releases`}</title>
      <meta
        name="description"
        content={`Download ${name}: binaries and container images, with digests and signatures.`}
      />
      <link rel="icon" href="data:," />
      <link
        rel="alternate"
        type="application/atom+xml"
        title={`${name}: stable releases`}
        href={relativeUrl(KEYS.atomStable)}
      />
      <link
        rel="alternate"
        type="application/atom+xml"
        title={`${name}: everything`}
        href={relativeUrl(KEYS.atomAll)}
      />
      <link rel="alternate" type="application/json" title="Index for tools" href={relativeUrl(KEYS.index)} />
      <style dangerouslySetInnerHTML={{ __html: STYLE }} />
    </head>
  )
}

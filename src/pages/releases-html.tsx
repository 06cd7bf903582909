/**
 * `_releases.html`: for people. Works without JavaScript and without any other address than its own; links are relative, so that it
 * opens from a folder too. Section anchors start with an underscore, which no version does.
 */
import { createHash } from 'node:crypto'
import { renderToString } from 'preact-render-to-string'
import { type ReleaseDocument } from '../release/document.ts'
import { KEYS } from '../plan/keys.ts'
import { relativeUrl } from './address.ts'
import type { Catalogue } from './catalogue.ts'
import { installCommands, verifyCommands } from './commands.ts'
import { minisignKeyLine } from './index-json.ts'
import { CommandBlock } from './page/commands.tsx'
import { Evidence } from './page/evidence.tsx'
import { Files } from './page/files.tsx'
import { Image } from './page/image.tsx'
import { Notes } from './page/notes.tsx'
import { Releases } from './page/older.tsx'
import { testedCount } from './page/result.tsx'
import { SCRIPT } from './script.ts'
import { STYLE } from './style.ts'
import { humanDate, plainLine } from './text.ts'

export function releasesPage(catalogue: Catalogue): string {
  const html = renderToString(<Page catalogue={catalogue} />)
  // A line per block, so that the source can be read and compared. None of these can be in running text, where `<` is escaped.
  const ends =
    /(<\/(?:head|title|style|script|header|nav|section|h[1-6]|p|ul|li|dl|dd|dt|pre|table|caption|thead|tr|details|summary|footer)>)/g
  return `<!doctype html>\n${html.replace(ends, '$1\n')}\n`
}

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

function Page({ catalogue }: { catalogue: Catalogue }) {
  const name = plainLine(catalogue.name)
  const featured = catalogue.stable[0]
  return (
    <html lang="en">
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

function Masthead({ catalogue }: { catalogue: Catalogue }) {
  const featured = catalogue.stable[0]
  const links = [
    featured && ['#_download', 'Download'],
    catalogue.all.length > 0 && ['#_install', 'Install'],
    featured && ['#_verify', 'Verify'],
    featured?.image && ['#_image', 'Image'],
    catalogue.stable.length > 1 && ['#_older', 'Older'],
    catalogue.extra.length > 0 && ['#_extra', 'Extra'],
    catalogue.development.length > 0 && ['#_development', 'Development'],
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

function Featured({ document, catalogue }: { document: ReleaseDocument; catalogue: Catalogue }) {
  const first = document.files[0]
  const tested = testedCount(document.tests)
  const signed = document.signing.scheme === 'minisign'
  return (
    <>
      <section class="hero" id={document.version}>
        <h1>
          <bdi>{plainLine(catalogue.name)}</bdi> <span class="version">{document.version}</span>
        </h1>
        <p class="lead">
          The newest stable release, published on{' '}
          <time datetime={document.publishedAt}>{humanDate(document.publishedAt)}</time>.{' '}
          <a class="permalink" href={`#${document.version}`}>
            Permanent link
          </a>
        </p>
        <p class="badges">
          {signed ? (
            <span class="badge good">
              <span aria-hidden="true">✓ </span>signed
            </span>
          ) : null}
          <span class={`badge ${tested > 0 && tested === document.files.length ? 'good' : 'open'}`}>
            tested on {tested} of {document.files.length} platforms
          </span>
          {first && document.files.every((file) => file.elf.static) ? (
            <span class="badge plain">statically linked</span>
          ) : null}
          {document.image ? <span class="badge plain">container image</span> : null}
        </p>
        {signed ? null : <Unsigned />}
      </section>
      <section id="_download" aria-labelledby="_download-title">
        <h2 id="_download-title">Download</h2>
        <Files document={document} />
      </section>
      {first ? <Install catalogue={catalogue} version={null} /> : null}
      {document.notes === null ? null : (
        <section id="_notes" aria-labelledby="_notes-title">
          <h2 id="_notes-title">What is new</h2>
          <Notes notes={document.notes} level={3} />
        </section>
      )}
      {first ? (
        <section id="_verify" aria-labelledby="_verify-title">
          <h2 id="_verify-title">Verify</h2>
          {verifyCommands(catalogue, document, first).map((commands) => (
            <CommandBlock commands={commands} level={3} />
          ))}
          <PublicKey catalogue={catalogue} />
        </section>
      ) : null}
      {document.image ? (
        <section id="_image" aria-labelledby="_image-title">
          <h2 id="_image-title">Container image</h2>
          <Image document={document} level={3} />
        </section>
      ) : null}
      <section id="_evidence" aria-labelledby="_evidence-title">
        <h2 id="_evidence-title">How it was made</h2>
        <Evidence document={document} catalogue={catalogue} />
      </section>
    </>
  )
}

function Install({ catalogue, version }: { catalogue: Catalogue; version: string | null }) {
  return (
    <section id="_install" aria-labelledby="_install-title">
      <h2 id="_install-title">Install</h2>
      {installCommands(catalogue, version).map((commands) => (
        <CommandBlock commands={commands} level={3} />
      ))}
    </section>
  )
}

function Unsigned() {
  return (
    <p class="warning" role="note">
      <strong>This release is not signed.</strong> The digests tell whether a download is complete, not who made it.
    </p>
  )
}

function PublicKey({ catalogue }: { catalogue: Catalogue }) {
  if (catalogue.publicKey === null) return null
  return (
    <dl class="facts">
      <dt>Public key</dt>
      <dd>
        <code>{minisignKeyLine(catalogue.publicKey.minisign)}</code>
        <small class="links">
          <span>Key {catalogue.publicKey.keyId}</span>
          <a href={relativeUrl(KEYS.publicKey)}>minisign.pub</a>
          <a href={relativeUrl(KEYS.publicKeyPem)}>signing-key.pem</a>
        </small>
        <small>
          Compare it once with a copy from somewhere else: who can change this page can change the key on it.
        </small>
      </dd>
    </dl>
  )
}

function NothingStable({ catalogue }: { catalogue: Catalogue }) {
  const newest = catalogue.all[0]
  return (
    <>
      <section class="hero">
        <h1>
          <bdi>{plainLine(catalogue.name)}</bdi>
        </h1>
        <p class="lead">
          {newest ? 'There is no stable release yet. What there is stands below.' : 'Nothing has been released yet.'}
        </p>
        {newest ? null : (
          <p>
            The first release will appear here, with its files, digests and signatures. The{' '}
            <a href={relativeUrl(KEYS.atomStable)}>feed</a> will tell you.
          </p>
        )}
      </section>
      {newest && newest.files.length > 0 ? <Install catalogue={catalogue} version={newest.version} /> : null}
    </>
  )
}

function OtherReleases({ catalogue }: { catalogue: Catalogue }) {
  const older = catalogue.stable.slice(1)
  const count = catalogue.development.length
  return (
    <>
      {older.length === 0 ? null : (
        <section id="_older" aria-labelledby="_older-title">
          <h2 id="_older-title">Older versions</h2>
          <Releases documents={older} catalogue={catalogue} />
        </section>
      )}
      {catalogue.extra.length === 0 ? null : (
        <section id="_extra" aria-labelledby="_extra-title">
          <h2 id="_extra-title">Extra</h2>
          <p>Prereleases and other tags. Whole releases like the stable ones, but not what most people want.</p>
          <Releases documents={catalogue.extra} catalogue={catalogue} />
        </section>
      )}
      {count === 0 ? null : (
        <section id="_development" aria-labelledby="_development-title">
          <h2 id="_development-title">Development</h2>
          <p>Builds of single commits, named by the commit.</p>
          <details class="all">
            <summary>
              {count} development {count === 1 ? 'build' : 'builds'}
            </summary>
            <div class="body">
              <Releases documents={catalogue.development} catalogue={catalogue} />
            </div>
          </details>
        </section>
      )}
    </>
  )
}

function Footer({ catalogue }: { catalogue: Catalogue }) {
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

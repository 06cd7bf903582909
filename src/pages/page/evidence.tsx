import { publicName } from '../../event/promotion.ts'
import { type ReleaseDocument, revisionOf } from '../../release/document.ts'
import { KEYS } from '../../plan/keys.ts'
import { relativeUrl } from '../../plan/key-url.ts'
import type { Catalogue } from '../catalogue.ts'
import { humanDate, plainLine } from '../text.ts'

/** What is known about how a release came to be, and the documents that prove it. */
export function Evidence({ document, catalogue }: { document: ReleaseDocument; catalogue: Catalogue }) {
  const { version, signing, builder } = document
  const signed = signing.scheme === 'minisign'
  return (
    <dl class="facts">
      <dt>Commit</dt>
      <dd>
        <Commit document={document} sourceUrl={catalogue.sourceUrl} />
        <small>
          <bdi>{plainLine(document.subject)}</bdi>
        </small>
      </dd>
      {catalogue.sourceUrl === null ? null : (
        <>
          <dt>Source</dt>
          <dd class="links">
            <a href={`${catalogue.sourceUrl}/archive/${encodeURIComponent(document.tag ?? document.commit)}.tar.gz`}>
              .tar.gz
            </a>
            <a href={`${catalogue.sourceUrl}/archive/${encodeURIComponent(document.tag ?? document.commit)}.zip`}>
              .zip
            </a>
          </dd>
        </>
      )}
      <dt>Checks passed</dt>
      <dd>
        {document.checks.length === 0
          ? document.byHand === undefined
            ? 'none declared'
            : 'none were run: made by hand'
          : document.checks.map((check) => plainLine(check.name)).join(', ')}
      </dd>
      <dt>Published</dt>
      <dd>
        <time datetime={document.publishedAt}>
          {humanDate(document.publishedAt)}, {document.publishedAt.slice(11, 16)} UTC
        </time>
        , by {plainLine(publicName(document.promotion.actor))},{' '}
        {document.promotion.build === null ? 'by hand' : `from build ${document.promotion.build}`}, with Pitlane{' '}
        {plainLine(builder.pitlane)}
      </dd>
      <dt>Signature</dt>
      <dd>{signed ? <>Ed25519, key {signing.keyId}</> : 'none: this release is not signed'}</dd>
      <dt>Documents</dt>
      <dd>
        <DocumentLink name="release.json" at={KEYS.document(version, revisionOf(document))} signed={signed} />
        {document.documentation === undefined ? null : (
          <DocumentLink name="documentation.json" at={KEYS.documentation(version)} signed={signed} />
        )}
        <DocumentLink name="SHA256SUMS" at={KEYS.sums(version, revisionOf(document))} signed={signed} />
      </dd>
    </dl>
  )
}

function Commit({ document, sourceUrl }: { document: ReleaseDocument; sourceUrl: string | null }) {
  const id = <code>{document.commit}</code>
  return sourceUrl === null ? id : <a href={`${sourceUrl}/commit/${document.commit}`}>{id}</a>
}

function DocumentLink({ name, at, signed }: { name: string; at: string; signed: boolean }) {
  const href = relativeUrl(at)
  return (
    <span class="links">
      <a href={href}>{name}</a>
      {signed ? (
        <>
          <a href={`${href}.minisig`} aria-label={`.minisig, signature of ${name} for minisign`}>
            .minisig
          </a>
          <a href={`${href}.sig`} aria-label={`.sig, signature of ${name} for OpenSSL`}>
            .sig
          </a>
        </>
      ) : null}
    </span>
  )
}

import { publicName } from '../../event/promotion.ts'
import {
  type AdoptedDocument,
  type BuiltDocument,
  commitOf,
  digestedFiles,
  documentationIn,
  isAdopted,
  type ReleaseDocument,
  revisionOf,
} from '../../release/document.ts'
import { KEYS } from '../../plan/keys.ts'
import { relativeUrl } from '../../plan/key-url.ts'
import type { Catalogue } from '../catalogue.ts'
import { humanDate, plainLine } from '../text.ts'

/** What is known about how a release came to be, and the documents that prove it. */
export function Evidence({ document, catalogue }: { document: ReleaseDocument; catalogue: Catalogue }) {
  const { version, signing } = document
  const signed = signing.scheme === 'minisign'
  return (
    <dl class="facts">
      {isAdopted(document) ? (
        <AdoptedFacts document={document} catalogue={catalogue} />
      ) : (
        <BuiltFacts document={document} catalogue={catalogue} />
      )}
      <dt>Signature</dt>
      <dd>
        {signing.scheme === 'none'
          ? 'none: this release is not signed'
          : isAdopted(document)
            ? `none of its files; its document is signed with Ed25519, key ${signing.keyId}`
            : `Ed25519, key ${signing.keyId}`}
      </dd>
      <dt>Documents</dt>
      <dd>
        <DocumentLink name="release.json" at={KEYS.document(version, revisionOf(document))} signed={signed} />
        {documentationIn(document) === undefined ? null : (
          <DocumentLink name="documentation.json" at={KEYS.documentation(version)} signed={signed} />
        )}
        {digestedFiles(document) === null ? null : (
          <DocumentLink name="SHA256SUMS" at={KEYS.sums(version, revisionOf(document))} signed={signed} />
        )}
      </dd>
    </dl>
  )
}

function BuiltFacts({ document, catalogue }: { document: BuiltDocument; catalogue: Catalogue }) {
  const { builder } = document
  return (
    <>
      <dt>Commit</dt>
      <dd>
        <Commit commit={document.commit} sourceUrl={catalogue.sourceUrl} />
        <small>
          <bdi>{plainLine(document.subject)}</bdi>
        </small>
      </dd>
      <Source name={document.tag ?? document.commit} sourceUrl={catalogue.sourceUrl} />
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
        <Moment iso={document.publishedAt} />, by {plainLine(publicName(document.promotion.actor))},{' '}
        {document.promotion.build === null ? 'by hand' : `from build ${document.promotion.build}`}, with Pitlane{' '}
        {plainLine(builder.pitlane)}
      </dd>
    </>
  )
}

function AdoptedFacts({ document, catalogue }: { document: AdoptedDocument; catalogue: Catalogue }) {
  const { adopted, publishedAt, version } = document
  const commit = commitOf(document)
  return (
    <>
      {commit === null ? null : (
        <>
          <dt>Commit</dt>
          <dd>
            <Commit commit={commit} sourceUrl={catalogue.sourceUrl} />
            <small>as its name says</small>
          </dd>
        </>
      )}
      <Source name={version} sourceUrl={catalogue.sourceUrl} />
      <dt>Put here</dt>
      <dd>
        <Moment iso={publishedAt} />, by something else than Pitlane
      </dd>
      <dt>Adopted</dt>
      <dd>
        <Moment iso={adopted.adoptedAt} />, by {plainLine(publicName(adopted.actor))}, with Pitlane{' '}
        {plainLine(adopted.pitlane)}
      </dd>
    </>
  )
}

function Moment({ iso }: { iso: string }) {
  return (
    <time datetime={iso}>
      {humanDate(iso)}, {iso.slice(11, 16)} UTC
    </time>
  )
}

function Source({ name, sourceUrl }: { name: string; sourceUrl: string | null }) {
  if (sourceUrl === null) return null
  const archive = `${sourceUrl}/archive/${encodeURIComponent(name)}`
  return (
    <>
      <dt>Source</dt>
      <dd class="links">
        <a href={`${archive}.tar.gz`}>.tar.gz</a>
        <a href={`${archive}.zip`}>.zip</a>
      </dd>
    </>
  )
}

function Commit({ commit, sourceUrl }: { commit: string; sourceUrl: string | null }) {
  const id = <code>{commit}</code>
  return sourceUrl === null ? id : <a href={`${sourceUrl}/commit/${commit}`}>{id}</a>
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

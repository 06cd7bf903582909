import { builtOf, digestedFiles, type ReleaseDocument, revisionOf } from '../../release/document.ts'
import { isWithdrawn } from '../../release/states/state-document.ts'
import { KEYS } from '../../plan/keys.ts'
import { relativeUrl } from '../../plan/key-url.ts'
import { type Catalogue, tagsOf } from '../catalogue.ts'
import { humanDate, plainLine, shortVersion } from '../text.ts'
import { Adopted, Origin } from './adopted.tsx'
import { ByHand } from './by-hand.tsx'
import { withdrawalOf, withdrawalSentence } from '../withdrawal.ts'
import { Documentation, DocumentationLink } from './documentation.tsx'
import { Evidence } from './evidence.tsx'
import { Files } from './files.tsx'
import { Image } from './image.tsx'
import { Notes } from './notes.tsx'
import { Withdrawn } from './withdrawn.tsx'

/** So many of a section are shown whole; older ones get one line each, so that a page of a thousand releases stays light. */
const WHOLE = 10

/** A list of releases, newest first, each collapsed. */
export function Releases({ documents, catalogue }: { documents: readonly ReleaseDocument[]; catalogue: Catalogue }) {
  const rest = documents.slice(WHOLE)
  return (
    <>
      {documents.slice(0, WHOLE).map((document) => (
        <ReleaseDetails document={document} catalogue={catalogue} />
      ))}
      {rest.length === 0 ? null : (
        <details>
          <summary>
            {rest.length} older: {shortVersion(rest[0]?.version ?? '')} to {shortVersion(rest.at(-1)?.version ?? '')}
          </summary>
          <ReleaseLines documents={rest} catalogue={catalogue} />
        </details>
      )}
    </>
  )
}

/**
 * The anchor is inside the collapsed part, not on it: browsers open a `details` element by themselves when the address points at
 * something in it.
 */
function ReleaseDetails({ document, catalogue }: { document: ReleaseDocument; catalogue: Catalogue }) {
  const { version, channel } = document
  const built = builtOf(document)
  const withdrawn = isWithdrawn(catalogue.states, version)
  return (
    <details class={withdrawn ? 'release withdrawn' : 'release'}>
      <summary>
        <Version document={document} withdrawn={withdrawn} />{' '}
        <time datetime={document.publishedAt}>{humanDate(document.publishedAt)}</time>
        {channel === 'stable' ? null : <span class="badge plain">{plainLine(channel)}</span>}
        {withdrawn ? <span class="badge warn">withdrawn</span> : null}
        {document.signing.scheme === 'none' ? <span class="badge warn">not signed</span> : null}
        <Origin document={document} />
        {built !== null && version === built.commit ? (
          <span class="subject">
            <bdi>{plainLine(built.subject)}</bdi>
          </span>
        ) : null}
      </summary>
      <div class="body" id={version}>
        <h3 class="visually-hidden">{shortVersion(version)}</h3>
        <Withdrawn document={document} catalogue={catalogue} />
        <ByHand document={document} />
        <Documentation document={document} catalogue={catalogue} />
        <Adopted document={document} />
        {built === null || built.notes === null ? null : <Notes notes={built.notes} level={4} />}
        <Files document={document} />
        {built === null || built.image === null ? null : (
          <>
            <h4>Container image</h4>
            <Image image={built.image} level={5} tags={tagsOf(catalogue, document)} />
          </>
        )}
        <Evidence document={document} catalogue={catalogue} />
        <p class="permalink-line">
          <a href={`#${version}`}>Permanent link to {shortVersion(version)}</a>
        </p>
      </div>
    </details>
  )
}

/** Struck through where it is withdrawn; the badge beside it says so in words. */
function Version({ document, withdrawn }: { document: ReleaseDocument; withdrawn: boolean }) {
  const name = shortVersion(document.version)
  return <span class="version">{withdrawn ? <s>{name}</s> : name}</span>
}

function withdrawnWords(catalogue: Catalogue, { version }: ReleaseDocument): string {
  const withdrawal = withdrawalOf(catalogue, version)
  return withdrawal === null ? '' : withdrawalSentence(withdrawal)
}

function ReleaseLines({ documents, catalogue }: { documents: readonly ReleaseDocument[]; catalogue: Catalogue }) {
  return (
    <table class="lines" role="table">
      <caption class="visually-hidden">Older releases, newest first</caption>
      <thead role="rowgroup">
        <tr role="row">
          <th role="columnheader" scope="col">
            Version
          </th>
          <th role="columnheader" scope="col">
            Published
          </th>
          <th role="columnheader" scope="col">
            Files
          </th>
          <th role="columnheader" scope="col">
            Documents
          </th>
        </tr>
      </thead>
      <tbody role="rowgroup">
        {documents.map((document) => (
          <tr role="row" id={document.version}>
            <th role="rowheader" scope="row">
              <a class="permalink" href={`#${document.version}`}>
                <Version document={document} withdrawn={isWithdrawn(catalogue.states, document.version)} />
              </a>
              {isWithdrawn(catalogue.states, document.version) ? (
                <>
                  {' '}
                  <span class="badge warn">withdrawn</span>
                  <small>{withdrawnWords(catalogue, document)}</small>
                </>
              ) : null}
            </th>
            <td role="cell">
              <time datetime={document.publishedAt}>{document.publishedAt.slice(0, 10)}</time>
            </td>
            <td role="cell">
              <span class="links">
                {document.files.map((file) => (
                  <a href={relativeUrl(file.path)} title={`SHA-256 ${file.sha256 ?? 'unknown'}`}>
                    {plainLine(file.platform).replace(/^linux\//, '')}
                  </a>
                ))}
              </span>
            </td>
            <td role="cell">
              <span class="links">
                {digestedFiles(document) === null ? null : (
                  <a href={relativeUrl(KEYS.sums(document.version, revisionOf(document)))}>SHA256SUMS</a>
                )}
                <a href={relativeUrl(KEYS.document(document.version, revisionOf(document)))}>release.json</a>
                <DocumentationLink document={document} catalogue={catalogue} />
                {document.signing.scheme === 'none' ? <span class="badge warn">not signed</span> : null}
                <Origin document={document} />
              </span>
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}

import type { ReleaseDocument } from '../../release/document.ts'
import { type Catalogue, isWhole, tagsOf } from '../catalogue.ts'
import { humanDate, plainLine } from '../text.ts'
import { ByHand } from './by-hand.tsx'
import { Documentation } from './documentation.tsx'
import { Evidence } from './evidence.tsx'
import { Files } from './files.tsx'
import { Image } from './image.tsx'
import { Install } from './install.tsx'
import { Notes } from './notes.tsx'
import { testedCount } from './result.tsx'
import { Verify } from './verify.tsx'
import { Withdrawn } from './withdrawn.tsx'

/** The newest stable release, whole. Section anchors start with an underscore, which no version does. */
export function Featured({ document, catalogue }: { document: ReleaseDocument; catalogue: Catalogue }) {
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
          {first && document.files.every((file) => file.elf?.static === true) ? (
            <span class="badge plain">statically linked</span>
          ) : null}
          {document.image ? <span class="badge plain">container image</span> : null}
        </p>
        {signed ? null : <Unsigned />}
        {withdrawnSince(catalogue, document).map((withdrawn) => (
          <Withdrawn document={withdrawn} catalogue={catalogue} />
        ))}
        <ByHand document={document} />
        <Documentation document={document} catalogue={catalogue} />
      </section>
      <section id="_download" aria-labelledby="_download-title">
        <h2 id="_download-title">Download</h2>
        <Files document={document} />
      </section>
      {first ? <Install catalogue={catalogue} version={isWhole(document) ? null : document.version} /> : null}
      {document.notes === null ? null : (
        <section id="_notes" aria-labelledby="_notes-title">
          <h2 id="_notes-title">What is new</h2>
          <Notes notes={document.notes} level={3} />
        </section>
      )}
      {first ? <Verify document={document} file={first} catalogue={catalogue} /> : null}
      {document.image ? (
        <section id="_image" aria-labelledby="_image-title">
          <h2 id="_image-title">Container image</h2>
          <Image image={document.image} level={3} tags={tagsOf(catalogue, document)} />
        </section>
      ) : null}
      <section id="_evidence" aria-labelledby="_evidence-title">
        <h2 id="_evidence-title">How it was made</h2>
        <Evidence document={document} catalogue={catalogue} />
      </section>
    </>
  )
}

/** Newer stable releases that people may look for: the list is newest first. */
function withdrawnSince({ stable }: Catalogue, featured: ReleaseDocument): readonly ReleaseDocument[] {
  return stable.slice(0, stable.indexOf(featured))
}

function Unsigned() {
  return (
    <p class="warning" role="note">
      <strong>This release is not signed.</strong> The digests tell whether a download is complete, not who made it.
    </p>
  )
}

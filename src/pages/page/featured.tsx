import { type BuiltDocument, builtOf, type ReleaseDocument } from '../../release/document.ts'
import { isInstallable } from '../adoption.ts'
import { type Catalogue, isWhole, tagsOf } from '../catalogue.ts'
import { humanDate, plainLine } from '../text.ts'
import { Adopted, Origin } from './adopted.tsx'
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
  const built = builtOf(document)
  const image = built?.image ?? null
  const checked = first !== undefined && isInstallable(document) ? first : null
  const signed = document.signing.scheme === 'minisign'
  return (
    <>
      <section class="hero" id={document.version}>
        <h1>
          <bdi>{plainLine(catalogue.name)}</bdi> <span class="version">{document.version}</span>
        </h1>
        <p class="lead">
          The newest stable release, {built === null ? 'put here' : 'published'} on{' '}
          <time datetime={document.publishedAt}>{humanDate(document.publishedAt)}</time>.{' '}
          <a class="permalink" href={`#${document.version}`}>
            Permanent link
          </a>
        </p>
        <p class="badges">
          {built === null ? <Origin document={document} /> : <BuiltBadges document={built} signed={signed} />}
        </p>
        {signed || built === null ? null : <Unsigned />}
        {withdrawnSince(catalogue, document).map((withdrawn) => (
          <Withdrawn document={withdrawn} catalogue={catalogue} />
        ))}
        <ByHand document={document} />
        <Documentation document={document} catalogue={catalogue} />
        <Adopted document={document} />
      </section>
      <section id="_download" aria-labelledby="_download-title">
        <h2 id="_download-title">Download</h2>
        <Files document={document} />
      </section>
      {checked ? <Install catalogue={catalogue} version={isWhole(document) ? null : document.version} /> : null}
      {built === null || built.notes === null ? null : (
        <section id="_notes" aria-labelledby="_notes-title">
          <h2 id="_notes-title">What is new</h2>
          <Notes notes={built.notes} level={3} />
        </section>
      )}
      {checked ? <Verify document={document} file={checked} catalogue={catalogue} /> : null}
      {image ? (
        <section id="_image" aria-labelledby="_image-title">
          <h2 id="_image-title">Container image</h2>
          <Image image={image} level={3} tags={tagsOf(catalogue, document)} />
        </section>
      ) : null}
      <section id="_evidence" aria-labelledby="_evidence-title">
        <h2 id="_evidence-title">How it was made</h2>
        <Evidence document={document} catalogue={catalogue} />
      </section>
    </>
  )
}

function BuiltBadges({ document, signed }: { document: BuiltDocument; signed: boolean }) {
  const tested = testedCount(document.tests)
  const { files } = document
  return (
    <>
      {signed ? (
        <span class="badge good">
          <span aria-hidden="true">✓ </span>signed
        </span>
      ) : null}
      <span class={`badge ${tested > 0 && tested === files.length ? 'good' : 'open'}`}>
        tested on {tested} of {files.length} platforms
      </span>
      {files.length > 0 && files.every((file) => file.elf?.static === true) ? (
        <span class="badge plain">statically linked</span>
      ) : null}
      {document.image ? <span class="badge plain">container image</span> : null}
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

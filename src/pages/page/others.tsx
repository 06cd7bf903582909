import { KEYS } from '../../plan/keys.ts'
import type { ReleaseDocument } from '../../release/document.ts'
import { relativeUrl } from '../../plan/key-url.ts'
import { isInstallable } from '../adoption.ts'
import type { Catalogue } from '../catalogue.ts'
import { plainLine } from '../text.ts'
import { Install } from './install.tsx'
import { Releases } from './older.tsx'
import { Withdrawn } from './withdrawn.tsx'

/** In place of the newest stable release, where there is none. */
export function NothingStable({ catalogue }: { catalogue: Catalogue }) {
  const newest = installedFrom(catalogue)
  const isEmpty = catalogue.all.length === 0
  return (
    <>
      <section class="hero">
        <h1>
          <bdi>{plainLine(catalogue.name)}</bdi>
        </h1>
        <p class="lead">
          {isEmpty
            ? 'Nothing has been released yet.'
            : catalogue.stable.length === 0
              ? 'There is no stable release yet. What there is stands below.'
              : 'There is no stable release at present: what there was is withdrawn.'}
        </p>
        {catalogue.stable.slice(0, 1).map((document) => (
          <Withdrawn document={document} catalogue={catalogue} />
        ))}
        {!isEmpty ? null : (
          <p>
            The first release will appear here, with its files, digests and signatures. The{' '}
            <a href={relativeUrl(KEYS.atomStable)}>feed</a> will tell you.
          </p>
        )}
      </section>
      {newest ? <Install catalogue={catalogue} version={newest.version} /> : null}
    </>
  )
}

/** What the page says how to install: the newest stable release, else the newest that there is; null where it can't be checked. */
export function installedFrom({ featured, offered }: Catalogue): ReleaseDocument | null {
  const document = featured ?? offered[0]
  return document !== undefined && isInstallable(document) ? document : null
}

/** A version that is withdrawn may be newer than the one that is shown first. */
export function otherWord({ stable, featured }: Catalogue): 'Older' | 'Other' {
  return stable[0] === featured ? 'Older' : 'Other'
}

/** Older, extra and development releases. */
export function OtherReleases({ catalogue }: { catalogue: Catalogue }) {
  const older = catalogue.stable.filter((document) => document !== catalogue.featured)
  const count = catalogue.development.length
  return (
    <>
      {older.length === 0 ? null : (
        <section id="_older" aria-labelledby="_older-title">
          <h2 id="_older-title">{otherWord(catalogue)} versions</h2>
          <Releases documents={older} catalogue={catalogue} />
        </section>
      )}
      {catalogue.extra.length === 0 ? null : (
        <section id="_extra" aria-labelledby="_extra-title">
          <h2 id="_extra-title">Extra</h2>
          <p>Prereleases and other tags: not what most people want.</p>
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

/** Atom feeds (RFC 4287) with tag: ids (RFC 4151). Summaries are plain text; nothing of a release becomes markup. */
import { commitOf, isAdopted, isoSeconds, type ReleaseDocument } from '../release/document.ts'
import { KEYS } from '../plan/keys.ts'
import { absoluteUrl } from '../plan/key-url.ts'
import { FEED_ENTRIES } from '../release/lists/site-index.ts'
import { ADOPTED, adoptionSentences } from './adoption.ts'
import type { Catalogue } from './catalogue.ts'
import { withdrawalOf, withdrawalSentence } from './withdrawal.ts'
import { cut, plainLine, plainText, shortVersion } from './text.ts'

/** A feed tells what is new; the whole list is `index.json`. */
const MAX_SUMMARY = 4000

type FeedKind = 'stable' | 'all'

export function atomFeed(catalogue: Catalogue, kind: FeedKind): string {
  const documents = (kind === 'stable' ? catalogue.stable : catalogue.all)
    .map((document) => ({ document, updated: updatedAt(catalogue, document) }))
    .toSorted((a, b) => (a.updated < b.updated ? 1 : a.updated > b.updated ? -1 : 0))
    .slice(0, FEED_ENTRIES)
  const name = plainLine(catalogue.name)
  const self = absoluteUrl(catalogue.baseUrl, kind === 'stable' ? KEYS.atomStable : KEYS.atomAll)
  return [
    '<?xml version="1.0" encoding="utf-8"?>',
    '<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="en">',
    `  <id>${escapeXml(tagUri(catalogue, kind))}</id>`,
    `  <title type="text">${escapeXml(`${name} ${kind === 'stable' ? 'stable releases' : 'releases and builds'}`)}</title>`,
    `  <updated>${documents[0]?.updated ?? isoSeconds(catalogue.generatedAt)}</updated>`,
    `  <author><name>${escapeXml(name)}</name></author>`,
    `  <link rel="self" type="application/atom+xml" href="${escapeXml(self)}"/>`,
    `  <link rel="alternate" type="text/html" href="${escapeXml(absoluteUrl(catalogue.baseUrl, KEYS.page))}"/>`,
    ...documents.flatMap(({ document, updated }) => entry(catalogue, document, updated)),
    '</feed>',
    '',
  ].join('\n')
}

/** A release that is withdrawn, or put back, is news again. */
function updatedAt({ states }: Catalogue, { version, publishedAt }: ReleaseDocument): string {
  const date = states.get(version)?.state.date ?? publishedAt
  return date > publishedAt ? date : publishedAt
}

function entry(catalogue: Catalogue, document: ReleaseDocument, updated: string): readonly string[] {
  const withdrawal = withdrawalOf(catalogue, document.version)
  const page = `${absoluteUrl(catalogue.baseUrl, KEYS.page)}#${document.version}`
  const title = `${plainLine(catalogue.name)} ${shortVersion(document.version)}${isAdopted(document) ? ' (adopted)' : ''}${withdrawal === null ? '' : ' (withdrawn)'}`
  const platforms = document.files.map((file) => file.platform).join(', ')
  const told = isAdopted(document)
    ? `${ADOPTED} ${adoptionSentences(document)}`
    : plainText(document.notes ?? document.subject).trim()
  const commit = commitOf(document)
  const summary = [
    withdrawal === null ? '' : withdrawalSentence(withdrawal),
    told,
    `Channel ${document.channel}. Platforms: ${platforms || 'none'}.${commit === null ? '' : ` Commit ${commit}.`}`,
  ]
    .filter((paragraph) => paragraph !== '')
    .map((paragraph) => cut(paragraph, MAX_SUMMARY))
    .join('\n\n')
  return [
    '  <entry>',
    `    <id>${escapeXml(tagUri(catalogue, `release/${document.version}`))}</id>`,
    `    <title type="text">${escapeXml(title)}</title>`,
    `    <updated>${updated}</updated>`,
    `    <published>${document.publishedAt}</published>`,
    `    <category term="${escapeXml(document.channel)}"/>`,
    `    <link rel="alternate" type="text/html" href="${escapeXml(page)}"/>`,
    `    <summary type="text">${escapeXml(summary)}</summary>`,
    '  </entry>',
  ]
}

/**
 * An id must never change, so nothing in it comes from the time of rendering. The year says when the host belonged to the project; RFC 4151
 * asks for one and compares it as text.
 */
function tagUri(catalogue: Catalogue, specific: string): string {
  const { hostname } = new URL(catalogue.baseUrl)
  const authority = /^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/.test(hostname) ? hostname : 'localhost'
  const path = [catalogue.name.toWellFormed(), ...specific.split('/')].map(encodeURIComponent).join('/')
  return `tag:${authority},2026:${path}`
}

function escapeXml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;')
}

/** Everything in a bucket that is computed from all of its releases. Pure: the same documents give the same bytes. */
import { createHash } from 'node:crypto'
import { KEYS } from '../plan/keys.ts'
import { catalogue, type SiteInput } from './catalogue.ts'
import { atomFeed } from './feed.ts'
import { siteIndex } from './index-json.ts'
import { installScript } from './install-sh.ts'
import { pointerFiles } from './pointers.ts'
import { releasesPage } from './releases-html.tsx'
import { stableLinks } from './stable-links.ts'
import { garageList } from './releases-json.ts'

export type { SiteInput } from './catalogue.ts'

export interface SiteFile {
  /** Key in the bucket. */
  readonly key: string
  readonly bytes: Buffer
  readonly contentType: string
  readonly cacheControl: string
  /** Where readers are sent on to. */
  readonly redirect?: string
}

/** All of these change with every publication: a reader asks whether his copy is still the newest. */
const CACHE_CONTROL = 'no-cache'
const TEXT = 'text/plain; charset=utf-8'
const JSON_TYPE = 'application/json'
const ATOM = 'application/atom+xml; charset=utf-8'

/**
 * The files in the order in which they have to be written: what names releases, then the pointers, then `index.json`, the commit object
 * from which a later run heals the others.
 * @throws PitlaneError `CONFIG_INVALID` (address or channel name), `CONTRADICTION` (a version twice)
 */
export function renderSite(input: SiteInput): readonly SiteFile[] {
  const site = catalogue(input)
  const keys =
    site.publicKey === null
      ? []
      : [file(KEYS.publicKey, TEXT, site.publicKey.minisign), file(KEYS.publicKeyPem, TEXT, site.publicKey.pem)]
  const pages = [
    ...keys,
    file(KEYS.installScript, TEXT, installScript(site)),
    file(KEYS.garageList, JSON_TYPE, `${JSON.stringify(garageList(site), null, 2)}\n`),
    file(KEYS.atomAll, ATOM, atomFeed(site, 'all')),
    file(KEYS.atomStable, ATOM, atomFeed(site, 'stable')),
    file(KEYS.page, 'text/html; charset=utf-8', releasesPage(site)),
    ...pointerFiles(site).map(({ key, text }) => file(key, TEXT, text)),
  ]
  const named = pages.map(({ key: path, bytes }) => ({
    path,
    size: bytes.length,
    sha256: createHash('sha256').update(bytes).digest('hex'),
  }))
  const links = stableLinks(site).map(({ key, to }) => ({ ...file(key, TEXT, `${to}\n`), redirect: to }))
  return [...pages, ...links, file(KEYS.index, JSON_TYPE, `${JSON.stringify(siteIndex(site, named), null, 2)}\n`)]
}

function file(key: string, contentType: string, text: string): SiteFile {
  return { key, bytes: Buffer.from(text), contentType, cacheControl: CACHE_CONTROL }
}

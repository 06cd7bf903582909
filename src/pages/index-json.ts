/**
 * `_releases/index.json`: everything that people otherwise scrape, in one document. Read as it is by mise (`versions`, the last one is the
 * latest) and by Renovate's custom datasource (`releases`, with its field names). Those optional fields are left out when there is nothing to
 * say, because Renovate refuses null; our own fields are always there and null then.
 */
import {
  builtOf,
  commitOf,
  digestedFiles,
  isAdopted,
  isoSeconds,
  type ReleaseDocument,
  revisionOf,
} from '../release/document.ts'
import { TOP_PAGE } from '../plan/documentation.ts'
import { KEYS } from '../plan/keys.ts'
import { absoluteUrl } from '../plan/key-url.ts'
import type { IndexPage, IndexRelease, SiteIndex } from '../release/lists/site-index.ts'
import { isWithdrawn, type StoredState } from '../release/states/state-document.ts'
import { type Catalogue, isWhole } from './catalogue.ts'

const DAY = 86_400_000
const EXPIRY_DAYS = 90

/** @param pages everything else that is computed with it, as it is written */
export function siteIndex(catalogue: Catalogue, pages: readonly IndexPage[]): SiteIndex {
  const { baseUrl, publicKey, sourceUrl } = catalogue
  return {
    format: 'pitlane-index/1',
    name: catalogue.name,
    serial: catalogue.serial,
    generatedAt: isoSeconds(catalogue.generatedAt),
    expiresAt: isoSeconds(catalogue.generatedAt + EXPIRY_DAYS * DAY),
    homepage: absoluteUrl(baseUrl, KEYS.page),
    ...(sourceUrl === null ? {} : { sourceUrl }),
    publicKey: publicKey && {
      minisign: minisignKeyLine(publicKey.minisign),
      keyId: publicKey.keyId,
      minisignUrl: absoluteUrl(baseUrl, KEYS.publicKey),
      pemUrl: absoluteUrl(baseUrl, KEYS.publicKeyPem),
    },
    ...(catalogue.documentation === null ? {} : { documentation: shownDocumentation(catalogue) }),
    pointers: Object.fromEntries(catalogue.pointers),
    ...(catalogue.stableLinks && { stableLinks: true as const }),
    ...(catalogue.floating.length > 0 && { floating: [...catalogue.floating] }),
    pages: [...pages],
    versions: catalogue.offered
      .filter((document) => document.channel === 'stable' && isWhole(document))
      .map(({ version }) => version)
      .toReversed(),
    // Whoever takes the first one must not get one that is withdrawn.
    releases: [
      ...catalogue.offered,
      ...catalogue.all.filter(({ version }) => isWithdrawn(catalogue.states, version)),
    ].map((document) => indexRelease(document, catalogue)),
  }
}

function shownDocumentation({ documentation, baseUrl, publicKey }: Catalogue): SiteIndex['documentation'] {
  if (documentation === null) return undefined
  const { site, sha256 } = documentation
  const url = (key: string) => absoluteUrl(baseUrl, key)
  const signed = publicKey !== null
  return {
    url: url(`${site.path}${TOP_PAGE}`),
    path: site.path,
    version: site.version,
    serial: site.serial,
    document: {
      url: url(KEYS.documentationNow),
      sha256,
      minisigUrl: signed ? url(`${KEYS.documentationNow}.minisig`) : null,
      sigUrl: signed ? url(`${KEYS.documentationNow}.sig`) : null,
    },
  }
}

/** The base64 line of a minisign public key file. */
export function minisignKeyLine(text: string): string {
  return text.trim().split('\n').at(-1)?.trim() ?? ''
}

function indexRelease(document: ReleaseDocument, catalogue: Catalogue): IndexRelease {
  const { baseUrl, sourceUrl, documentSha256, states } = catalogue
  const withdrawn = isWithdrawn(states, document.version)
  const stored = states.get(document.version)
  const isSigned = document.signing.scheme === 'minisign'
  const built = builtOf(document)
  // What was adopted has nothing beside its files.
  const signed = isSigned && built !== null
  const url = (key: string) => absoluteUrl(baseUrl, key)
  const signatures = (key: string) => ({
    minisigUrl: isSigned ? url(`${key}.minisig`) : null,
    sigUrl: isSigned ? url(`${key}.sig`) : null,
  })
  const image = built?.image ?? null
  const byHand = built?.byHand
  const documentation = built?.documentation
  const at = KEYS.document(document.version, revisionOf(document))
  const sums = KEYS.sums(document.version, revisionOf(document))
  return {
    version: document.version,
    releaseTimestamp: document.publishedAt,
    changelogUrl: `${url(KEYS.page)}#${document.version}`,
    isStable: document.channel === 'stable' && !withdrawn,
    isDeprecated: withdrawn,
    ...(sourceUrl === null ? {} : { sourceUrl }),
    ...(image === null ? {} : { digest: image.digest }),
    date: document.publishedAt,
    channel: document.channel,
    tag: built?.tag ?? null,
    commit: commitOf(document),
    withdrawn,
    signed,
    files: document.files.map((file) => ({
      name: file.name,
      url: url(file.path),
      size: file.size,
      sha256: file.sha256,
      platform: file.platform,
      target: file.target,
      kind: file.kind,
      signatureUrl: signed ? url(`${file.path}.minisig`) : null,
      checksumUrl: built === null ? null : url(`${file.path}.sha256`),
    })),
    image: image && {
      reference: `${image.repository}:${image.tag}@${image.digest}`,
      digest: image.digest,
      platforms: image.platforms.map(({ platform, digest }) => ({ platform, digest })),
    },
    tests: (built?.tests ?? []).map(({ target, platform, result, mode, executed, reason }) => ({
      target,
      platform,
      result,
      mode,
      ...(executed === undefined ? {} : { executed }),
      reason,
    })),
    document: { url: url(at), sha256: documentSha256(document), ...signatures(at) },
    checksums: digestedFiles(document) === null ? null : { url: url(sums), ...signatures(sums) },
    ...(documentation === undefined
      ? {}
      : {
          documentation: {
            url: documentation.kept === null ? null : url(`${documentation.kept}${TOP_PAGE}`),
            files: { url: url(KEYS.documentation(document.version)), sha256: documentation.sha256 },
          },
        }),
    ...(byHand === undefined
      ? {}
      : { byHand: { revision: byHand.revision, missing: byHand.missing, unchecked: byHand.unchecked } }),
    ...(isAdopted(document)
      ? {
          adopted: {
            revision: document.adopted.revision,
            date: document.adopted.adoptedAt,
            digests: document.adopted.digests,
          },
        }
      : {}),
    ...(stored === undefined ? {} : { state: listedState(stored, url, catalogue.publicKey !== null) }),
  }
}

/** All facts of the state, so that its document can be written again should it be lost. */
function listedState(
  { state: { format: _format, name: _name, version, ...facts }, sha256 }: StoredState,
  url: (key: string) => string,
  signed: boolean,
): NonNullable<IndexRelease['state']> {
  const key = KEYS.state(version, facts.revision)
  return {
    ...facts,
    document: {
      url: url(key),
      sha256,
      minisigUrl: signed ? url(`${key}.minisig`) : null,
      sigUrl: signed ? url(`${key}.sig`) : null,
    },
  }
}

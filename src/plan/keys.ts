/**
 * Where everything lies in the bucket. Keys are relative and `/`-separated; the inherited part of the layout is
 * `_releases/<version>/<triple>/<binary>`, `_releases.json` and `_releases.html`, which existing scripts rely on.
 */
export const KEYS = {
  releases: '_releases/',
  folder: (version: string) => `_releases/${version}/`,
  /** A release made by hand has revisions of it, each under its own name: `release.2.json` and so on. */
  document: (version: string, revision = 1) =>
    `_releases/${version}/release${revision === 1 ? '' : `.${revision}`}.json`,
  /** What became of the release: `revision` counts up from 1, the highest one holds. */
  state: (version: string, revision: number) => `_releases/${version}/state-${revision}.json`,
  /** Where the keys of all revisions begin, and of nothing else. */
  states: (version: string) => `_releases/${version}/state-`,
  sums: (version: string, revision = 1) => `_releases/${version}/SHA256SUMS${revision === 1 ? '' : `.${revision}`}`,
  binary: (version: string, triple: string, name: string) => `_releases/${version}/${triple}/${name}`,
  /** Which files the documentation of a version has. */
  documentation: (version: string) => `_releases/${version}/documentation.json`,
  /** What the documentation site holds now, and when what it holds no more goes. */
  documentationNow: '_releases/_documentation.json',
  /** The same as it is about to be. */
  documentationNext: '_releases/_documentation.next.json',
  page: '_releases.html',
  garageList: '_releases.json',
  index: '_releases/index.json',
  atomStable: '_releases/stable.atom',
  atomAll: '_releases/all.atom',
  /** The newest stable version, one line. */
  latest: '_releases/latest',
  /** The newest version of another channel, one line. */
  latestOf: (channel: string) => `_releases/latest-${channel}`,
  /** Sends readers on to the file of the newest stable release, where the store can. No version begins with an underscore. */
  stableFolder: '_releases/_latest/',
  stable: (triple: string, name: string) => `_releases/_latest/${triple}/${name}`,
  installScript: '_releases/install.sh',
  /** Marks of versions that have left the lists. No version begins with an underscore. */
  retiredFolder: '_releases/_retired/',
  retired: (version: string) => `_releases/_retired/${version}.json`,
  /** There while a document of a release that is listed already was put, and the lists do not name it yet. */
  changing: '_releases/_changing',
  publicKey: '_releases/minisign.pub',
  publicKeyPem: '_releases/signing-key.pem',
} as const

/** Whether the object leads to one version: of a channel, or to its files. */
export function isPointer(key: string): boolean {
  return key === KEYS.latest || key.startsWith(KEYS.latestOf('')) || key.startsWith(KEYS.stableFolder)
}

/** What may stand after a key: digest and signatures of the object beside it. */
export const SIDE_FILES = ['.sha256', '.minisig', '.sig'] as const

/**
 * Why `_releases/<name>` belongs to Pitlane and can't be the folder of a version, or null when it can. `latest-` and everything
 * after it belong to the channels, also to those that no project has declared yet.
 */
export function reservedUnderReleases(name: string): string | null {
  const side = SIDE_FILES.find((suffix) => name.endsWith(suffix))
  const base = side === undefined ? name : name.slice(0, -side.length)
  const key = `${KEYS.releases}${base}`
  if (key.startsWith(KEYS.latestOf('')))
    return `"${KEYS.releases}${name}" is a pointer to the newest version of a channel`
  const owned = Object.values<unknown>(KEYS).includes(key)
  return owned ? `"${KEYS.releases}${name}" is one of the files computed from all releases` : null
}

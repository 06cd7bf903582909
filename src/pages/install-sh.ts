/** `install.sh`: the template in `install-template.ts` with the project's values, targets and key put in. */
import { TARGETS, type Target } from '../plan/targets.ts'
import { digestedFiles, isAdopted, type ReleaseDocument, revisionOf } from '../release/document.ts'
import { KEYS } from '../plan/keys.ts'
import { publicAddress } from './address.ts'
import { adoptionSentences, isInstallable } from './adoption.ts'
import type { Catalogue, SitePublicKey } from './catalogue.ts'
import { minisignKeyLine } from './index-json.ts'
import { INSTALL_TEMPLATE } from './install-template.ts'
import { shellQuoted } from '../words/shell-word.ts'
import { cut, plainLine } from './text.ts'
import { withdrawalOf, withdrawalSentence } from './withdrawal.ts'

interface InstallScriptInput {
  readonly name: string
  /** Public address of the bucket; `--base` overrides it. */
  readonly baseUrl: string
  /** Null when the project does not sign. */
  readonly publicKey: SitePublicKey | null
  /** Every release that is listed. */
  readonly all: readonly ReleaseDocument[]
  /** What became of those, and of releases that have left the lists. */
  readonly states: Catalogue['states']
}

/** Where a 64-bit kernel runs a 32-bit userland, this platform's binary is what fits it. */
const USERLAND_32: Readonly<Partial<Record<Target['platform'], Target['platform']>>> = {
  'linux/amd64': 'linux/386',
  'linux/arm64': 'linux/arm/v6',
}

/**
 * POSIX shell text. Everything that comes from the project stands in single-quoted assignments at the top; the rest is the same for
 * every project.
 * @throws PitlaneError `CONFIG_INVALID` for an unusable address
 */
export function installScript(input: InstallScriptInput): string {
  const key = input.publicKey
  const values = [
    ['PROJECT', plainLine(input.name)],
    ['DEFAULT_BASE', publicAddress(input.baseUrl)],
    ['RELEASES', KEYS.releases.replace(/\/$/, '')],
    ['KEY_ID', key?.keyId ?? ''],
    ['MINISIGN_KEY', key ? minisignKeyLine(key.minisign) : ''],
    ['PEM_KEY', key?.pem.trim() ?? ''],
  ] as const
  const assignments = values.map(([name, value]) => `${name}=${shellQuoted(value)}`).join('\n')
  return INSTALL_TEMPLATE.replace('@TARGETS@', () => targetCases())
    .replace('@WITHDRAWN@\n', () => withdrawnCases(input))
    .replace('@ADOPTED@\n', () => adoptedCases(input.all))
    .replace('@UNDIGESTED@\n', () => undigestedCase(input.all))
    .replace('@ASSIGNMENTS@', () => assignments)
    .replace('@REVISIONS@', () => revisions(input.all))
}

/** The script is computed anew with each change, so that it can carry what a shell would not get out of JSON. */
function withdrawnCases({ all, states }: InstallScriptInput): string {
  // What has left the lists can still be named, as long as its files are there: it comes after what is listed.
  return [...new Set([...all.map(({ version }) => version), ...states.keys()])]
    .map((version) => ({ version, withdrawal: withdrawalOf({ states }, version) }))
    .map(({ version, withdrawal }) =>
      withdrawal === null
        ? ''
        : `    ${shellQuoted(version)}) say ${shellQuoted(cut(withdrawalSentence(withdrawal), 300))} ;;\n`,
    )
    .join('')
}

function adoptedCases(documents: readonly ReleaseDocument[]): string {
  return documents
    .filter((document) => isAdopted(document))
    .filter((document) => isInstallable(document))
    .map((document) => `    ${document.version}) say ${shellQuoted(adoptionSentences(document))} ;;\n`)
    .join('')
}

/** It refuses what it can't check, and says why; without the list it would only be missing a file. */
function undigestedCase(documents: readonly ReleaseDocument[]): string {
  const versions = documents.filter((document) => digestedFiles(document) === null).map(({ version }) => version)
  return versions.length === 0 ? '' : `    ${versions.join(' | ')}) ;;\n`
}

/** Which document and list are the newest of a version that has revisions, as of when the script is made. Names need no quotes. */
function revisions(documents: readonly ReleaseDocument[]): string {
  const cases = documents
    .filter((document) => revisionOf(document) > 1)
    .map((document) => `    ${document.version}) ${newestOf(document.version, revisionOf(document))} ;;`)
  return [`  ${newestOf('', 1)}`, ...(cases.length === 0 ? [] : ['  case $version in', ...cases, '  esac'])].join('\n')
}

function newestOf(version: string, revision: number): string {
  const name = (key: string) => key.slice(KEYS.folder(version).length)
  return `sums=${name(KEYS.sums(version, revision))} document=${name(KEYS.document(version, revision))} revision=${revision}`
}

function targetCases(): string {
  return TARGETS.map((target) => {
    const small = TARGETS.find(({ platform }) => platform === USERLAND_32[target.platform])
    const pattern = target.uname.join(' | ')
    return small === undefined
      ? `    ${pattern}) target=${target.triple} ;;`
      : `    ${pattern}) if userland_is_32_bit; then target=${small.triple}; else target=${target.triple}; fi ;;`
  }).join('\n')
}

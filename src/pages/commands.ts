/** The commands that the page prints. Conformance runs them, so change both together. */
import {
  type AdoptedFile,
  builtOf,
  type ReleaseDocument,
  type ReleaseFile,
  type ReleaseImage,
  revisionOf,
} from '../release/document.ts'
import { KEYS, SIDE_FILES } from '../plan/keys.ts'
import { absoluteUrl } from '../plan/key-url.ts'
import type { Catalogue } from './catalogue.ts'
import { stableLinks } from './stable-links.ts'
import { shellQuoted, shellWord } from '../words/shell-word.ts'
import { trustedCommentText } from '../release/keys/sign.ts'

export interface Commands {
  readonly title: string
  /** What it proves or does, for somebody who never did it. */
  readonly explanation: string
  readonly lines: readonly string[]
}

export function installCommands(catalogue: Catalogue, version: string | null): readonly Commands[] {
  const fetch = `curl -fsSL ${shellWord(absoluteUrl(catalogue.baseUrl, KEYS.installScript))}`
  const chosen = version === null ? '' : ` --version ${shellWord(version)}`
  return [
    {
      title: 'One line',
      explanation:
        'Finds the binary for this machine, checks it, and puts it into ~/.local/bin (or /usr/local/bin for root). Nothing else is touched.',
      lines: [chosen === '' ? `${fetch} | sh` : `${fetch} | sh -s --${chosen}`],
    },
    {
      title: 'Look first',
      explanation: 'Says what would be installed and from where, and changes nothing.',
      lines: [`${fetch} | sh -s -- --dry-run${chosen}`],
    },
    ...(version === null ? alwaysTheNewest(catalogue) : []),
  ]
}

/** Only commands: browsers remember where such an address has once sent them. */
function alwaysTheNewest(catalogue: Catalogue): readonly Commands[] {
  const links = stableLinks(catalogue)
  const files = links.filter(({ key }) => !SIDE_FILES.some((side) => key.endsWith(side)))
  if (files.length === 0) return []
  return [
    {
      title: 'Always the newest',
      explanation:
        'For scripts: addresses that stay, and lead to the newest stable release. Take the line of the platform; what stands beside its file (.sha256 and so on) is there as well.',
      lines: files.map(({ key }) => `curl -fLO ${shellWord(absoluteUrl(catalogue.baseUrl, key))}`),
    },
  ]
}

/** How to check one file of a release by hand, from nothing. */
export function verifyCommands(
  catalogue: Catalogue,
  document: ReleaseDocument,
  file: ReleaseFile | AdoptedFile,
): readonly Commands[] {
  const url = (key: string) => shellWord(absoluteUrl(catalogue.baseUrl, key))
  const sums = KEYS.sums(document.version, revisionOf(document))
  const sumsName = sums.slice(KEYS.folder(document.version).length)
  // Names in SHA256SUMS are relative to the release's folder.
  const local = shellWord(file.path.slice(KEYS.folder(document.version).length))
  const digest: Commands = {
    title: 'Digest',
    explanation: 'Downloads one binary and compares its SHA-256 with the release’s list.',
    lines: [
      `curl -fsSL --create-dirs -o ${local} \\\n  ${url(file.path)}`,
      `curl -fsSLO ${url(sums)}`,
      `sha256sum --check --ignore-missing ${sumsName}`,
    ],
  }
  const { signing } = document
  if (signing.scheme === 'none') return [digest]
  const commands: Commands[] = [
    digest,
    {
      title: 'Signature, with minisign',
      explanation: 'Proves that the list is the one of this version, and comes from the holder of the project’s key.',
      lines: [
        `curl -fsSLO ${url(`${sums}.minisig`)}`,
        `minisign -VQm ${sumsName} -P ${shellWord(signing.publicKey)} | \\\n  grep -Fx ${shellQuoted(trustedCommentText({ name: document.name, version: document.version, path: sums }))}`,
      ],
    },
  ]
  // The PEM file is the present key's; a release of an earlier key does not verify with it.
  if (catalogue.publicKey?.keyId === signing.keyId) {
    const pem = KEYS.publicKeyPem.slice(KEYS.publicKeyPem.lastIndexOf('/') + 1)
    const key = KEYS.document(document.version, revisionOf(document))
    const name = key.slice(KEYS.folder(document.version).length)
    commands.push({
      title: 'Signature, with OpenSSL 3',
      explanation:
        'The same proof where minisign is not installed: the signed document lists this file of this version with the digest of what was downloaded.',
      lines: [
        `curl -fsSLO ${url(key)}`,
        `curl -fsSLO ${url(`${key}.sig`)}`,
        `curl -fsSLO ${url(KEYS.publicKeyPem)}`,
        `openssl pkeyutl -verify -pubin -inkey ${pem} \\\n  -rawin -in ${name} -sigfile ${name}.sig`,
        `grep -Fx ${shellQuoted(`  "name": ${JSON.stringify(document.name)},`)} ${name}`,
        `grep -FxA 2 ${shellQuoted(`      "path": ${JSON.stringify(file.path)},`)} ${name} | \\\n  grep -F "\\"$(sha256sum <${local} | cut -c 1-64)\\""`,
      ],
    })
  }
  // An image layout that lies elsewhere than the files can't be found from their address.
  const image = builtOf(document)?.image ?? null
  const imagesElsewhere =
    image !== null && image.registry === undefined && (image.layout === null || !catalogue.baseUrl.startsWith('file:'))
  const from = `pitlane verify ${shellWord(document.version)} --from ${shellWord(catalogue.baseUrl)}`
  commands.push({
    title: 'Everything, with Pitlane',
    explanation: imagesElsewhere
      ? 'Checks every file, list and pointer of the release, and trusts nothing but the key. With a copy of the image layout, --registry FOLDER in place of --no-images checks the images too.'
      : 'Checks every file, image, list and pointer of the release, and trusts nothing but the key.',
    lines: [`${from} \\\n  --key ${shellWord(signing.publicKey)}${imagesElsewhere ? ' --no-images' : ''}`],
  })
  return commands
}

/** How to get the image; nothing where this page knows no address for it: a folder on the releaser's disk is none. */
export function imageCommands({ platforms, registry, ...image }: ReleaseImage): readonly Commands[] {
  if (registry === undefined) return []
  const pull = ({ repository, tag, digest }: Pick<ReleaseImage, 'repository' | 'tag' | 'digest'>) =>
    `docker pull ${shellWord(`${registry}/${repository}:${tag}@${digest}`)}`
  return [
    {
      title: 'Pull by digest',
      explanation: 'The digest names these exact bytes, whatever happens to the tag.',
      lines: [pull(image)],
    },
    {
      title: 'For one platform',
      explanation: `Each platform has a repository of its own, for clients that can’t choose, or for another machine than this: ${platforms.map(({ platform }) => platform).join(', ')}.`,
      lines: platforms.map(pull),
    },
  ]
}

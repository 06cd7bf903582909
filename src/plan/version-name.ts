/**
 * What a release may be called. Names in the wild follow no grammar (`v0.7.2.1`, `v0.7.2+ci`, `format_table-v0.1.0`), so every tag
 * is good that can be a folder name, a part of a web address and a line in a list, and that no other thing is called.
 */
import { PitlaneError } from '../errors.ts'
import { reservedUnderReleases } from './keys.ts'

/** Longest version name, in characters: the limit of an image tag (OCI distribution specification 1.1, "Pulling manifests"). */
export const VERSION_LIMIT = 128

const NAME = /^[A-Za-z0-9][A-Za-z0-9._+-]{0,127}$/
const COMMIT_ID = /^([0-9a-f]{40}|[0-9a-f]{64})$/

/** A full commit id: 40 hexadecimal digits (SHA-1) or 64 (SHA-256). */
export function isCommitId(name: string): boolean {
  return COMMIT_ID.test(name)
}

/**
 * Returns the tag when it can be the name of a release.
 * @throws PitlaneError `VERSION_NAME`, saying which rule is broken and where
 */
export function checkVersionName(tag: string): string {
  const broken = versionFault(tag)
  if (broken === null) return tag
  throw new PitlaneError('VERSION_NAME', `the tag ${shown(tag)} cannot name a release: ${broken}`, {
    hint: `Tag the commit with a name of letters, digits and . _ + - (at most ${VERSION_LIMIT}), for example v1.2.0.`,
  })
}

/** Which rule the tag breaks, in words, or null. */
export function versionFault(tag: string): string | null {
  if (tag === '') return 'it is empty'
  // By code points, so that the position is what a person counts.
  const characters = Array.from(tag)
  if (characters.length > VERSION_LIMIT) {
    return `it has ${characters.length} characters, and a version has at most ${VERSION_LIMIT}`
  }
  const wrong = characters.findIndex((character) => !/[A-Za-z0-9._+-]/.test(character))
  if (wrong !== -1) {
    return `character ${wrong + 1} is ${shown(characters[wrong] ?? '')}, and a version has only letters, digits and . _ + -`
  }
  if (!NAME.test(tag))
    return `character 1 is ${shown(characters[0] ?? '')}, and a version begins with a letter or digit`
  const dots = tag.indexOf('..')
  if (dots !== -1) return `characters ${dots + 1} and ${dots + 2} are "..", which means the folder above`
  const pair = tag.search(/[+-]{2}/)
  if (pair !== -1) {
    return `characters ${pair + 1} and ${pair + 2} are "${tag.slice(pair, pair + 2)}"; in an image tag "--" stands for "+", so a version has no two of them in a row`
  }
  if (isCommitId(tag)) return 'it looks like a full commit id, which names the development release of that commit'
  const reserved = reservedUnderReleases(tag)
  return reserved === null ? null : `the name is reserved: ${reserved}`
}

/** A name for a message: quoted, in ASCII, at most 80 characters. */
export function shown(text: string): string {
  const quoted = JSON.stringify(text).replace(
    /[\u007f-\u{10ffff}]/gu,
    (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`,
  )
  return quoted.length <= 80 ? quoted : `${quoted.slice(0, 76)}…"`
}

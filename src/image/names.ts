/** What may name an image: checked at every door, since these strings become paths of files and parts of addresses. */
import { sha256Of } from '../bytes/digest.ts'
import { PitlaneError } from '../errors.ts'

/** OCI distribution specification 1.1, "Pulling manifests": `<name>` and `<reference>`. */
const COMPONENT = '[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*'
const REPOSITORY = new RegExp(`^${COMPONENT}(?:/${COMPONENT})*$`)
const TAG = /^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$/
const DIGEST = /^sha256:[0-9a-f]{64}$/
/** Registry host and repository together fit in 255 characters at the usual clients; so does the repository alone. */
const REPOSITORY_LIMIT = 255

export function isRepository(text: string): boolean {
  return text.length <= REPOSITORY_LIMIT && REPOSITORY.test(text)
}

export function isTag(text: string): boolean {
  return TAG.test(text)
}

/** `sha256:` and 64 lower-case hex digits: the only algorithm that Pitlane writes or reads. */
export function isDigest(text: string): boolean {
  return DIGEST.test(text)
}

/** @throws PitlaneError `IMAGE_NAME` */
export function requireRepository(text: string): void {
  if (isRepository(text)) return
  throw new PitlaneError('IMAGE_NAME', `${shown(text)} is not the name of an image repository`, {
    hint: 'A repository is lower-case letters, digits and single separators ("." "_" "-"), in parts divided by "/", as in "dxflrs/garage".',
  })
}

/** @throws PitlaneError `IMAGE_NAME` */
export function requireTag(text: string): void {
  if (isTag(text)) return
  throw new PitlaneError('IMAGE_NAME', `${shown(text)} is not an image tag`, {
    hint: 'A tag is 1 to 128 letters, digits, "_", "." and "-", and does not begin with "." or "-".',
  })
}

/** @throws PitlaneError `IMAGE_NAME` */
export function requireDigest(text: string): void {
  if (isDigest(text)) return
  throw new PitlaneError('IMAGE_NAME', `${shown(text)} is not a SHA-256 digest`, {
    hint: 'A digest is "sha256:" and 64 lower-case hexadecimal digits.',
  })
}

/** The digest of bytes, as OCI writes it. */
export function digestOf(bytes: Uint8Array): string {
  return `sha256:${sha256Of(bytes)}`
}

/** The hex part of a valid digest: the name of its file in a layout. */
export function hexOf(digest: string): string {
  requireDigest(digest)
  return digest.slice('sha256:'.length)
}

function shown(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text)
}

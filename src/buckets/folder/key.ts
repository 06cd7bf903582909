/** Which keys a folder can hold, and hold in the same way as S3 does. Pure. */
import { PitlaneError } from '../../errors.ts'

/** Folder for unfinished writes, in the bucket's root: in the same file system, never listed, removed when empty. */
export const TEMPORARY = '.pitlane-tmp'

/** Bytes of UTF-8: S3's own limit for a key, and the file systems' limit for one name. */
const KEY_BYTES = 1024
const SEGMENT_BYTES = 255

/** Why the key cannot be held here, in words, or null. */
export function keyFault(key: string): string | null {
  if (key === '') return 'it is empty'
  if (Buffer.byteLength(key) > KEY_BYTES) return `it is longer than ${KEY_BYTES} bytes`
  if (!key.isWellFormed()) return 'it is not valid Unicode'
  if (/[\p{Cc}\\]/u.test(key)) return 'it holds a control character or a backslash'
  const segments = key.split('/')
  if (segments[0] === TEMPORARY) return `${TEMPORARY} is reserved for unfinished writes`
  for (const segment of segments) {
    if (segment === '') return 'it has an empty segment'
    if (segment === '.' || segment === '..') return `it has the segment '${segment}'`
    if (Buffer.byteLength(segment) > SEGMENT_BYTES) return `it has a segment longer than ${SEGMENT_BYTES} bytes`
  }
  return null
}

/** @throws PitlaneError `STORAGE_FAILED` */
export function checkKey(key: string, location: string): void {
  const fault = keyFault(key)
  if (fault === null) return
  throw new PitlaneError('STORAGE_FAILED', `${location}: the key ${shown(key)} is refused: ${fault}`, {
    hint: 'Keys are relative, separated by /, without empty, . or .. segments.',
  })
}

/** The folder to start listing in (segments), and what the rest of a key has to start with. */
export function splitPrefix(prefix: string, location: string): { folder: readonly string[]; rest: string } {
  const at = prefix.lastIndexOf('/')
  if (at === -1) return { folder: [], rest: prefix }
  checkKey(prefix.slice(0, at), location)
  return { folder: prefix.slice(0, at).split('/'), rest: prefix.slice(at + 1) }
}

function shown(key: string): string {
  return JSON.stringify(key.length > 120 ? `${key.slice(0, 120)}…` : key)
}

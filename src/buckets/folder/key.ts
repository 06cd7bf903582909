/** Which keys a folder can hold, and hold in the same way as S3 does. Pure. */
import { keyFault as keyFaultAnywhere, refuseKey } from '../key.ts'

/** Folder for unfinished writes, in the bucket's root: in the same file system, never listed, removed when empty. */
export const TEMPORARY = '.pitlane-tmp'

/** Bytes of UTF-8: the file systems' limit for one name. */
const SEGMENT_BYTES = 255

/** Why the key cannot be held here, in words, or null. */
export function keyFault(key: string): string | null {
  const fault = keyFaultAnywhere(key)
  if (fault !== null) return fault
  const segments = key.split('/')
  if (segments[0] === TEMPORARY) return `${TEMPORARY} is reserved for unfinished writes`
  const long = segments.some((segment) => Buffer.byteLength(segment) > SEGMENT_BYTES)
  return long ? `it has a segment longer than ${SEGMENT_BYTES} bytes` : null
}

/** @throws PitlaneError `STORAGE_FAILED` */
export function checkKey(key: string, location: string): void {
  const fault = keyFault(key)
  if (fault !== null) refuseKey(key, location, fault)
}

/** The folder to start listing in (segments), and what the rest of a key has to start with. */
export function splitPrefix(prefix: string, location: string): { folder: readonly string[]; rest: string } {
  const at = prefix.lastIndexOf('/')
  if (at === -1) return { folder: [], rest: prefix }
  checkKey(prefix.slice(0, at), location)
  return { folder: prefix.slice(0, at).split('/'), rest: prefix.slice(at + 1) }
}

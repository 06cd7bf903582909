/** What every bucket takes as a key: S3's rules ("Object keys" of the S3 user guide), without the names that tools trip over. Pure. */
import { PitlaneError } from '../errors.ts'

/** Bytes of UTF-8. */
const KEY_BYTES = 1024

/** Why the key is refused, in words, or null. */
export function keyFault(key: string): string | null {
  if (key === '') return 'it is empty'
  if (Buffer.byteLength(key) > KEY_BYTES) return `it is longer than ${KEY_BYTES} bytes`
  if (!key.isWellFormed()) return 'it is not valid Unicode'
  if (/[\p{Cc}\\]/u.test(key)) return 'it holds a control character or a backslash'
  for (const segment of key.split('/')) {
    if (segment === '') return 'it has an empty segment'
    if (segment === '.' || segment === '..') return `it has the segment '${segment}'`
  }
  return null
}

/** @throws PitlaneError `STORAGE_FAILED` */
export function refuseKey(key: string, location: string, fault: string): never {
  throw new PitlaneError('STORAGE_FAILED', `${location}: the key ${shown(key)} is refused: ${fault}`, {
    hint: 'Keys are relative, separated by /, without empty, . or .. segments.',
  })
}

function shown(key: string): string {
  return JSON.stringify(key.length > 120 ? `${key.slice(0, 120)}…` : key)
}

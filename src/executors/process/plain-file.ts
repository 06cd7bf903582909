/** Small files where steps can put what they like: a pipe or a device would be waited for, or read for ever. */
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs'
import { systemCode } from '../../errors.ts'

/** At most `limit` bytes from its beginning, as text. Empty where something else than a file stands; undefined where nothing does. */
export function readPlain(path: string, limit: number): string | undefined {
  let descriptor: number
  try {
    descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY)
  } catch (error) {
    const code = systemCode(error)
    if (code === 'ENOENT') return undefined
    // A link that leads to itself; a socket, or a device that there is none of.
    if (code === 'ELOOP' || code === 'ENXIO' || code === 'ENODEV') return ''
    throw error
  }
  try {
    const facts = fstatSync(descriptor)
    if (!facts.isFile()) return ''
    const bytes = Buffer.alloc(Math.min(facts.size, limit))
    return bytes.toString('utf8', 0, readSync(descriptor, bytes, 0, bytes.length, 0))
  } finally {
    closeSync(descriptor)
  }
}

import { pathToFileURL } from 'node:url'
import { PitlaneError } from '../errors.ts'

/**
 * The public address of a bucket in normal form: `http`, `https` or `file`, no query, no fragment, no trailing slash.
 * @throws PitlaneError `CONFIG_INVALID` for anything else, credentials included: they would be printed on the page
 */
export function publicAddress(address: string): string {
  const url = URL.canParse(address) ? new URL(address) : null
  const fits =
    url !== null &&
    ['http:', 'https:', 'file:'].includes(url.protocol) &&
    url.search === '' &&
    url.hash === '' &&
    url.username === '' &&
    url.password === ''
  if (!fits) {
    throw new PitlaneError('CONFIG_INVALID', `${JSON.stringify(address)} cannot be the public address of a bucket`, {
      hint: 'Use an http, https or file address without user name, query and fragment, such as https://example.org/downloads.',
    })
  }
  return url.href.replace(/\/+$/, '')
}

/** The public address of a bucket that is only a folder on this machine. */
export function folderAddress(folder: string): string {
  return publicAddress(pathToFileURL(folder).href)
}

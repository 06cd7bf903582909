/** Words for people: sizes, dates, and text of outsiders made harmless. Independent of locale and time zone. */

const MONTHS = 'January February March April May June July August September October November December'.split(' ')

/** `812 bytes`, `48.3 KiB`, `2.4 MiB`: three significant digits. */
export function humanSize(bytes: number): string {
  if (bytes < 1024) return bytes === 1 ? '1 byte' : `${bytes} bytes`
  let value = bytes
  for (const unit of ['KiB', 'MiB', 'GiB']) {
    value /= 1024
    if (value < 999.5 || unit === 'GiB') return `${value.toFixed(value < 9.995 ? 2 : value < 99.95 ? 1 : 0)} ${unit}`
  }
  return `${bytes} bytes`
}

/** `2 134 528 bytes`, the digits in groups. */
export function exactSize(bytes: number): string {
  return `${String(bytes).replace(/\B(?=(\d{3})+$)/g, '\u202f')} ${bytes === 1 ? 'byte' : 'bytes'}`
}

/** `23 November 2026` from an ISO 8601 date in UTC. */
export function humanDate(iso: string): string {
  return `${Number(iso.slice(8, 10))} ${MONTHS[Number(iso.slice(5, 7)) - 1] ?? ''} ${iso.slice(0, 4)}`
}

/** The first twelve digits where the version is a commit id; the version itself otherwise. */
export function shortVersion(version: string): string {
  return /^([0-9a-f]{40}|[0-9a-f]{64})$/.test(version) ? version.slice(0, 12) : version
}

// Control characters except tab and newline; the marks that turn the direction of the text around them; code points that
// XML 1.0 section 2.2 does not allow.
const HARMFUL = /(?![\t\n])[\p{Cc}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ufffe\uffff]/gu

/**
 * Text of outsiders (tag subjects, notes, reasons, names) as it may be shown: line ends are `\n`, what is invisible and changes the meaning
 * of what is around it becomes U+FFFD. Escaping is left to the writer of the format.
 */
export function plainText(text: string): string {
  return text.replace(/\r\n?/g, '\n').toWellFormed().replace(HARMFUL, '\ufffd')
}

/** The same on one line. */
export function plainLine(text: string): string {
  return plainText(text).replace(/\s+/g, ' ').trim()
}

/** At most so many UTF-16 units, cut between characters, with an ellipsis when something was cut. */
export function cut(text: string, length: number): string {
  return text.length <= length
    ? text
    : `${text
        .slice(0, length)
        .replace(/[\ud800-\udbff]$/, '')
        .trimEnd()} …`
}

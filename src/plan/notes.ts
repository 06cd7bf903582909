/** Release notes: what the person who released it wrote, found once while planning. */
import { changelogSection } from './changelog.ts'
import type { Source } from './plan.ts'

/** Longest notes, in bytes of UTF-8; what is longer is cut at a line. */
const LIMIT = 64 * 1024
const CUT = '\n\n(shortened)'

/** The annotated tag's message, else the version's section of the changelog, else null. */
export function releaseNotes(source: Source, changelog: Buffer | null): string | null {
  if (source.tag === null) return null
  const message = tagText(source.tagMessage ?? '')
  // A message that only repeats the name says nothing.
  const saysMore = message !== '' && message !== source.tag
  const notes = saysMore ? message : changelog && changelogSection(changelog, source.tag)
  return notes === null ? null : shorten(notes)
}

/** Without the signature that `git tag --sign` puts below the text. */
function tagText(message: string): string {
  const text = message.replaceAll('\r\n', '\n')
  const signature = /^-----BEGIN (?:PGP SIGNATURE|PGP MESSAGE|SSH SIGNATURE|SIGNED MESSAGE)-----$/m.exec(text)
  return text.slice(0, signature?.index).trim()
}

function shorten(notes: string): string {
  const bytes = Buffer.from(notes)
  if (bytes.length <= LIMIT) return notes
  const room = bytes.subarray(0, LIMIT - Buffer.byteLength(CUT))
  const line = room.lastIndexOf('\n')
  // Only whole characters: a cut inside one would end in a replacement character of three bytes.
  const kept = line > 0 ? room.subarray(0, line).toString() : room.toString().replace(/\uFFFD$/, '')
  return `${kept.trimEnd()}${CUT}`
}

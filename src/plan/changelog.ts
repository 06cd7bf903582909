/**
 * The section of a version in a changelog, as people write it (Keep a Changelog 1.1 and its relatives): `## [1.2.0] - 2025-06-13`,
 * `## v1.2.0`, `# 1.2.0 (June 2025)`, `## Version 1.2.0`, or a line underlined with `---`.
 */

/** What is read of a changelog, in bytes; newest versions stand first. */
const LIMIT = 4 * 1024 * 1024

interface Heading {
  /** Index of the line, and of the first line after the heading. */
  readonly line: number
  readonly after: number
  readonly level: number
  readonly text: string
}

/** The text below the version's heading up to the next heading of the same rank, trimmed; null when there is none or it is empty. */
export function changelogSection(changelog: Buffer, version: string): string | null {
  const lines = changelog.subarray(0, LIMIT).toString('utf8').split(/\r?\n/)
  const found = headings(lines)
  const index = found.findIndex(({ text }) => namesVersion(text, version))
  const heading = found[index]
  if (heading === undefined) return null
  const next = found.slice(index + 1).find(({ level }) => level <= heading.level)
  const body = lines.slice(heading.after, next?.line)
  // Link definitions for the headings stand at the end of the file: they belong to no version.
  while (body.length > 0 && /^\s*$|^\[[^\]]+\]:\s*\S+/.test(body.at(-1) ?? '')) body.pop()
  return (
    body
      .join('\n')
      .replace(/^\s*\n/, '')
      .trimEnd() || null
  )
}

function headings(lines: readonly string[]): readonly Heading[] {
  const found: Heading[] = []
  let fence: string | null = null
  for (const [index, line] of lines.entries()) {
    const mark = /^ {0,3}(`{3,}|~{3,})/.exec(line)?.[1]
    if (mark !== undefined && (fence === null || mark.startsWith(fence))) fence = fence === null ? mark : null
    if (mark !== undefined || fence !== null) continue
    const hashes = /^ {0,3}(#{1,6})[ \t]+(.*)$/.exec(line)
    if (hashes !== null) {
      found.push({ line: index, after: index + 1, level: hashes[1]?.length ?? 1, text: hashes[2] ?? '' })
      continue
    }
    const underline = /^(=+|-+)[ \t]*$/.exec(lines[index + 1] ?? '')?.[1]
    if (underline !== undefined && /\S/.test(line)) {
      found.push({ line: index, after: index + 2, level: underline.startsWith('=') ? 1 : 2, text: line })
    }
  }
  return found
}

/** Whether the first word of a heading is the version; brackets, a link, a leading `v` and a word like "Version" don't matter. */
function namesVersion(heading: string, version: string): boolean {
  const words = heading
    .slice(0, 400)
    .replace(/^(?:version|release)\s+/i, '')
    .replace(/^\[([^\]]+)\](?:\([^)]*\)|\[[^\]]*\])?/, '$1 ')
    .trim()
    .split(/[\s(:,]+/)
  return withoutV(words[0] ?? '') === withoutV(version)
}

function withoutV(version: string): string {
  return /^v[0-9]/.test(version) ? version.slice(1) : version
}

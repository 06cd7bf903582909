/**
 * Release notes are plain text of outsiders. A small part of Markdown is recognised, because that is what people write: headings, bullet
 * lists, fenced code and `code`. Nothing becomes a link or markup; whatever is not recognised stays as it was written.
 */
import { cut, plainText } from './text.ts'

type Block =
  | { readonly kind: 'heading'; readonly text: readonly Span[] }
  | { readonly kind: 'paragraph'; readonly text: readonly Span[] }
  | { readonly kind: 'list'; readonly items: readonly (readonly Span[])[] }
  | { readonly kind: 'code'; readonly text: string }

export interface Span {
  readonly text: string
  readonly code: boolean
}

/** UTF-16 units; longer notes are cut on the page and whole in `release.json`. */
const MAX_NOTES = 20_000

const BULLET = /^\s{0,3}[-*+]\s+(.*)$/
const HEADING = /^#{1,6}\s+(.*?)\s*#*\s*$/
const FENCE = /^\s{0,3}(```|~~~)/

export function notesBlocks(notes: string): readonly Block[] {
  const lines = cut(plainText(notes).trim(), MAX_NOTES).split('\n')
  const blocks: Block[] = []
  let at = 0
  while (at < lines.length) {
    const line = lines[at] ?? ''
    const fence = FENCE.exec(line)?.[1]
    const heading = HEADING.exec(line)?.[1]
    if (line.trim() === '') {
      at += 1
    } else if (fence !== undefined) {
      const end = lines.findIndex((other, index) => index > at && other.trim() === fence)
      const last = end === -1 ? lines.length : end
      blocks.push({ kind: 'code', text: lines.slice(at + 1, last).join('\n') })
      at = last + 1
    } else if (heading !== undefined) {
      blocks.push({ kind: 'heading', text: spans(heading) })
      at += 1
    } else if (BULLET.test(line)) {
      const last = endOfBlock(lines, at, (other) => FENCE.test(other) || HEADING.test(other))
      blocks.push({ kind: 'list', items: listItems(lines.slice(at, last)).map(spans) })
      at = last
    } else {
      const last = endOfBlock(lines, at, (other) => FENCE.test(other) || HEADING.test(other) || BULLET.test(other))
      blocks.push({ kind: 'paragraph', text: spans(lines.slice(at, last).join('\n')) })
      at = last
    }
  }
  return blocks
}

/** Index after the last line of the block that starts at `start`. */
function endOfBlock(lines: readonly string[], start: number, startsAnother: (line: string) => boolean): number {
  const end = lines.findIndex((line, index) => index > start && (line.trim() === '' || startsAnother(line)))
  return end === -1 ? lines.length : end
}

/** A line without a bullet continues the item above it. */
function listItems(lines: readonly string[]): readonly string[] {
  const items: string[][] = []
  for (const line of lines) {
    const item = BULLET.exec(line)?.[1]
    if (item === undefined) items.at(-1)?.push(line.trim())
    else items.push([item])
  }
  return items.map((item) => item.join(' '))
}

function spans(text: string): readonly Span[] {
  return text
    .split(/`([^`\n]+)`/)
    .map((part, index) => ({ text: part, code: index % 2 === 1 }))
    .filter((span) => span.text !== '')
}

import type { Commands } from '../commands.ts'
import { plainText } from '../text.ts'

/** Commands to copy, with what they do above them. */
export function CommandBlock({ commands, level }: { commands: Commands; level: 3 | 4 }) {
  const Heading = `h${level}` as const
  return (
    <div class="commands">
      <Heading>{commands.title}</Heading>
      <p>{commands.explanation}</p>
      <CommandLines label={commands.title} lines={commands.lines} />
    </div>
  )
}

/** Scrolls by keyboard, because long addresses cannot wrap without becoming wrong when they are typed. */
function CommandLines({ label, lines }: { label: string; lines: readonly string[] }) {
  return (
    <div class="copyable">
      <pre tabindex={0} role="group" aria-label={`Commands: ${label}`}>
        <code>{plainText(lines.join('\n'))}</code>
      </pre>
    </div>
  )
}

import type { Commands } from '../commands.ts'
import { plainText } from '../text.ts'

/**
 * Commands to copy, with what they do above them. The block scrolls, by keyboard too: an address that is broken over lines becomes wrong
 * when it is typed.
 */
export function CommandBlock({ commands, level }: { commands: Commands; level: 3 | 4 }) {
  const Heading = `h${level}` as const
  return (
    <div class="commands">
      <div class="commands-head">
        <Heading>{commands.title}</Heading>
      </div>
      <p>{commands.explanation}</p>
      <pre tabindex={0} role="group" aria-label={`Commands: ${commands.title}`}>
        <code>{plainText(commands.lines.join('\n'))}</code>
      </pre>
    </div>
  )
}

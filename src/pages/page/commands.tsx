import type { Commands } from '../commands.ts'
import { plainText } from '../text.ts'

/**
 * Commands to copy, with what they do above them. Long lines wrap, so that all of a command is seen on a phone too; what is copied has the
 * lines as they are.
 */
export function CommandBlock({ commands, level }: { commands: Commands; level: 3 | 5 }) {
  const Heading = `h${level}` as const
  return (
    <div class="commands">
      <div class="commands-head">
        <Heading>{commands.title}</Heading>
      </div>
      <p>{commands.explanation}</p>
      <pre role="group" aria-label={`Commands: ${commands.title}`}>
        <code>{plainText(commands.lines.join('\n'))}</code>
      </pre>
    </div>
  )
}

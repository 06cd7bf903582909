import { notesBlocks, type Span } from '../notes.ts'

/** Release notes; their headings are of one level, which fits into the outline at the place where they stand. */
export function Notes({ notes, level }: { notes: string; level: 3 | 4 | 5 }) {
  const Heading = `h${level}` as const
  return (
    <div class="notes">
      {notesBlocks(notes).map((block) => {
        switch (block.kind) {
          case 'heading':
            return (
              <Heading>
                <Spans spans={block.text} />
              </Heading>
            )
          case 'paragraph':
            return (
              <p>
                <Spans spans={block.text} />
              </p>
            )
          case 'list':
            return (
              <ul>
                {block.items.map((item) => (
                  <li>
                    <Spans spans={item} />
                  </li>
                ))}
              </ul>
            )
          case 'code':
            return (
              <pre tabindex={0} role="group" aria-label="Code">
                <code>{block.text}</code>
              </pre>
            )
        }
      })}
    </div>
  )
}

function Spans({ spans }: { spans: readonly Span[] }) {
  return <bdi>{spans.map((span) => (span.code ? <code>{span.text}</code> : span.text))}</bdi>
}

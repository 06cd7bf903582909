import type { ReleaseDocument } from '../../release/document.ts'
import { imageCommands } from '../commands.ts'
import { exactSize, humanSize, plainLine } from '../text.ts'
import { CommandBlock } from './commands.tsx'

/** The container image of a release: how to get it, and the digest of each platform. */
export function Image({ document, level }: { document: ReleaseDocument; level: 3 | 4 }) {
  const commands = imageCommands(document)
  if (document.image === null || commands === null) return null
  return (
    <>
      <CommandBlock commands={commands} level={level} />
      <dl class="facts">
        <dt>Image</dt>
        <dd>
          <code>{plainLine(`${document.image.repository}:${document.image.tag}`)}</code>
        </dd>
        <dt>Index digest</dt>
        <dd>
          <code>{document.image.digest}</code>
        </dd>
        {document.image.platforms.map((platform) => (
          <>
            <dt>{plainLine(platform.platform)}</dt>
            <dd>
              <code>{platform.digest}</code>
              <small>
                {plainLine(`${platform.repository}:${platform.tag}`)},{' '}
                <data value={String(platform.size)} title={exactSize(platform.size)}>
                  {humanSize(platform.size)}
                </data>{' '}
                compressed
              </small>
            </dd>
          </>
        ))}
      </dl>
    </>
  )
}

import type { ReleaseImage } from '../../release/document.ts'
import { imageCommands } from '../commands.ts'
import { exactSize, humanSize, plainLine } from '../text.ts'
import { CommandBlock } from './commands.tsx'

/** The container image of a release: how to get it where that is known, and the digest of each platform. */
export function Image({
  image,
  level,
  tags,
}: {
  image: ReleaseImage
  level: 3 | 5
  /** Those that move on, and lead here now. */
  tags: readonly string[]
}) {
  const commands = imageCommands(image)
  return (
    <>
      {commands.length === 0 ? (
        <p class="about">
          The release does not say where it can be pulled from. Wherever you get it, compare the digest: the same digest
          is the same image, byte for byte.
        </p>
      ) : (
        commands.map((one) => <CommandBlock commands={one} level={level} />)
      )}
      {tags.length === 0 ? null : (
        <p class="about">
          Also tagged <code>{plainLine(tags.join(', '))}</code> for now:{' '}
          {tags.length === 1 ? 'that tag moves' : 'those tags move'} on with the next release.
        </p>
      )}
      <dl class="facts">
        <dt>all platforms</dt>
        <dd>
          <code>{image.digest}</code>
          <small>{plainLine(`${image.repository}:${image.tag}`)}</small>
        </dd>
        {image.platforms.map((platform) => (
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

import type { ReleaseDocument } from '../../release/document.ts'
import type { Catalogue } from '../catalogue.ts'
import { humanDate, shortVersion } from '../text.ts'
import { withdrawalOf } from '../withdrawal.ts'

/** Says why a release is withdrawn and what to use instead; nothing for any other. */
export function Withdrawn({ document, catalogue }: { document: ReleaseDocument; catalogue: Catalogue }) {
  const withdrawal = withdrawalOf(catalogue, document.version)
  if (withdrawal === null) return null
  const { since, reason, successor } = withdrawal
  return (
    <p class="warning" role="note">
      <strong>
        {shortVersion(document.version)} was withdrawn on <time datetime={since}>{humanDate(since)}</time>.
      </strong>{' '}
      <bdi>{reason}</bdi>{' '}
      {successor === null ? null : (
        <>
          Use <a href={`#${successor}`}>{shortVersion(successor)}</a> instead.
        </>
      )}
    </p>
  )
}

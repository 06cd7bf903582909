import { builtOf, type ReleaseDocument } from '../../release/document.ts'
import { humanDate, plainLine } from '../text.ts'

/** What a release that was made by hand lacks of one that was released; nothing for any other. */
export function ByHand({ document }: { document: ReleaseDocument }) {
  const byHand = builtOf(document)?.byHand
  if (byHand === undefined) return null
  const { missing, unchecked, revision, revisedAt } = byHand
  const list = (targets: readonly string[]) => targets.map(plainLine).join(', ')
  return (
    <p class="warning" role="note">
      <strong>This release was made by hand.</strong> Neither checks nor tests were run for it.
      {missing.length === 0 ? null : ` It has no files for ${list(missing)}.`}
      {unchecked.length === 0 ? null : ` Nobody looked at whether the files fit for ${list(unchecked)}.`}
      {revision === 1 ? null : ` Revision ${revision}, of ${humanDate(revisedAt)}.`}
    </p>
  )
}

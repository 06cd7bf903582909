import { isAdopted, type ReleaseDocument } from '../../release/document.ts'
import { ADOPTED, adoptionSentences } from '../adoption.ts'

/** Says of a release that was there before Pitlane what it does not vouch for; nothing for any other. */
export function Adopted({ document }: { document: ReleaseDocument }) {
  if (!isAdopted(document)) return null
  return (
    <p class="warning" role="note">
      <strong>{ADOPTED}</strong> {adoptionSentences(document)}
    </p>
  )
}

/** What a line says of how a release came to be, when it was not released. */
export function Origin({ document }: { document: ReleaseDocument }) {
  if (isAdopted(document)) return <span class="badge warn">adopted</span>
  return document.byHand === undefined ? null : <span class="badge warn">made by hand</span>
}

/** What pages, feeds and `install.sh` say of a release that was there before Pitlane. */
import { type AdoptedDocument, digestedFiles, type ReleaseDocument } from '../release/document.ts'
import { humanDate } from './text.ts'

export const ADOPTED = 'This release was adopted.'

/** What nobody may take it for, as sentences. */
export function adoptionSentences({ adopted }: AdoptedDocument): string {
  const digests =
    adopted.digests === 'unknown'
      ? 'Their digests are unknown.'
      : `Their digests were computed on ${humanDate(adopted.revisedAt)} and say nothing of the time before.`
  return `Its files were here before Pitlane listed them on ${humanDate(adopted.adoptedAt)}: it neither built, tested nor signed them. ${digests}`
}

/** Whether `install.sh` takes it: it never installs what it can't check. */
export function isInstallable(document: ReleaseDocument): boolean {
  return document.files.length > 0 && digestedFiles(document) !== null
}

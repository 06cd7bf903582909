/** What `pitlane adopt` would do, and what it did, as text and as JSON. */
import { type AdoptedDocument, isoSeconds } from '../release/document.ts'
import type { Adopted } from '../release/adopt/apply.ts'
import type { FoundVersion } from '../release/adopt/find-versions.ts'
import type { AdoptionPlan, Undigested } from '../release/adopt/plan.ts'
import { formatBytes } from './amounts.ts'
import { printable } from './output.ts'
import { table } from './text-table.ts'

/** @param reads whether files are read for their digests */
export function plannedLines({ adopt, digest }: AdoptionPlan, reads: boolean): readonly string[] {
  return table([
    ...adopt.map((version) => [
      'would adopt',
      version.version,
      version.channel,
      firstDate(version),
      `${filesOf(version.files)}, ${reads ? 'digests computed' : 'digests unknown'}`,
    ]),
    ...digest.map(({ stored: { document } }) => [
      'would read',
      document.version,
      document.channel,
      document.publishedAt,
      filesOf(document.files),
    ]),
  ])
}

/** What is left as it is, a line each. */
export function skippedLines({ skipped, refused }: Pick<AdoptionPlan, 'skipped' | 'refused'>): readonly string[] {
  return [
    ...skipped.map(({ name, reason, objects, bytes }) => {
      const what = objects === 0 ? '' : ` (${count(objects, 'object')}, ${formatBytes(bytes)})`
      return `skipped  ${printable(name)}${what}: ${printable(reason)}`
    }),
    ...refused.map(({ version, reason }) => `refused  ${version}: ${printable(reason)}`),
  ]
}

export function adoptedLine({ version, channel, publishedAt, files, adopted }: AdoptedDocument): string {
  const digests = adopted.digests === 'unknown' ? 'digests unknown' : 'digests computed'
  const revision = adopted.revision === 1 ? '' : `, revision ${adopted.revision} of its document`
  return `adopted  ${version}  ${channel}  ${publishedAt}  ${filesOf(files)}, ${digests}${revision}`
}

/** @param done null for what would be done */
export function totalLine(plan: AdoptionPlan, done: Adopted | null): string {
  const { adopt, digest, present, undigested, skipped, refused } = plan
  const adopted = done?.documents ?? adopt
  const reread = done === null ? digest.map(({ stored }) => stored.document) : []
  const left = (done?.refused ?? refused).length
  const parts = [
    ...(adopted.length === 0 && reread.length > 0
      ? []
      : [
          adopted.length === 0
            ? 'nothing to adopt'
            : `${done === null ? 'would adopt' : 'adopted'} ${versionsOf(adopted)}`,
        ]),
    // Adopted before, without digests.
    ...(reread.length === 0 ? [] : [`would read ${versionsOf(reread)} for their digests`]),
    ...(present.length === 0
      ? []
      : [
          `${count(present.length, 'version')} with a document${undigested === 0 ? '' : `, ${undigested} of them without digests (--digest)`}`,
        ]),
    ...(skipped.length === 0 ? [] : [`${skipped.length} skipped`]),
    ...(left === 0 ? [] : [`${left} refused`]),
  ]
  return `${parts.join('; ')}${done === null ? '. Nothing was changed.' : ''}`
}

/** Sizes are bytes, dates ISO 8601. `done`: null for what would be done; `reads`: whether files are read for their digests. */
export function adoptionDocument(
  plan: AdoptionPlan,
  done: Adopted | null,
  { notes, reads }: { readonly notes: readonly string[]; readonly reads: boolean },
) {
  return {
    dryRun: done === null,
    adopted: done?.documents.map(({ version, channel, publishedAt, files, adopted: { digests, revision } }) => ({
      version,
      channel,
      publishedAt,
      digests,
      revision,
      files: files.map(({ path, size, sha256 }) => ({ path, size, sha256 })),
    })) ?? [...plan.adopt.map((version) => wouldAdopt(version, reads)), ...plan.digest.map((one) => wouldRead(one))],
    present: plan.present,
    skipped: plan.skipped,
    refused: done?.refused ?? plan.refused,
    notes,
  }
}

function wouldAdopt(found: FoundVersion, reads: boolean) {
  const { version, channel, files } = found
  return {
    version,
    channel,
    publishedAt: firstDate(found),
    digests: reads ? 'computed' : 'unknown',
    revision: 1,
    files: files.map(({ path, size }) => ({ path, size, sha256: null })),
  }
}

function wouldRead({ stored: { document } }: Undigested) {
  const { version, channel, publishedAt, files, adopted } = document
  return {
    version,
    channel,
    publishedAt,
    digests: 'computed',
    revision: adopted.revision + 1,
    files: files.map(({ path, size }) => ({ path, size, sha256: null })),
  }
}

function firstDate({ files }: FoundVersion): string {
  return isoSeconds(Math.min(...files.map(({ modifiedAt }) => modifiedAt)))
}

function filesOf(files: readonly { readonly size: number }[]): string {
  return `${count(files.length, 'file')}, ${formatBytes(files.reduce((sum, { size }) => sum + size, 0))}`
}

function versionsOf(all: readonly { readonly files: readonly { readonly size: number }[] }[]): string {
  return `${count(all.length, 'version')}: ${filesOf(all.flatMap(({ files }) => [...files]))}`
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`
}
